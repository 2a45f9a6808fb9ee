#include "common/workloads/warm_start.h"

#include <cmath>

#include "common/base/failure.h"
#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

/// Two numbers, two words, a cross of the words with the first number, the intercept.
FeatureSpace space_of(const std::vector<std::string>& words) {
  const auto count = static_cast<std::uint32_t>(words.size());
  FeatureSpace space;
  space.numeric = 2;
  space.names = {"price", "age"};
  for (const std::string& word : words) {
    space.names.push_back("brand=" + word);
  }
  for (const std::string& word : words) {
    space.names.push_back("brand=" + word + "*price");
  }
  space.names.push_back("intercept");
  space.width = 3 + 2 * count;
  space.sparse_ranges = {{.begin = 2, .end = 2 + count, .name = "brand"}};
  space.crosses = {{.begin = 2 + count, .end = 2 + 2 * count, .words_begin = 2, .number = 0}};
  return space;
}

struct Row {
  double price, age;
  std::string brand;
};

std::vector<double> encoded(const Row& row, const FeatureSpace& space, const std::vector<double>& mean,
                            const std::vector<double>& deviation) {
  std::vector<double> x(space.width, 0.0);
  x[0] = (row.price - mean[0]) / deviation[0];
  x[1] = (row.age - mean[1]) / deviation[1];
  for (std::uint32_t j = 2; j < space.width; ++j) {
    x[j] = space.names[j] == "brand=" + row.brand              ? 1
           : space.names[j] == "brand=" + row.brand + "*price" ? x[0]
                                                               : 0;
  }
  x.back() = 1;
  return x;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

/// The score of a factorization machine, pair by pair.
double machine(const std::vector<double>& x, const std::vector<double>& weights,
               const std::vector<double>& factors, std::size_t rank) {
  double score = dot(x, weights);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t f = 0; f < rank; ++f) {
        score += factors[i * rank + f] * factors[j * rank + f] * x[i] * x[j];
      }
    }
  }
  return score;
}

std::vector<double> random_values(std::size_t count, std::uint64_t seed) {
  SeededGenerator generator{seed};
  std::vector<double> values(count);
  for (double& value : values) {
    value = generator.normal();
  }
  return values;
}

const std::vector<double> kOldMean = {10, 40}, kOldDeviation = {2, 8}, kNewMean = {13, 35},
                          kNewDeviation = {5, 4};
const std::vector<Row> kRows = {{9, 50, "a"}, {14, 20, "b"}, {11, 33, "c"}};

TEST(CarriedColumns, GiveALinearModelTheSameScoresInOtherUnitsAndOrder) {
  const FeatureSpace before = space_of({"a", "b", "gone"}), now = space_of({"new", "b", "a"});
  const SavedModel saved{.arrays = {}, .columns = before.names, .mean = kOldMean, .deviation = kOldDeviation};
  const std::vector<double> weights = random_values(before.width, 1);

  const std::vector<double> carried = CarriedColumns(saved, now, kNewMean, kNewDeviation).weights(weights);

  for (const Row& row : kRows) {  // Of brand c neither model knows anything but the rest of the row.
    EXPECT_NEAR(dot(encoded(row, now, kNewMean, kNewDeviation), carried),
                dot(encoded(row, before, kOldMean, kOldDeviation), weights), 1e-12);
  }
  EXPECT_EQ(carried[2], 0) << "a new word begins at nothing";
}

TEST(CarriedColumns, GiveAFactorizationMachineTheSameScoresInOtherUnits) {
  constexpr std::size_t kRank = 3;
  FeatureSpace space = space_of({"a", "b"});
  space.crosses.clear();  // As words of their own.
  const SavedModel saved{.arrays = {}, .columns = space.names, .mean = kOldMean, .deviation = kOldDeviation};
  const std::vector<double> weights = random_values(space.width, 2),
                            factors = random_values((space.width - 1) * kRank, 3);

  const auto carried = CarriedColumns(saved, space, kNewMean, kNewDeviation).factors(weights, factors, kRank);

  for (const Row& row : kRows) {
    std::vector<double> before = encoded(row, space, kOldMean, kOldDeviation),
                        now = encoded(row, space, kNewMean, kNewDeviation);
    before[4] = before[5] = now[4] = now[5] = 0;
    EXPECT_NEAR(machine(now, carried.weights, carried.factors, kRank),
                machine(before, weights, factors, kRank), 1e-11);
  }
}

TEST(CarriedColumns, TellWhichItemsTheModelKnew) {
  FeatureSpace space;
  space.width = 3;
  space.names = {"item=7", "item=3", "item=9"};
  const SavedModel saved{.arrays = {}, .columns = {"item=3", "item=7"}, .mean = {}, .deviation = {}};

  const CarriedColumns carried(saved, space, {}, {});

  EXPECT_EQ(carried.origin(0), std::optional<std::size_t>(1));
  EXPECT_EQ(carried.origin(1), std::optional<std::size_t>(0));
  EXPECT_EQ(carried.origin(2), std::nullopt);
}

TEST(SavedModel, RefusesAnArrayThatIsNotThereOrOfAnotherShape) {
  const SavedModel saved{.arrays = {{.name = "weights", .shape = {2}, .values = {1, 2}}},
                         .columns = {},
                         .mean = {},
                         .deviation = {}};

  EXPECT_EQ(saved.values("weights", 2), (std::vector<double>{1, 2}));
  for (const auto& [name, count] : {std::pair{"weights", 3u}, std::pair{"factors", 2u}}) {
    try {
      saved.values(name, count);
      ADD_FAILURE() << name;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      EXPECT_EQ(std::string(failure.what()).find("federation.start: the model has no array"), 0u);
    }
  }
}

}  // namespace
}  // namespace hanse
