#include "common/workloads/segments.h"

#include <algorithm>
#include <cmath>

#include "common/base/failure.h"
#include "common/numerics/cell_grid.h"
#include "common/numerics/kmeans.h"
#include "common/workloads/catalogue.h"
#include "common/workloads/segment_words.h"
#include "tests/reference/kmeans_reference.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using reference::Points;
using test::Person;

FeatureSpace numbers_space(std::vector<std::string> names) {
  FeatureSpace space;
  space.numeric = static_cast<std::uint32_t>(names.size());
  space.width = space.numeric + 1;
  space.names = std::move(names);
  space.names.push_back("intercept");
  space.range_low.assign(space.numeric, 0);
  space.range_high.assign(space.numeric, 10);
  return space;
}

Person::Row row_of(const std::vector<double>& numbers) {
  Person::Row row;
  for (std::uint32_t c = 0; c < numbers.size(); ++c) {
    row.columns.push_back(c);
    row.values.push_back(static_cast<float>(numbers[c]));
  }
  row.columns.push_back(static_cast<std::uint32_t>(numbers.size()));
  row.values.push_back(1);
  return row;
}

Dataset data_of(const Points& train, const Points& test, std::uint32_t merchants, const FeatureSpace& space) {
  std::vector<Person> people;
  for (const std::vector<double>& point : train) {
    people.push_back({.train = {row_of(point)}, .test = {}});
  }
  for (const std::vector<double>& point : test) {
    people.push_back({.train = {}, .test = {row_of(point)}});
  }
  return test::deal_people(people, merchants, RowKind::record, space);
}

/// Points around `middles`, each as likely as the others.
Points clouds(const Points& middles, std::size_t count, double width, std::uint64_t seed) {
  SeededGenerator generator{seed};
  Points points;
  for (std::size_t i = 0; i < count; ++i) {
    points.push_back(middles[generator.below(middles.size())]);
    for (double& entry : points.back()) {
      entry = static_cast<double>(static_cast<float>(entry + width * generator.normal()));
    }
  }
  return points;
}

CustomerPoints points_of(const FeatureSpace& space) {
  CustomerPoints::Options options;
  options.space = space;
  return CustomerPoints(options);
}

Segments::Options options_for(const Dataset& data, std::size_t segments) {
  Segments::Options options;
  options.segments = segments;
  options.train_rows = static_cast<double>(data.train.features.rows());
  return options;
}

/// Runs all rounds, at most `rounds`, each total with so many clip norms of noise.
Model fit(const Segments& workload, Unit privacy, const Dataset& data, int rounds = 100, double noise = 0,
          std::vector<double>* losses = nullptr) {
  Model model = workload.initial_model(1);
  SeededGenerator generator{9};
  for (int round = 0; round < rounds; ++round) {
    const std::optional<PrivateSum> sum = workload.next_sum(model);
    if (!sum) {
      break;
    }
    std::vector<double> total =
        test::plain_sum(workload, model, *sum, summed_unit(workload, *sum, privacy), data);
    for (double& entry : total) {
      entry += noise * sum->clip_norm * generator.normal();
    }
    const Metrics metrics = workload.apply(model, *sum, total);
    if (losses != nullptr && metrics.contains("train_loss")) {
      losses->push_back(metrics.at("train_loss"));
    }
  }
  return model;
}

Points centres_of(const Segments& workload, const Model& model) {
  const std::vector<NamedArray> arrays = workload.arrays(model);
  Points centres;
  for (std::size_t k = 0; k < arrays[0].shape[0]; ++k) {
    const auto first = arrays[0].values.begin() + static_cast<std::ptrdiff_t>(k * arrays[0].shape[1]);
    centres.emplace_back(first, first + static_cast<std::ptrdiff_t>(arrays[0].shape[1]));
  }
  return centres;
}

const Points kCorners = {{0, 0}, {8, 0}, {0, 8}};

TEST(NearestCentre, IsTheOneAtTheLeastDistanceAndOfEqualOnesTheFirst) {
  const std::vector<double> centres = {0, 0, 4, 0, 2, 9};

  const NearestCentre right = nearest_centre(std::vector<double>{3, 1}, centres);
  const NearestCentre between = nearest_centre(std::vector<double>{2, 0}, centres);

  EXPECT_EQ(right.index, 1u);
  EXPECT_EQ(right.square, 2);
  EXPECT_EQ(between.index, 0u);
}

