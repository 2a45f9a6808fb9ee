// A table of reference values outside of the repository (tests/support/oracle_table.h): each row that one of the
// accountants covers is checked. Without the table there is nothing to do; the other tests have a selection of it typed in.

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "privacy/accounting/calibrate.h"
#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"
#include "privacy/accounting/sensitivity.h"
#include "tests/support/oracle_table.h"

namespace hanse {
namespace {

/// What the row releases, if it is of a mechanism that the accountants know.
std::optional<DpEvent> event_of_row(const OracleRow& row) {
  const std::string& mechanism = row.text("mechanism");
  const auto z = row.number("noise_multiplier");
  if (!z || !row.number("delta")) {
    return std::nullopt;
  }
  DpEvent event{.noise = NoiseLaw::gaussian,
                .noise_multiplier = *z,
                .sampling_rate = row.number("sampling_rate").value_or(1),
                .count = static_cast<std::uint64_t>(row.number("steps").value_or(1))};
  event.adjacency = row.text("adjacency") == "replace_one" ? Adjacency::replace_one : Adjacency::zero_out;
  if (mechanism == "gaussian" || mechanism == "poisson_gaussian") {
    return event;
  }
  if (mechanism == "discrete_gaussian_1d") {
    event.noise = NoiseLaw::discrete_gaussian_1d;
    event.sensitivity_steps = row.parameter("sensitivity").value_or(1);
    return event;
  }
  if (mechanism == "mixture_gaussian_independent_coins") {
    event.coins = static_cast<std::uint32_t>(row.parameter("K").value_or(1));
    return event;
  }
  if (mechanism == "tree_aggregation_restart" && row.parameter("depth")) {
    return correlated_event(*z, *row.parameter("epochs") * *row.parameter("depth"));
  }
  if (mechanism == "tree_aggregation_no_restart") {
    const auto whole = [&](const char* key) { return static_cast<std::uint64_t>(*row.parameter(key)); };
    return correlated_event(*z, static_cast<double>(tree_sensitivity_squared(
                                    {whole("max_participation"), whole("min_separation"), event.count})));
  }
  return std::nullopt;
}

class OracleTable : public testing::Test {
 protected:
  void SetUp() override {
    rows_ = oracle_rows("dp-oracles.csv");
    if (rows_.empty()) {
      GTEST_SKIP() << "no dp-oracles.csv: set HANSE_ORACLES to its folder";
    }
  }

