#include "common/numerics/normal_equations.h"

#include <cmath>

#include "common/base/seeded_generator.h"
#include "common/numerics/linear.h"
#include "common/numerics/positive_part.h"

namespace hanse {
namespace {

template <class Real>
struct Problem {
  std::size_t order;
  std::vector<Real> table;
  std::vector<std::uint32_t> rows;
  std::vector<Real> weights;
  std::vector<Real> targets;
};

template <class Real>
Problem<Real> random_problem(std::size_t order, std::size_t count) {
  SeededGenerator generator{order, count};
  Problem<Real> problem{.order = order, .table = {}, .rows = {}, .weights = {}, .targets = {}};
  const std::size_t stride = stride_of<Real>(order);
  problem.table.resize(7 * stride);
  for (std::size_t i = 0; i < 7; ++i) {
    for (std::size_t a = 0; a < order; ++a) {
      problem.table[i * stride + a] = static_cast<Real>(generator.normal());
    }
  }
  for (std::size_t j = 0; j < count; ++j) {
    problem.rows.push_back(static_cast<std::uint32_t>(generator.below(7)));
    problem.weights.push_back(static_cast<Real>(generator.uniform()));
    problem.targets.push_back(static_cast<Real>(generator.normal()));
  }
  return problem;
}

template <class Real>
void expect_sums_and_solution(std::size_t order, std::size_t count, double tolerance) {
  const Problem<Real> problem = random_problem<Real>(order, count);
  const std::size_t stride = stride_of<Real>(order);
  std::vector<double> lower(order * order, 0.0);
  std::vector<double> right(order, 0.0);
  for (std::size_t j = 0; j < count; ++j) {
    const Real* const v = problem.table.data() + problem.rows[j] * stride;
    for (std::size_t a = 0; a < order; ++a) {
      right[a] += static_cast<double>(problem.targets[j]) * static_cast<double>(v[a]);
      for (std::size_t b = 0; b <= a; ++b) {
        lower[a * order + b] +=
            static_cast<double>(problem.weights[j]) * static_cast<double>(v[a]) * static_cast<double>(v[b]);
      }
    }
  }

  NormalEquations<Real> equations(order);
  equations.add(problem.table.data(), problem.rows, problem.weights, problem.targets);

  for (std::size_t a = 0; a < order; ++a) {
    EXPECT_NEAR(static_cast<double>(equations.right(a)), right[a],
                tolerance * (1 + static_cast<double>(count)));
    for (std::size_t b = a; b < order; ++b) {
      EXPECT_NEAR(static_cast<double>(equations.at(a, b)), lower[b * order + a],
                  tolerance * (1 + static_cast<double>(count)));
    }
    equations.at(a, a) += 1;
    lower[a * order + a] += 1;
  }
  ASSERT_TRUE(solve_cholesky(lower, right));
  ASSERT_TRUE(equations.solve());
  for (std::size_t a = 0; a < order; ++a) {
    EXPECT_NEAR(static_cast<double>(equations.solution()[a]), right[a], 100 * tolerance);
  }
}

TEST(NormalEquations, AreWeightedSumsOfProductsAndAreSolved) {
  for (const std::size_t order : {1u, 2u, 4u, 7u, 8u, 9u, 16u, 17u, 33u, 64u, 65u}) {
    for (const std::size_t count : {0u, 1u, 5u, 32u, 33u, 100u}) {
      SCOPED_TRACE(testing::Message() << "order " << order << ", " << count << " vectors");
      expect_sums_and_solution<double>(order, count, 1e-12);
      expect_sums_and_solution<float>(order, count, 1e-5);
    }
  }
}

TEST(NormalEquations, RefuseToBeSolvedWithoutAPositivePivot) {
  NormalEquations<double> equations(2);
  equations.at(0, 0) = 1;
  equations.at(0, 1) = 2;
  equations.at(1, 1) = 4;

  EXPECT_FALSE(equations.solve());
}

TEST(NormalEquations, AreForgottenAndCopied) {
  const Problem<double> problem = random_problem<double>(5, 9);
  NormalEquations<double> first(5);
  NormalEquations<double> second(5);
  first.add(problem.table.data(), problem.rows, problem.weights, problem.targets);

  second.assign(first);
  first.clear();

  EXPECT_EQ(first.at(1, 2), 0);
  EXPECT_EQ(first.right(3), 0);
  EXPECT_NE(second.at(1, 2), 0);
}

TEST(NormalEquations, InnerProductsAddUpAllEntries) {
  const std::size_t stride = stride_of<float>(20);
  std::vector<float> a(stride), b(stride);
  for (std::size_t i = 0; i < 20; ++i) {
    a[i] = static_cast<float>(i);
    b[i] = i % 2 == 0 ? 1 : -1;
  }

  EXPECT_EQ(inner_product(a.data(), b.data(), stride), -10);
}

// [[1, 2], [2, 1]] has the eigenvalues 3 and -1, with (1, 1) and (1, -1).
TEST(NormalEquations, ProjectionTakesNegativeEigenvaluesAway) {
  NormalEquations<double> equations(2);
  equations.at(0, 0) = equations.at(1, 1) = 1;
  equations.at(0, 1) = 2;
  equations.right(0) = 5;

  project_to_positive(equations);

  EXPECT_NEAR(equations.at(0, 0), 1.5, 1e-12);
  EXPECT_NEAR(equations.at(0, 1), 1.5, 1e-12);
  EXPECT_NEAR(equations.at(1, 1), 1.5, 1e-12);
  EXPECT_EQ(equations.right(0), 5);
}

TEST(NormalEquations, ProjectionLeavesAPositiveMatrixAsItIs) {
  NormalEquations<double> equations(2);
  equations.at(0, 0) = 2;
  equations.at(0, 1) = 0.3;
  equations.at(1, 1) = 1;

  project_to_positive(equations);

  EXPECT_EQ(equations.at(0, 0), 2);
  EXPECT_EQ(equations.at(0, 1), 0.3);
  EXPECT_EQ(equations.at(1, 1), 1);
}

}  // namespace
}  // namespace hanse