TEST(KMeansCentres, AreTheWeightedMeansOfTwoHeaps) {
  const std::vector<double> points = {0, 1, 10, 12};
  const std::vector<double> weights = {3, 1, 1, 1};

  std::vector<double> centres = kmeans_centres(points, weights, 1, 2, 5, 1);

  std::ranges::sort(centres);
  EXPECT_EQ(centres, (std::vector<double>{0.25, 11}));
}

TEST(KMeansCentres, OfFewerPointsThanCentresAndOfNoneAreFinite) {
  const std::vector<double> one = {5};

  EXPECT_EQ(kmeans_centres(one, one, 1, 3, 2, 1), (std::vector<double>{5, 5, 5}));
  EXPECT_EQ(kmeans_centres({}, {}, 2, 2, 2, 1), std::vector<double>(4, 0.0));
}

// Six cells from -6 to 6 along the first axis, six from -3 to 3 along the second.
TEST(CellGrid, CutsEachAxisFromMinusThreeToThreeDeviations) {
  const std::vector<double> axes = {0, 1, 1, 0};
  const std::vector<double> deviations = {2, 1};
  const CellGrid grid(axes, deviations, 6);

  EXPECT_EQ(CellGrid::cells(2, 6), 36u);
  EXPECT_EQ(grid.cell_of(std::vector<double>{0.5, 1}), 3u * 6 + 3);  // Second column along the first axis.
  const std::vector<double> middle = grid.middle(3 * 6 + 3);
  EXPECT_NEAR(middle[0], 1, 1e-12);
  EXPECT_NEAR(middle[1], 0.5, 1e-12);
  EXPECT_NEAR(grid.point_at(middle)[0], 0.5, 1e-12);
  EXPECT_NEAR(grid.point_at(middle)[1], 1, 1e-12);
}

TEST(CellGrid, TakesAllBeyondIntoItsOuterCells) {
  const std::vector<double> axes = {1};
  const std::vector<double> deviations = {1};
  const CellGrid grid(axes, deviations, 4);

  EXPECT_EQ(grid.cell_of(std::vector<double>{-1e9}), 0u);
  EXPECT_EQ(grid.cell_of(std::vector<double>{1e9}), 3u);
  EXPECT_EQ(grid.cell_of(std::vector<double>{0}), 2u);
}

TEST(Segments, AreTheMeansOfHeapsThatLieApart) {
  const Points points = {{0, 0}, {0, 1}, {1, 0}, {9, 9}, {9, 10}, {10, 9}};
  const Dataset data = data_of(points, {}, 3, numbers_space({"a", "b"}));
  const Segments workload(options_for(data, 2), points_of(data.space));

  Points centres = centres_of(workload, fit(workload, Unit::none, data));

  std::ranges::sort(centres);
  ASSERT_EQ(centres.size(), 2u);
  EXPECT_NEAR(centres[0][0], 1.0 / 3, 1e-9);
  EXPECT_NEAR(centres[1][1], 28.0 / 3, 1e-9);
}

TEST(Segments, RoundsAreLloydsOnThePooledPointsForAnyNumberOfMerchants) {
  const Points points = clouds(kCorners, 300, 2, 3);
  for (const std::uint32_t merchants : {1u, 3u, 301u}) {
    const Dataset data = data_of(points, {}, merchants, numbers_space({"a", "b"}));
    const Segments workload(options_for(data, 3), points_of(data.space));
    std::vector<double> losses;

    const Points before = centres_of(workload, fit(workload, Unit::none, data, 3));
    const Points after = centres_of(workload, fit(workload, Unit::none, data, 4, 0, &losses));

    Points expected = reference::lloyd(points, before);
    Points actual = after;
    std::ranges::sort(expected);
    std::ranges::sort(actual);
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(actual[k][0], expected[k][0], 1e-8);
      EXPECT_NEAR(actual[k][1], expected[k][1], 1e-8);
    }
    EXPECT_NEAR(losses.back(), reference::inertia(points, before) / 300, 1e-8);
  }
}

