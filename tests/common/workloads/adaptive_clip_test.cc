#include "common/workloads/adaptive_clip.h"

#include <cmath>
#include <limits>
#include <vector>

namespace hanse {
namespace {

/// Adds the label of each unit's first training row, as a vector of one entry.
class Labels final : public Workload {
 public:
  std::string_view name() const override { return "labels"; }
  Unit natural_unit() const override { return Unit::record; }
  Model initial_model(std::uint64_t) const override {
    return {.step = 0, .parameters = {0}, .server_state = {}};
  }
  std::optional<PrivateSum> next_sum(const Model&) const override {
    PrivateSum sum;
    sum.name = "labels";
    sum.length = 1;
    sum.clip_norm = 2;
    return sum;
  }
  std::optional<PrivateSum> evaluation_sum(const Model&) const override {
    PrivateSum sum = *next_sum({});
    sum.purpose = Purpose::evaluation;
    return sum;
  }
  Contributor contributor(const Model&, const PrivateSum&) const override {
    return
        [](const UnitRows& unit, Contribution& out) { out.add(0, static_cast<double>(unit.train.label(0))); };
  }
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override {
    EXPECT_EQ(total.size(), 1U);
    EXPECT_EQ(sum.length, 1U);
    model.parameters[0] += total[0];
    model.step += sum.purpose == Purpose::update ? 1 : 0;
    return {};
  }
  std::vector<NamedArray> arrays(const Model& model) const override {
    return {{.name = "total", .shape = {1}, .values = model.parameters}};
  }
};

AdaptiveClip::Options options_of(double z, double units) {
  return {.start = 1, .expected_units = units, .noise_multiplier = z};
}

AdaptiveClip adaptive(const AdaptiveClip::Options& options) {
  return {std::make_unique<Labels>(), options};
}

/// Units with these labels, one row each.
RowBlock rows_of(const std::vector<float>& labels) {
  RowBlock block;
  for (const float label : labels) {
    block.labels.push_back(label);
    block.customers.push_back(0);
    block.features.row_begin.push_back(0);
  }
  return block;
}

UnitRows unit_of(const RowBlock& block, std::size_t i) {
  UnitRows unit;
  unit.train = Rows(block, i, i + 1);
  return unit;
}

std::vector<double> dense(const Contribution& contribution) {
  return {contribution.values().begin(), contribution.values().end()};
}

// Published pairs of (z, sigma_b) and z_delta = (z^-2 - (2 sigma_b)^-2)^-1/2: m = 20 sigma_b.
TEST(AdaptiveClip, DividesTheNoiseAsThePaperDoes) {
  struct Case {
    double z, sigma_b, z_delta;
  };
  for (const Case& c : {Case{1, 5, 1.005037815}, Case{4, 10, 4.082482905}, Case{.5, 2.5, .502518908}}) {
    const AdaptiveClip workload = adaptive(options_of(c.z, 20 * c.sigma_b));
    const PrivateSum sum = *workload.next_sum(workload.initial_model(1));

    // The sum's noise is z * clip_norm; the update's clip norm is 1, the bit's scale r.
    EXPECT_NEAR(c.z * sum.clip_norm, c.z_delta, 0.01 * (c.z_delta - c.z) + 1e-9);
    const double sigma_b = c.z * sum.clip_norm / workload.bit_ratio();
    EXPECT_NEAR(sigma_b, c.sigma_b, 0.01 * c.sigma_b);
    EXPECT_GE(sigma_b, c.sigma_b) << "r is rounded down";
    EXPECT_NEAR(1 / (c.z * c.z), 1 / std::pow(c.z * sum.clip_norm, 2) + 1 / std::pow(2 * sigma_b, 2),
                1e-12 / (c.z * c.z));
  }
}

TEST(AdaptiveClip, CostsAtMostATenthOfTheNoiseHoweverFewUnitsThereAre) {
  for (const double units : {1.0, 30.0}) {
    const AdaptiveClip workload = adaptive(options_of(5, units));

    EXPECT_LE(workload.next_sum(workload.initial_model(1))->clip_norm, 1.1);
  }
}

TEST(AdaptiveClip, AddsABitOfWhetherTheNormWasWithinTheClipNorm) {
  const AdaptiveClip workload = adaptive(options_of(1, 100));
  const Model model = workload.initial_model(1);
  const Contributor contribute = workload.contributor(model, *workload.next_sum(model));
  const RowBlock block = rows_of({0.25f, 4});
  Contribution small;
  Contribution large;

  contribute(unit_of(block, 0), small);
  contribute(unit_of(block, 1), large);

  EXPECT_EQ(dense(small), (std::vector<double>{0.25, workload.bit_ratio() / 2}));
  EXPECT_EQ(dense(large), (std::vector<double>{1, -workload.bit_ratio() / 2}));
}

// Whatever a unit has, its vector is within the clip norm that the sum announces, and so never scaled again.
TEST(AdaptiveClip, KeepsEveryUnitWithinTheAnnouncedNorm) {
  for (const double quantile : {0.2, 0.5, 0.9}) {
    AdaptiveClip::Options options = options_of(2, 50);
    options.quantile = quantile;
    options.merchants_per_unit = 3;
    const AdaptiveClip workload = adaptive(options);
    const Model model = workload.initial_model(1);
    const PrivateSum sum = *workload.next_sum(model);
    const Contributor contribute = workload.contributor(model, sum);
    const RowBlock block = rows_of({0, 0.333f, 0.334f, -7, 1e30f});
    for (std::size_t i = 0; i < 5; ++i) {
      Contribution out;

      contribute(unit_of(block, i), out);

      EXPECT_LE(std::hypot(out.values()[0], out.values()[1]), sum.clip_norm / 3 * (1 + 1e-12));
    }
  }
}

// Ten units of norms 1 ... 10: the median is between 5 and 6, from wherever it starts, and stays there.
TEST(AdaptiveClip, FindsTheMedianOfTheNorms) {
  for (const double start : {0.01, 1.0, 500.0}) {
    AdaptiveClip::Options options = options_of(0, 10);
    options.start = start;
    const AdaptiveClip workload = adaptive(options);
    const RowBlock block = rows_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    Model model = workload.initial_model(1);
    for (int round = 0; round < 200; ++round) {
      const PrivateSum sum = *workload.next_sum(model);
      const Contributor contribute = workload.contributor(model, sum);
      std::vector<double> total(2);
      for (std::size_t i = 0; i < 10; ++i) {
        Contribution out;
        contribute(unit_of(block, i), out);
        total[0] += out.values()[0];
        total[1] += out.values()[1];
      }
      workload.apply(model, sum, total);
    }

    EXPECT_GE(model.parameters.back(), 5 * 0.9) << start;
    EXPECT_LE(model.parameters.back(), 6 * 1.1) << start;
    EXPECT_EQ(model.step, 200U);
  }
}

// However wild the noise, the clip norm moves by a factor of e a round and stays where a grid exists.
TEST(AdaptiveClip, SurvivesAbsurdSums) {
  const AdaptiveClip workload = adaptive(options_of(1, 10));
  Model model = workload.initial_model(1);
  for (int round = 0; round < 300; ++round) {
    workload.apply(model, *workload.next_sum(model), std::vector<double>{0, round < 100 ? 1e200 : -1e200});
    ASSERT_TRUE(std::isfinite(model.parameters.back()) && model.parameters.back() > 0);
  }
}

TEST(AdaptiveClip, LeavesEvaluationAndPublishedArraysToTheWorkload) {
  const AdaptiveClip workload = adaptive(options_of(1, 10));
  Model model = workload.initial_model(1);

  const PrivateSum sum = *workload.evaluation_sum(model);
  workload.apply(model, sum, std::vector<double>{3});

  EXPECT_EQ(sum.length, 1U);
  EXPECT_EQ(model.parameters, (std::vector<double>{3, 1}));
  const std::vector<NamedArray> arrays = workload.arrays(model);
  ASSERT_EQ(arrays.size(), 2U);
  EXPECT_EQ(arrays[0].values, (std::vector<double>{3}));
  EXPECT_EQ(arrays[1].name, "clip_norm");
}

}  // namespace
}  // namespace hanse
