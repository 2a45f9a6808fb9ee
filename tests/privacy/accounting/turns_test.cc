// What units cost that take turns: exact integers, against brute force and against the accountant's own Toeplitz matrices.

#include "privacy/accounting/turns.h"

#include <algorithm>
#include <functional>

#include "privacy/accounting/rdp.h"
#include "privacy/accounting/sensitivity.h"

namespace hanse {
namespace {

using Coefficients = std::vector<std::uint32_t>;

TEST(TurnCoefficients, AreTheRoundedSquareRootOfThePrefixSums) {
  EXPECT_EQ(turn_coefficients(8, true), (Coefficients{256, 128, 96, 80, 70, 63, 58, 54}));
  EXPECT_EQ(turn_coefficients(3, false), (Coefficients{1, 0, 0}));
  EXPECT_TRUE(turn_coefficients(1, false).empty());
}

TEST(TurnCoefficients, NeverGrowForAnyNumberOfTurns) {
  for (std::uint32_t turns = 2; turns <= kTurnsMax; ++turns) {
    EXPECT_TRUE(are_coefficients(turn_coefficients(turns, true))) << turns;
    EXPECT_TRUE(are_coefficients(turn_coefficients(turns, false))) << turns;
  }
}

Coefficients falling(std::size_t size) {
  Coefficients c(size, 1);
  c[0] = 2;
  return c;
}

TEST(TurnCoefficients, AreNoneWhenTheyGrowOrAreZeroOrTooManyOrTooLarge) {
  EXPECT_FALSE(are_coefficients({}));
  EXPECT_FALSE(are_coefficients(Coefficients{1}));
  EXPECT_FALSE(are_coefficients(Coefficients{0, 0}));
  EXPECT_FALSE(are_coefficients(Coefficients{4, 2, 3}));
  EXPECT_FALSE(are_coefficients(Coefficients{3, 3, 3})) << "a zero on the unit circle";
  EXPECT_FALSE(are_coefficients(Coefficients{3, 3, 1}));
  EXPECT_FALSE(are_coefficients(Coefficients{65537, 1}));
  EXPECT_FALSE(are_coefficients(falling(kTurnsMax + 1)));
  EXPECT_TRUE(are_coefficients(falling(kTurnsMax)));
}

/// Of a unit whose turn is `phase`: each participation changes the rows from its own to that before the next one.
std::uint64_t spent_by(std::uint64_t phase, const Coefficients& c, std::uint64_t rows) {
  std::uint64_t sum = 0;
  for (std::uint64_t row = phase; row < rows; ++row) {
    const std::uint64_t coefficient = c[(row - phase) % c.size()];
    sum += coefficient * coefficient;
  }
  return sum;
}

TEST(TurnsSensitivity, IsThatOfTheUnitThatSpentMostWhicheverItsTurn) {
  for (const Coefficients& c :
       {turn_coefficients(2, true), turn_coefficients(5, true), turn_coefficients(7, false),
        Coefficients{3, 3, 3, 1}, Coefficients{1, 2, 4}, Coefficients{0, 5, 0, 1}}) {
    for (std::uint64_t rows = 0; rows <= 4 * c.size(); ++rows) {
      std::uint64_t most = 0;
      for (std::uint64_t phase = 0; phase < c.size(); ++phase) {
        most = std::max(most, spent_by(phase, c, rows));
      }
      EXPECT_EQ(turns_sensitivity_squared(c, rows), most) << c.size() << " turns, " << rows << " rows";
    }
  }
}

TEST(TurnsSensitivity, IsThatOfTheToeplitzMatrixWithParticipationsApart) {
  const Coefficients c = turn_coefficients(6, true);
  const std::vector<double> column(c.begin(), c.end());

  for (std::uint64_t rows = 1; rows <= 40; ++rows) {
    EXPECT_EQ(static_cast<double>(turns_sensitivity_squared(c, rows)),
              toeplitz_sensitivity_squared(column, {.most = 100, .separation = 5, .steps = rows}));
  }
}

/// By brute force over all sets of rows that may have taken place for somebody, and all turns.
TEST(TurnsSpent, IsThatOfTheTurnThatSpentMostInWhicheverRowsTookPlace) {
  const Coefficients c = {4, 2, 1};

  for (std::uint32_t set = 0; set < 512; ++set) {
    TurnsSpent rows;
    std::uint64_t most = 0;
    for (std::uint64_t row = 0; row < 9; ++row) {
      if ((set >> row & 1) != 0) {
        rows.add(c, row);
      }
    }
    for (std::uint64_t turn = 0; turn < 3; ++turn) {
      std::uint64_t sum = 0;
      for (std::uint64_t row = turn; row < 9; ++row) {
        sum += (set >> row & 1) != 0 ? c[(row - turn) % 3] * c[(row - turn) % 3] : 0u;
      }
      most = std::max(most, sum);
    }
    EXPECT_EQ(rows.most_squared(), most) << set;
  }
}

/// 97536 = 256^2 + 128^2 + 96^2 + 80^2.
TEST(TurnsSensitivity, CountsWholeTurnsAndTheBeginningOfTheLast) {
  const Coefficients c = turn_coefficients(4, true);

  EXPECT_EQ(turns_sensitivity_squared(c, 12), 3u * 97536);
  EXPECT_EQ(turns_sensitivity_squared(c, 13), 3u * 97536 + 65536);
  EXPECT_EQ(turns_sensitivity_squared(turn_coefficients(4, false), 13), 4u);
  EXPECT_DOUBLE_EQ(norm_of(c) * norm_of(c), 97536);
  EXPECT_EQ(gain_of(c), 560u);
  EXPECT_EQ(gain_of({}), 1u);
  EXPECT_EQ(norm_of({}), 1);
}

/// A figure that anyone can recompute: 12 rows, 4 turns, Z of deviation 3 ||c|| clip norms: three turns of multiplier 3.
TEST(TurnsSensitivity, GivesTheEpsilonOfThreeIndependentSums) {
  const Coefficients c = turn_coefficients(4, true);
  std::vector<DpEvent> rows;
  for (std::size_t row = 0; row < 12; ++row) {
    rows.push_back({.noise_multiplier = 3 * norm_of(c) / c[row % 4]});
  }

  const DpEvent turns{.noise_multiplier = 3, .count = 3};

  EXPECT_NEAR(epsilon(rows, 1e-6).epsilon, epsilon({&turns, 1}, 1e-6).epsilon, 1e-9);
}

}  // namespace
}  // namespace hanse