struct Shape {
  const char* name;
  std::size_t segments;
  std::size_t columns;
  double width;
};
void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.name;
}

class SegmentsOfShape : public testing::TestWithParam<Shape> {};

TEST_P(SegmentsOfShape, AreWithinAHundredthOfACentralKMeansPlusPlusWithRestarts) {
  SeededGenerator generator{17};
  Points middles(GetParam().segments);
  for (std::vector<double>& middle : middles) {
    for (std::size_t c = 0; c < GetParam().columns; ++c) {
      middle.push_back(3 * generator.normal());
    }
  }
  const Points points = clouds(middles, 2000, GetParam().width, 4);
  std::vector<std::string> names(GetParam().columns, "x");
  const Dataset data = data_of(points, {}, 7, numbers_space(names));
  const Segments workload(options_for(data, GetParam().segments), points_of(data.space));

  const Points centres = centres_of(workload, fit(workload, Unit::none, data));

  const Points central = reference::kmeans(points, GetParam().segments, 20);
  EXPECT_LE(reference::inertia(points, centres), 1.01 * reference::inertia(points, central));
}

INSTANTIATE_TEST_SUITE_P(Shapes, SegmentsOfShape,
                         testing::Values(Shape{"OneLine", 4, 1, 0.5}, Shape{"Plane", 5, 2, 1},
                                         Shape{"Space", 6, 3, 1}, Shape{"TenColumns", 4, 10, 1.5},
                                         Shape{"OneHeap", 4, 3, 5}),
                         [](const auto& shape) { return shape.param.name; });

TEST(Segments, FinishWhenNoCentreMoves) {
  const Dataset data = data_of(clouds(kCorners, 100, 0.5, 3), {}, 2, numbers_space({"a", "b"}));
  const Segments workload(options_for(data, 3), points_of(data.space));

  const Model model = fit(workload, Unit::none, data);

  EXPECT_FALSE(workload.next_sum(model).has_value());
  EXPECT_LT(model.step, 20u);
}

// Of 7 merchants only one has points far away.
TEST(Segments, OfTooFewMerchantsStayWhereTheyBeganAndAreNotPublished) {
  Points points = clouds({{0, 0}, {2, 2}}, 70, 0.3, 3);
  for (std::size_t i = 0; i < points.size(); i += 7) {
    points[i] = {100.25, 100.25};
  }
  const Dataset data = data_of(points, {}, 7, numbers_space({"a", "b"}));
  Segments::Options options = options_for(data, 3);
  options.merchants_needed = 2;
  const Segments workload(options, points_of(data.space));

  const Model model = fit(workload, Unit::none, data);

  for (const std::vector<double>& centre : centres_of(workload, model)) {
    EXPECT_LT(centre[0], 50);
  }
  EXPECT_EQ(std::ranges::count(model.parameters, 100.25), 0);
  EXPECT_NE(workload.insights(model).sentences.back().find("too small to be told"), std::string::npos);
}

TEST(Segments, WithNoiseAreNearTheClouds) {
  const Points points = clouds(kCorners, 6000, 1, 3);
  const Dataset data = data_of(points, {}, 3, numbers_space({"a", "b"}));
  Segments::Options options = options_for(data, 3);
  options.unit = Unit::record;
  options.clip = 10;
  options.noise_multiplier = 3;
  const Segments workload(options, points_of(data.space));

  const Points centres = centres_of(workload, fit(workload, Unit::record, data, 6, options.noise_multiplier));

  ASSERT_EQ(centres.size(), 3u);
  EXPECT_LE(reference::inertia(points, centres),
            1.02 * reference::inertia(points, reference::kmeans(points, 3, 5)));
}

TEST(Segments, OfNoiseAloneAreNotPublished) {
  const Dataset data = data_of({{1, 1}, {2, 5}}, {}, 1, numbers_space({"a", "b"}));
  Segments::Options options = options_for(data, 4);
  options.unit = Unit::record;
  options.noise_multiplier = 20;
  const Segments workload(options, points_of(data.space));

  const Model model = fit(workload, Unit::record, data, 6, options.noise_multiplier);

  EXPECT_TRUE(centres_of(workload, model).empty());
  EXPECT_EQ(workload.insights(model).sentences[0], "No segment is large enough to be told.");
}