  std::vector<OracleRow> rows_;
};

TEST_F(OracleTable, RdpIsExactToAMillionth) {
  int checked = 0;
  for (const OracleRow& row : rows_) {
    const auto event = event_of_row(row);
    const auto exact = row.number("eps_rdp_exact");
    if (!event || !exact || row.text("mechanism").find("aussian") == std::string::npos ||
        event->noise != NoiseLaw::gaussian || event->adjacency != Adjacency::zero_out) {
      continue;
    }
    const std::vector<DpEvent> events = {*event};
    EXPECT_NEAR(epsilon(events, *row.number("delta")).epsilon, *exact, 1e-6) << row.text("id");
    ++checked;
    if (const auto dense = row.number("eps_rdp_dense")) {
      EXPECT_LE(epsilon_over_real_orders(events, *row.number("delta")).epsilon, *dense + 1e-9)
          << row.text("id");
    }
  }
  EXPECT_GT(checked, 0);
}

TEST_F(OracleTable, BracketsHoldTheOtherAccountantsValues) {
  int checked = 0;
  for (const OracleRow& row : rows_) {
    const auto event = event_of_row(row);
    const auto exact = row.number("eps_analytic");
    const auto pessimistic = row.number("eps_pld");
    if (!event || (!exact && !pessimistic)) {
      continue;
    }
    PldAccountant accountant;
    accountant.compose(*event);
    const EpsilonBracket bracket = accountant.epsilon(*row.number("delta"));
    const std::string id = row.text("id");
    ++checked;
    if (exact) {
      EXPECT_GE(bracket.upper, *exact * (1 - 1e-11)) << id;
      EXPECT_NEAR(bracket.upper, *exact, 1e-4) << id;
      EXPECT_LE(bracket.lower, *exact * (1 + 1e-11)) << id;
    }
    if (pessimistic) {
      EXPECT_LE(bracket.lower, *pessimistic * (1 + 1e-9)) << id;
      EXPECT_LE(bracket.upper, *pessimistic + 1e-3) << id;
    }
    for (const char* column : {"eps_prv_tight_lower", "eps_prv_lower"}) {
      EXPECT_GE(bracket.upper, row.number(column).value_or(0)) << id;
    }
    for (const char* column : {"eps_prv_tight_upper", "eps_prv_upper"}) {
      EXPECT_LE(bracket.upper, row.number(column).value_or(1e300) + 1e-3) << id;
    }
    // Sampled coarse integers have isolated losses, for which the lower end is the looser one.
    EXPECT_LE(bracket.upper - bracket.lower, event->noise == NoiseLaw::discrete_gaussian_1d ? 5e-3 : 1e-3)
        << id;
  }
  EXPECT_GT(checked, 0);
}

TEST_F(OracleTable, TreesHaveThePublishedSensitivities) {
  int checked = 0;
  for (const OracleRow& row : rows_) {
    if (row.text("mechanism") != "tree_aggregation_no_restart") {
      continue;
    }
    std::optional<double> expected = row.parameter("sens2");
    if (row.text("params").find("squared sensitivity") != std::string::npos) {
      expected = row.number("eps_published");
    }
    if (!expected || !row.parameter("max_participation")) {
      continue;
    }
    const Participation participation{static_cast<std::uint64_t>(*row.parameter("max_participation")),
                                      static_cast<std::uint64_t>(*row.parameter("min_separation")),
                                      static_cast<std::uint64_t>(*row.number("steps"))};
    EXPECT_EQ(static_cast<double>(tree_sensitivity_squared(participation)), *expected) << row.text("id");
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

// rho-zCDP is a Gaussian's, of z = 1 / sqrt(2 rho).
TEST_F(OracleTable, ConcentratedPrivacyConvertsAsTightly) {
  for (const OracleRow& row : rows_) {
    const auto rho = row.parameter("rho");
    if (row.text("mechanism") != "zcdp" || !rho || !row.number("eps_zcdp_cks2020")) {
      continue;
    }
    const std::vector<DpEvent> events = {
        {.noise = NoiseLaw::gaussian, .noise_multiplier = 1 / std::sqrt(2 * *rho)}};
    const double best = epsilon_over_real_orders(events, *row.number("delta")).epsilon;
    EXPECT_NEAR(best, *row.number("eps_zcdp_cks2020"), 1e-6) << row.text("id");
  }
}

// The table's bound for sampled noise is far above; ours is the Gaussian's at integer orders.
TEST_F(OracleTable, DistributedDiscreteNoiseIsBoundedNoLessTightly) {
  for (const OracleRow& row : rows_) {
    const auto bound = row.number("eps_rdp_dpacc");
    if (row.text("mechanism") != "distributed_discrete_gaussian" || !bound) {
      continue;
    }
    const double norm = *row.parameter("rounded_l2");
    const DpEvent event{.noise_multiplier = *row.number("noise_multiplier") / norm,
                        .sampling_rate = *row.number("sampling_rate"),
                        .count = static_cast<std::uint64_t>(*row.number("steps")),
                        .sensitivity_steps = norm / *row.parameter("granularity")};
    PldAccountant accountant;
    accountant.compose(event);
    const double rdp_epsilon = epsilon(std::vector{event}, *row.number("delta")).epsilon;
    EXPECT_LE(rdp_epsilon, *bound + 1e-6) << row.text("id");
    EXPECT_LE(accountant.epsilon(*row.number("delta")).upper, rdp_epsilon) << row.text("id");
  }
}

TEST_F(OracleTable, CalibrationFindsTheNoise) {
  int checked = 0;
  for (const OracleRow& row : rows_) {
    if (row.text("mechanism") != "calibration") {
      continue;
    }
    const auto plan = [&](double z) {
      return std::vector{DpEvent{.noise = NoiseLaw::gaussian,
                                 .noise_multiplier = z,
                                 .sampling_rate = *row.number("sampling_rate"),
                                 .count = static_cast<std::uint64_t>(*row.number("steps"))}};
    };
    const double target = *row.parameter("target_eps");
    const double delta = *row.number("delta");
    EXPECT_NEAR(calibrate_by_pld(plan, target, delta) / *row.number("noise_multiplier"), 1, 5e-4)
        << row.text("id");
    EXPECT_NEAR(calibrate_noise_multiplier(plan, target, delta) / *row.parameter("sigma_rdp"), 1, 5e-4)
        << row.text("id");
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace hanse
