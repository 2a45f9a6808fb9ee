#include "common/numerics/linear.h"

#include <array>
#include <cmath>

#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

TEST(Linear, GivesInnerProductAndNormInOnePass) {
  const std::array<std::uint32_t, 2> columns{0, 2};
  const std::array<float, 2> values{3, 4};
  const std::array<double, 3> weights{1, 100, 0.5};

  const DotAndNorm both = dot_and_norm({columns, values}, weights);

  EXPECT_EQ(both.dot, 5);
  EXPECT_EQ(both.norm, 5);
  EXPECT_EQ(dot({columns, values}, weights), 5);
}

TEST(Linear, SigmoidAndLossNeverOverflow) {
  EXPECT_EQ(sigmoid(0), 0.5);
  EXPECT_EQ(sigmoid(-2000), 0);
  EXPECT_EQ(sigmoid(2000), 1);
  EXPECT_NEAR(sigmoid(1) + sigmoid(-1), 1, 1e-16);
  EXPECT_NEAR(logistic_loss(0, 1), std::log(2), 1e-16);
  EXPECT_EQ(logistic_loss(2000, 0), 2000);
  EXPECT_EQ(logistic_loss(2000, 1), 0);
}

TEST(Linear, CholeskySolvesASystemByHand) {
  // [4 2; 2 3] (1, 2) = (8, 8); the upper triangle is never read.
  std::array<double, 4> matrix{4, std::nan(""), 2, 3};
  std::array<double, 2> right{8, 8};

  ASSERT_TRUE(solve_cholesky(matrix, right));

  EXPECT_NEAR(right[0], 1, 1e-15);
  EXPECT_NEAR(right[1], 2, 1e-15);
}

TEST(Linear, CholeskySolvesRandomSystemsOfEveryOrderUpToForty) {
  SeededGenerator generator{5};
  for (std::size_t n = 1; n <= 40; ++n) {
    std::vector<double> root(n * n), matrix(n * n, 0.0), solution(n), right(n, 0.0);
    for (double& entry : root) {
      entry = generator.normal();
    }
    for (double& entry : solution) {
      entry = generator.normal();
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k) {
          matrix[i * n + j] += root[i * n + k] * root[j * n + k];
        }
        matrix[i * n + j] += i == j ? 1 : 0;
        right[i] += matrix[i * n + j] * solution[j];
      }
    }

    ASSERT_TRUE(solve_cholesky(matrix, right));

    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(right[i], solution[i], 1e-9);
    }
  }
}

TEST(Linear, CholeskyRefusesAMatrixThatIsNotPositiveDefinite) {
  std::array<double, 4> indefinite{1, 2, 2, 1};
  std::array<double, 2> right{1, 1};
  std::array<double, 1> not_a_number{std::nan("")};
  std::array<double, 1> one{1};

  EXPECT_FALSE(solve_cholesky(indefinite, right));
  EXPECT_FALSE(solve_cholesky(not_a_number, one));
}

}  // namespace
}  // namespace hanse