TEST(Segments, ExplainWhatIsExplainedOfTestRows) {
  const Points train = clouds(kCorners, 200, 1, 3);
  const Points test = clouds(kCorners, 50, 1, 5);
  const Dataset data = data_of(train, test, 3, numbers_space({"a", "b"}));
  const Segments workload(options_for(data, 3), points_of(data.space));
  Model model = fit(workload, Unit::none, data);
  const PrivateSum sum = *workload.evaluation_sum(model);

  const Metrics metrics =
      workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));

  const Points mean = reference::lloyd(train, {{0, 0}});
  const double within = reference::inertia(test, centres_of(workload, model));
  EXPECT_NEAR(metrics.at("test_loss"), within / 50, 1e-6);
  EXPECT_NEAR(metrics.at("test_explained"), 1 - within / reference::inertia(test, mean), 1e-6);
}

// -------------------------------------------------------------------- recency, frequency and monetary value

CustomerPoints rfm_points() {
  CustomerPoints::Options options;
  options.rfm = true;
  options.space = numbers_space({"week", "amount"});
  options.time = 0;
  options.amount = 1;
  options.most_rows = 100;
  return CustomerPoints(options);
}

/// Customers by weeks and amounts of what they bought.
Dataset shoppers(const std::vector<Points>& purchases, std::uint32_t merchants) {
  std::vector<Person> people;
  for (const Points& rows : purchases) {
    people.emplace_back();
    for (const std::vector<double>& row : rows) {
      people.back().train.push_back(row_of(row));
    }
  }
  return test::deal_people(people, merchants, RowKind::record, numbers_space({"week", "amount"}));
}

TEST(CustomerPoints, AreRecencyFrequencyAndMonetaryValueOfEachCustomer) {
  const Dataset data = shoppers({{{3, 2}, {7, 4}}, {{10, 1}}}, 1);
  const CustomerPoints points = rfm_points();
  Points found;

  points.for_each(Rows(data.train, 0, data.train.features.rows()), [&](std::span<const double> point) {
    found.emplace_back();
    for (std::size_t c = 0; c < 3; ++c) {
      found.back().push_back(points.in_file_units(c, point[c]));
    }
  });

  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found[0][0], 10 - 7, 1e-9);
  EXPECT_NEAR(found[0][1], 2, 1e-9);
  EXPECT_NEAR(found[0][2], 6, 1e-9);
  EXPECT_NEAR(found[1][0], 0, 1e-9);
  EXPECT_NEAR(found[1][1], 1, 1e-9);
  EXPECT_NEAR(found[1][2], 1, 1e-9);
  EXPECT_EQ(points.name(0), "week since last");
}

TEST(Segments, OfCustomersAreNamedByWhatTheyAre) {
  std::vector<Points> purchases;
  for (int i = 0; i < 30; ++i) {
    purchases.push_back(Points(20, {9.0 + (i % 2), 5}));  // Often, lately, much.
    purchases.push_back({{1.0 + (i % 3) * 0.5, 1}});      // Once, long ago.
  }
  const Dataset data = shoppers(purchases, 3);
  const Segments workload(options_for(data, 2), rfm_points());

  const Insights insights = workload.insights(fit(workload, Unit::none, data));

  ASSERT_EQ(insights.tables.size(), 1u);
  ASSERT_EQ(insights.tables[0].rows.size(), 2u);
  std::vector<std::string> told;
  for (const std::vector<InsightCell>& row : insights.tables[0].rows) {
    told.push_back(std::get<std::string>(row.back()));
    EXPECT_EQ(std::get<double>(row[2]), 30);  // Customers.
  }
  std::ranges::sort(told);
  EXPECT_EQ(told, (std::vector<std::string>{"dormant, bought little", "high value, active"}));
}

