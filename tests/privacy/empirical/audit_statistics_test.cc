// The bounds and estimates against numbers computed elsewhere (SciPy, dp_accounting, jax_privacy). With
// HANSE_ORACLES or HANSE_DATA set, a longer table of them is read too.

#include <algorithm>
#include <cmath>
#include <ostream>

#include "common/numerics/normal.h"
#include "privacy/empirical/binomial.h"
#include "privacy/empirical/canary_bounds.h"
#include "privacy/empirical/gaussian_privacy.h"
#include "tests/privacy/empirical/made_up_scores.h"
#include "tests/support/oracle_table.h"

namespace hanse {
namespace {

// --- special functions ---

TEST(Normal, MeetsTabulatedValues) {
  EXPECT_NEAR(normal_cdf(1), 0.841344746068543, 1e-15);
  EXPECT_NEAR(normal_cdf(-10) / 7.619853024160527e-24, 1, 1e-12);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-300), -37.0471, 1e-4);
  EXPECT_EQ(normal_quantile(0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(normal_quantile(1), std::numeric_limits<double>::infinity());
}

TEST(Normal, MillsRatioIsSmoothWhereItsFormulaChanges) {
  EXPECT_NEAR(mills_ratio(std::nextafter(10, 0)) / mills_ratio(10), 1, 1e-12);
  EXPECT_NEAR(mills_ratio(1e6) * 1e6, 1, 1e-11);
}

TEST(Binomial, ClopperPearsonBoundsSolveTheirDefinition) {
  for (const auto& [k, n] : {std::pair{3, 10}, {95, 100}, {5000, 10000}}) {
    const auto successes = static_cast<std::uint64_t>(k);
    const auto trials = static_cast<std::uint64_t>(n);
    const double low = clopper_pearson_lower(successes, trials, 0.01);
    const double high = clopper_pearson_upper(successes, trials, 0.01);

    EXPECT_NEAR(binomial_tail(trials, low, successes), 0.01, 1e-10);
    EXPECT_NEAR(1 - binomial_tail(trials, high, successes + 1), 0.01, 1e-10);
  }
}

TEST(Binomial, HasBoundsAtTheEndsAndWithoutTrials) {
  EXPECT_EQ(clopper_pearson_lower(0, 7, 0.05), 0);
  EXPECT_EQ(clopper_pearson_upper(7, 7, 0.05), 1);
  EXPECT_EQ(clopper_pearson_lower(0, 0, 0.05), 0);
  EXPECT_EQ(clopper_pearson_upper(0, 0, 0.05), 1);
  // No success in n trials: 1 - significance^(1/n).
  EXPECT_NEAR(clopper_pearson_upper(0, 7, 0.05), 1 - std::pow(0.05, 1.0 / 7), 1e-12);
}

// --- the Gaussian curve ---

struct Curve {
  double mu;
  double delta;
  double epsilon;
};
void PrintTo(const Curve& curve, std::ostream* out) {
  *out << "mu " << curve.mu << " delta " << curve.delta;
}
class GaussianPrivacy : public testing::TestWithParam<Curve> {};

TEST_P(GaussianPrivacy, IsTheExactOne) {
  EXPECT_NEAR(gdp_epsilon(GetParam().mu, GetParam().delta), GetParam().epsilon, 1e-9 * GetParam().epsilon);
}
INSTANTIATE_TEST_SUITE_P(KnownAnswers, GaussianPrivacy,
                         testing::Values(Curve{0.5, 1e-6, 2.25408465022}, Curve{1, 1e-6, 4.88655411746},
                                         Curve{1.25, 1e-6, 6.3120601858}, Curve{2, 1e-6, 10.9971512142},
                                         Curve{4, 1e-6, 26.3569639253}, Curve{10, 1e-5, 91.8172896366}));

TEST(GaussianPrivacy, HasItsEnds) {
  EXPECT_EQ(gdp_epsilon(0, 1e-6), 0);
  EXPECT_EQ(gdp_epsilon(1e-9, 1e-6), 0);  // Two laws closer than delta.
  EXPECT_TRUE(std::isinf(gdp_epsilon(std::numeric_limits<double>::infinity(), 1e-6)));
  EXPECT_NEAR(gdp_epsilon(100, 1e-6) / 5472, 1, 0.01);  // About mu^2 / 2 + 4.75 mu: no overflow.
}

TEST(TwoGaussians, AreTheGaussianPrivacyAtEqualDeviations) {
  EXPECT_NEAR(two_gaussians_epsilon(1, 1, 1e-6), gdp_epsilon(1, 1e-6), 1e-9);
  EXPECT_NEAR(two_gaussians_epsilon(-1, 1 + 1e-9, 1e-6), gdp_epsilon(1, 1e-6), 1e-6);
}

TEST(TwoGaussians, AreToldApartByTheirDeviationsAlone) {
  EXPECT_GT(two_gaussians_epsilon(0, 0.5, 1e-6), 1);
  EXPECT_NEAR(two_gaussians_epsilon(0, 0.5, 1e-6), two_gaussians_epsilon(0, 2, 1e-6), 1e-9);
}

// --- bounds, typed in ---

TEST(OneRun, MeetsThePublishedFigures) {
  EXPECT_NEAR(one_run_epsilon({1000, 100, 100}, 1e-5, 0.05), 3.46537622939, 2e-6);
  EXPECT_NEAR(one_run_epsilon({1000, 100, 95}, 1e-5, 0.05), 2.16517578788, 2e-6);
  EXPECT_NEAR(one_run_epsilon({10000, 1000, 1000}, 1e-5, 0.05), 5.52935, 1e-5);
  EXPECT_NEAR(one_run_p_value({1000, 100, 95}, 1, 1e-5), 0.000663914468353, 1e-12);
}

TEST(OneRun, SaysNothingOfAGuesserWhoGuesses) {
  EXPECT_EQ(one_run_epsilon({1000, 100, 55}, 1e-5, 0.05), 0);
  EXPECT_EQ(one_run_gdp({1000, 100, 55}, 0.05), 0);
  EXPECT_EQ(one_run_epsilon({1000, 0, 0}, 1e-5, 0.05), 0);
  EXPECT_EQ(one_run_gdp({1000, 0, 0}, 0.05), 0);
}

TEST(OneRun, TheTradeOffCurveSaysMore) {
  const auto epsilon = [](const Guesses& guesses) { return gdp_epsilon(one_run_gdp(guesses, 0.05), 1e-5); };

  EXPECT_NEAR(epsilon({1000, 100, 100}), 5.54902799994, 2e-6);
  EXPECT_NEAR(epsilon({1000, 100, 95}), 3.32330049003, 2e-6);
  EXPECT_NEAR(epsilon({10000, 1000, 1000}), 8.98774, 1e-5);
}

TEST(OneRun, ABoundBelowTheBestKnownOneIsNone) {
  const Guesses guesses{1000, 100, 95};
  const double mu = one_run_gdp(guesses, 0.05);

  EXPECT_NEAR(one_run_gdp(guesses, 0.05, mu / 2), mu, 1e-9);
  EXPECT_EQ(one_run_gdp(guesses, 0.05, mu * 1.01), 0);
}

TEST(ClopperPearsonEpsilon, MeetsThePublishedFigures) {
  EXPECT_NEAR(clopper_pearson_epsilon({1000, 1000, 500, 5}, 1e-5, 0.05), 3.69607726995, 1e-9);
  EXPECT_NEAR(clopper_pearson_epsilon({100, 100, 0, 0}, 1e-5, 0.05), 3.28133597327, 1e-9);
}

TEST(ClopperPearsonEpsilon, SaysNothingWithoutCanaries) {
  EXPECT_EQ(clopper_pearson_epsilon({0, 0, 0, 0}, 1e-5, 0.05), 0);
  EXPECT_EQ(gdp_mu(Errors{0, 0, 0, 0}, 0.05), 0);
  EXPECT_EQ(gdp_mu(Errors{10, 10, 0, 10}, 0.05), 0);
  EXPECT_EQ(gdp_mu_of_guesses({0, 0, 0}, 0.05), 0);
}

TEST(ErrorsAt, CountsAScoreOnTheThresholdAsIn) {
  const Errors errors = errors_at({.included = {1, 2, 3}, .left_out = {0, 2}}, 2);

  EXPECT_EQ(errors.included, 3u);
  EXPECT_EQ(errors.left_out, 2u);
  EXPECT_EQ(errors.false_negatives, 1u);
  EXPECT_EQ(errors.false_positives, 1u);
}

TEST(Guesser, TakesTheFarthestAndAmongEqualsTheWrongOnesFirst) {
  const CanaryScores scores{.included = {5, 1, 0}, .left_out = {-4, 1, 2}};

  const Guesses one = guess_farthest(scores, 1, 1);
  const Guesses three = guess_farthest(scores, 1, 3);
  const Guesses all = guess_farthest(scores, 1, 6);

  EXPECT_EQ(one.right, 1u);    // -4, out.
  EXPECT_EQ(three.right, 2u);  // 5, in; then of 0 and 2, at a distance of 1 each, both wrong, one.
  EXPECT_EQ(all.right, 3u);    // And of the two at 1, which count as in, one.
}

TEST(OneShot, FitsAGaussianToTheCosines) {
  // Mean 0.03; deviation 1.1 / sqrt(d) exactly: two values at a distance of 1.1 / sqrt(d) * sqrt(2).
  const double half = 0.011 / std::sqrt(2);
  const std::vector<double> cosines = {0.03 - half, 0.03 + half};

  const OneShotEstimate estimate = one_shot_estimate(cosines, 10000, 1e-6);

  EXPECT_NEAR(estimate.mean, 0.03, 1e-15);
  EXPECT_NEAR(estimate.standard_deviation, 0.011, 1e-15);
  EXPECT_NEAR(estimate.epsilon, 21.7937261454, 1e-6);
}

// --- all thresholds, as the published figures take them ---

/// The thresholds at the corners of the concave hull of (false negatives, true negatives), both ends
/// included: those that no mixture of others beats. They are chosen by looking, which an audit must not do;
/// the published figures do.
std::vector<double> hull_thresholds(const CanaryScores& scores) {
  struct Corner {
    double threshold, x, y;
  };
  std::vector<double> included = scores.included;
  std::vector<double> left_out = scores.left_out;
  std::ranges::sort(included);
  std::ranges::sort(left_out);
  std::vector<double> thresholds = included;
  thresholds.insert(thresholds.end(), left_out.begin(), left_out.end());
  thresholds.push_back(std::numeric_limits<double>::infinity());
  std::ranges::sort(thresholds);
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  const auto below = [](const std::vector<double>& sorted, double threshold) {
    return static_cast<double>(std::ranges::lower_bound(sorted, threshold) - sorted.begin());
  };
  std::vector<Corner> hull;
  for (const double threshold : thresholds) {
    const Corner next{threshold, below(included, threshold), below(left_out, threshold)};
    while (hull.size() >= 2) {
      const Corner& a = hull[hull.size() - 2];
      const Corner& b = hull.back();
      if ((b.y - a.y) * (next.x - b.x) > (next.y - b.y) * (b.x - a.x)) {
        break;
      }
      hull.pop_back();
    }
    hull.push_back(next);
  }
  std::vector<double> corners;
  for (const Corner& corner : hull) {
    corners.push_back(corner.threshold);
  }
  return corners;
}

/// One-run bounds that guess "in" for every score from a threshold on, and nothing else: the best of all
/// thresholds. Those with the largest share of right guesses come first, which saves most of the searches.
template <class Bound>
double one_sided(const CanaryScores& scores, double significance, const Bound& bound) {
  std::vector<Guesses> candidates;
  for (const double threshold : hull_thresholds(scores)) {
    const Errors errors = errors_at(scores, threshold);
    const std::uint64_t right = errors.included - errors.false_negatives;
    candidates.push_back({scores.size(), right + errors.false_positives, right});
  }
  const double part = significance / static_cast<double>(candidates.size());
  std::ranges::sort(candidates, std::ranges::greater{},
                    [&](const Guesses& g) { return clopper_pearson_lower(g.right, g.guesses, part); });
  double best = 0;
  for (const Guesses& guesses : candidates) {
    best = std::max(best, bound(guesses, part, best));
  }
  return best;
}

double one_sided_epsilon(const CanaryScores& scores, double delta, double significance) {
  return one_sided(scores, significance, [&](const Guesses& guesses, double part, double best) {
    return one_run_p_value(guesses, best, delta) < part ? one_run_epsilon(guesses, delta, part) : 0;
  });
}
double one_sided_gdp(const CanaryScores& scores, double significance) {
  return one_sided(scores, significance, [](const Guesses& guesses, double part, double best) {
    return one_run_gdp(guesses, part, best);
  });
}

TEST(IdealScores, GiveThePublishedFiguresOfEveryMethod) {
  const CanaryScores scores = ideal_scores(1, 20000);
  const std::vector<double> thresholds = hull_thresholds(scores);

  EXPECT_NEAR(gdp_epsilon(gdp_mu(scores, thresholds, 0.05), 1e-6), 4.33471195715, 1e-5);
  EXPECT_NEAR(clopper_pearson_epsilon(scores, thresholds, 1e-6, 0.05), 1.78716960669, 1e-6);
  EXPECT_NEAR(one_sided_epsilon(scores, 1e-6, 0.05), 1.13345951777, 1e-5);
  EXPECT_NEAR(gdp_epsilon(one_sided_gdp(scores, 0.05), 1e-6), 2.16474924698, 1e-5);
}

// --- the table ---

double number(const OracleRow& row, const std::string& column) {
  return row.number(column).value_or(std::nan(""));
}
std::uint64_t count(const OracleRow& row, const std::string& column) {
  return static_cast<std::uint64_t>(number(row, column));
}

/// The figure of the row's method, and the one in the file.
void check_row(const OracleRow& row) {
  const std::string& method = row.text("method");
  const double delta = number(row, "delta");
  const double significance = number(row, "significance");
  const double expected = number(row, "eps_lower");
  const double tolerance = 1e-5 * std::max(1.0, expected);
  if (method == "one_run") {
    const Guesses guesses{count(row, "m"), count(row, "r"), count(row, "v")};
    EXPECT_NEAR(one_run_epsilon(guesses, delta, significance), expected, tolerance);
    EXPECT_NEAR(gdp_epsilon(one_run_gdp(guesses, significance), delta), number(row, "eps_lower_fdp"), 1e-5);
    EXPECT_NEAR(one_run_p_value(guesses, 1, delta), number(row, "p_value_at_eps1"), 1e-9);
  } else if (method == "clopper_pearson") {
    const std::uint64_t in = count(row, "r");
    const Errors errors{in, count(row, "m") - in, in - count(row, "v"), count(row, "fp")};
    EXPECT_NEAR(clopper_pearson_epsilon(errors, delta, significance), expected, 1e-9);
  } else if (method == "one_shot_two_gaussians") {
    const double root = std::sqrt(number(row, "d"));
    EXPECT_NEAR(two_gaussians_epsilon(number(row, "mu") * root, number(row, "sd_times_sqrt_d"), delta),
                expected, 1e-6 * expected);
  } else {
    const double mu = number(row, "shift");
    const CanaryScores scores = ideal_scores(mu, count(row, "m"));
    double figure = std::nan("");
    if (method == "one_run_gaussian_scores") {
      figure = one_sided_epsilon(scores, delta, significance);
    } else if (method == "one_run_fdp_gaussian_scores") {
      figure = gdp_epsilon(one_sided_gdp(scores, significance), delta);
    } else if (method == "gdp_clopper_pearson_gaussian_scores") {
      figure = gdp_epsilon(gdp_mu(scores, hull_thresholds(scores), significance), delta);
    } else if (method == "clopper_pearson_bonferroni_gaussian_scores") {
      figure = clopper_pearson_epsilon(scores, hull_thresholds(scores), delta, significance);
    }
    EXPECT_NEAR(figure, expected, tolerance);
    EXPECT_NEAR(gdp_epsilon(mu, delta), number(row, "eps_true"), 1e-8);
  }
}

TEST(AuditOracles, EveryRowOfTheTableIsMet) {
  const std::vector<OracleRow> rows = oracle_rows("dp-oracles-audit.csv");
  if (rows.empty()) {
    GTEST_SKIP() << "no dp-oracles-audit.csv: set HANSE_ORACLES to its folder";
  }
  for (const OracleRow& row : rows) {
    SCOPED_TRACE(row.text("method") + ", m " + row.text("m") + ", shift " + row.text("shift"));
    check_row(row);
  }
}

}  // namespace
}  // namespace hanse
