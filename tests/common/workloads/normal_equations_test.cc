#include "common/numerics/normal_equations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "common/base/seeded_generator.h"
#include "common/numerics/positive_part.h"
#include "tests/reference/linear_reference.h"

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
  reference::Table matrix(order, std::vector<long double>(order));
  reference::Table wanted(order, std::vector<long double>(1));
  for (std::size_t a = 0; a < order; ++a) {
    for (std::size_t b = 0; b < order; ++b) {
      matrix[a][b] = static_cast<long double>(lower[std::max(a, b) * order + std::min(a, b)]);
    }
    wanted[a][0] = static_cast<long double>(right[a]);
  }
  const reference::Table solution = reference::solve(matrix, wanted);
  ASSERT_TRUE(equations.solve());
  for (std::size_t a = 0; a < order; ++a) {
    EXPECT_NEAR(static_cast<double>(equations.solution()[a]), static_cast<double>(solution[a][0]),
                100 * tolerance);
  }
}

/// Equations of this matrix, row-major, and right-hand side.
NormalEquations<double> equations_of(std::span<const double> matrix, std::span<const double> right) {
  NormalEquations<double> equations(right.size());
  for (std::size_t a = 0; a < right.size(); ++a) {
    for (std::size_t b = a; b < right.size(); ++b) {
      equations.at(a, b) = matrix[a * right.size() + b];
    }
    equations.right(a) = right[a];
  }
  return equations;
}

TEST(NormalEquations, SolveASystemByHand) {
  // [4 2; 2 3] (1, 2) = (8, 8); the lower triangle is never read.
  NormalEquations<double> equations =
      equations_of(std::array<double, 4>{4, 2, std::nan(""), 3}, std::array<double, 2>{8, 8});

  ASSERT_TRUE(equations.solve());

  EXPECT_NEAR(equations.solution()[0], 1, 1e-15);
  EXPECT_NEAR(equations.solution()[1], 2, 1e-15);
}

TEST(NormalEquations, SolveRandomSystemsOfEveryOrderUpToForty) {
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
    NormalEquations<double> equations = equations_of(matrix, right);

    ASSERT_TRUE(equations.solve());

    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(equations.solution()[i], solution[i], 1e-9);
    }
  }
}

TEST(NormalEquations, ThatAreNotPositiveDefiniteAreRefused) {
  const std::array<double, 2> right{1, 1};

  EXPECT_FALSE(equations_of(std::array<double, 4>{1, 2, 2, 1}, right).solve());
  EXPECT_FALSE(equations_of(std::array<double, 1>{std::nan("")}, std::array<double, 1>{1}).solve());
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