// A customer whose other purchases were trained with is no test: half of its purchases would make it look small.
TEST(Segments, OfCustomersAreTestedByCustomersThatNobodyTrainedWith) {
  std::vector<Person> people(4);
  people[0].train = {row_of({9, 5}), row_of({9, 5})};
  people[1].train = {row_of({1, 1})};
  people[2] = {.train = {row_of({1, 1})}, .test = {row_of({10, 8})}};
  people[3].test = {row_of({9, 5}), row_of({9, 5})};
  for (const std::uint32_t merchants : {1u, 2u}) {
    const Dataset data =
        test::deal_people(people, merchants, RowKind::record, numbers_space({"week", "amount"}));
    const Segments workload(options_for(data, 2), rfm_points());
    Model model = fit(workload, Unit::none, data);
    const PrivateSum sum = *workload.evaluation_sum(model);

    const Metrics metrics =
        workload.apply(model, sum, test::plain_sum(workload, model, sum, Unit::merchant, data));

    EXPECT_NEAR(metrics.at("test_loss"), 0, 1e-6);  // The last is as the first, which is its centre.
    EXPECT_NEAR(metrics.at("test_explained"), 1, 1e-6);
  }
}

TEST(SegmentErrors, OnePointStaysWithinItsNormWhereverItIs) {
  const FeatureSpace space = numbers_space({"a", "b"});
  const CustomerPoints points = points_of(space);
  const SegmentErrors errors(points, {Unit::record});
  const std::vector<double> centres = {0, 0, 1, 1};
  const auto as_it_is = [](std::span<const double> point, std::span<double> into) {
    std::ranges::copy(point, into.begin());
  };

  for (const double far : {0.0, 1.0, 1e6}) {
    const Dataset data = data_of({}, {{far, -far}}, 1, space);
    Contribution contribution;
    errors.contributor(as_it_is, centres)(UnitRows{.train = {}, .test = Rows(data.test, 0, 1), .merchant = 0},
                                          contribution);

    double square = 0;
    for (const double value : contribution.values()) {
      square += value * value;
    }
    EXPECT_LE(std::sqrt(square), errors.sum().clip_norm * (1 + 1e-12));
  }
}

TEST(SegmentWords, NameWhatStandsOutOfTheMean) {
  SegmentTable table;
  table.names = {"price", "visits", "town=a"};
  table.words = {false, false, true};
  table.scores = {1.7, -0.6, 0.9, 0.1, 0.2, -0.1};

  EXPECT_EQ(segment_words(table, 0), "very high price, mostly town=a, low visits");
  EXPECT_EQ(segment_words(table, 1), "near the mean in everything");
}

TEST(Segments, RefuseWhatTheyCannotTell) {
  Configuration rfm;
  rfm.workload.name = "segments";
  rfm.privacy.unit = Unit::none;
  rfm.data.customer = "customer";
  rfm.data.standardise = false;
  rfm.workload.other = {{"features", "rfm"}, {"recency", "week"}, {"monetary", "amount"}};
  const auto refusal = [&](const std::function<void(Configuration&)>& change, bool ranges = true) {
    Configuration configuration = rfm;
    change(configuration);
    FeatureSpace space = numbers_space({"week", "amount"});
    if (!ranges) {
      space.range_low[1] = std::nan("");
    }
    try {
      make_workload(configuration, facts_of(space, RowKind::record, identity_encoding(space), 3));
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return std::string(failure.what());
    }
    return std::string();
  };
  const auto nothing = [](Configuration&) {};

  EXPECT_EQ(refusal(nothing), "");
  EXPECT_NE(refusal(nothing, false).find("amount[LOW..HIGH]"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.data.customer.clear(); }).find("data.customer"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.data.standardise = true; }).find("data.standardise"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.privacy.unit = Unit::record; }).find("privacy.unit=record"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.data.test = "hash:0.1"; }).find("customers:FRACTION"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.workload.other.erase("recency"); }).find("workload.recency"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.workload.other["monetary"] = "x"; }).find("not a column"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.workload.other["segments"] = "0"; }).find("1 to 256"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.privacy.turns = 2; }).find("privacy.turns"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.aggregation.ring = "32"; }).find("aggregation.ring"), std::string::npos);
}

TEST(Segments, RefuseValuesThatNoSumHolds) {
  const Dataset data = data_of({{1e9, 0}, {0, 0}}, {}, 1, numbers_space({"a", "b"}));
  const Segments workload(options_for(data, 2), points_of(data.space));

  EXPECT_THROW(fit(workload, Unit::none, data), Failure);
}

}  // namespace
}  // namespace hanse
