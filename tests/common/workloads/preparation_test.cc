#include "common/workloads/preparation.h"

#include <cmath>

#include "common/base/seeded_generator.h"
#include "tests/support/plain_sum.h"
#include "tests/support/small_data.h"

namespace hanse {
namespace {

using test::deal_people;
using test::Person;

std::vector<double> exact_total(const Preparation& preparation, const Model& model, const PrivateSum& sum,
                                Unit privacy, const Dataset& data) {
  return test::plain_sum(preparation, model, sum, summed_unit(preparation, sum, privacy), data);
}

/// Runs all sums over the data, with normal noise of `noise_multiplier` times the clip norm.
Model prepare(const Preparation& preparation, Unit privacy, const Dataset& data,
              double noise_multiplier = 0) {
  Model model = preparation.initial_model(1);
  SeededGenerator noise{4};
  while (const std::optional<PrivateSum> sum = preparation.next_sum(model)) {
    std::vector<double> total = exact_total(preparation, model, *sum, privacy, data);
    for (double& entry : total) {
      entry += noise_multiplier > 0 ? noise_multiplier * sum->clip_norm * noise.normal() : 0;
    }
    preparation.apply(model, *sum, total);
  }
  return model;
}

/// Mean and deviation of a column of the training rows, by two passes over all of them; and how many are
/// missing.
struct Moments {
  double mean = 0, deviation = 0, missing = 0;
};
Moments moments_of(const std::vector<Person>& people, std::size_t column) {
  std::vector<double> present;
  Moments moments;
  for (const Person& person : people) {
    for (const Person::Row& row : person.train) {
      const double x = static_cast<double>(row.values[column]);
      std::isnan(x) ? moments.missing += 1 : (present.push_back(x), 0.0);
    }
  }
  for (const double x : present) {
    moments.mean += x / static_cast<double>(present.size());
  }
  for (const double x : present) {
    moments.deviation += (x - moments.mean) * (x - moments.mean) / static_cast<double>(present.size());
  }
  moments.deviation = std::sqrt(moments.deviation);
  return moments;
}

std::size_t train_rows_of(const std::vector<Person>& people) {
  std::size_t rows = 0;
  for (const Person& person : people) {
    rows += person.train.size();
  }
  return rows;
}

TEST(Preparation, LearnsMeansAndDeviationsOfTheUnionOfAllMerchants) {
  const std::vector<Person> people = test::record_people(40, true);
  const FeatureSpace space = test::record_space();
  const Preparation preparation({.space = space});

  const Model model = prepare(preparation, Unit::record, deal_people(people, 3, RowKind::record, space));
  const Encoding encoding = preparation.encoding(model);

  EXPECT_EQ(encoding.train_rows, static_cast<double>(train_rows_of(people)));
  for (std::size_t column = 0; column < 2; ++column) {
    const Moments expected = moments_of(people, column);
    EXPECT_NEAR(encoding.mean[column], expected.mean, 1e-12);
    EXPECT_NEAR(encoding.deviation[column], expected.deviation, 1e-12);
  }
  EXPECT_GT(moments_of(people, 1).missing, 0);
}

TEST(Preparation, FindsARangeByMagnitudesWhereNoneWasDeclared) {
  // Visits are in [0, 4): the range found is [0, 4], and the declared one of the first column stays.
  const FeatureSpace space = test::record_space();
  const Preparation preparation({.space = space});

  const Model model = prepare(preparation, Unit::record,
                              deal_people(test::record_people(40, true), 1, RowKind::record, space));

  const std::vector<NamedArray> arrays = preparation.arrays(model);
  EXPECT_EQ(arrays[0].values, (std::vector<double>{-3, 0}));
  EXPECT_EQ(arrays[1].values, (std::vector<double>{3, 4}));
}

TEST(Preparation, KeepsTheWordsThatEnoughUnitsHave) {
  // Town 3 is in one row of twenty.
  const FeatureSpace space = test::record_space();
  const Preparation preparation({.space = space, .kept_at_least = 10});

  const Model model = prepare(preparation, Unit::record,
                              deal_people(test::record_people(40, false), 2, RowKind::record, space));

  EXPECT_EQ(preparation.arrays(model)[4].values, (std::vector<double>{1, 1, 1, 0}));
  const Encoding encoding = preparation.encoding(model);
  EXPECT_EQ(encoding.names[encoding.column_of[5]], "town=other");
  EXPECT_EQ(encoding.width, 7u);
}

/// Nine rows of one town.
Person buyer_from(std::uint32_t town) {
  Person person;
  person.train.assign(9, {.columns = {0, 1, 2 + town, 6}, .values = {0, 1, 1, 1}, .label = 0});
  return person;
}

/// Merchant 0 gets the 1st, 3rd, ..., merchant 1 the others: town 0 is at both, towns 1 and 2 at one each.
Dataset two_merchants_of_three_towns() {
  return deal_people({buyer_from(0), buyer_from(0), buyer_from(1), buyer_from(2)}, 2, RowKind::record,
                     test::record_space());
}

TEST(Preparation, WithoutPrivacyAWordHasAColumnOnlyWhenEnoughMerchantsHaveIt) {
  const Preparation preparation({.space = test::record_space(), .min_contributors = 2});
  Dataset data = two_merchants_of_three_towns();

  const Model model = prepare(preparation, Unit::none, data);
  const Encoding encoding = preparation.encoding(model);
  encode(data, encoding);

  EXPECT_EQ(preparation.arrays(model)[5].values, (std::vector<double>{1, 0, 0, 0}));
  EXPECT_EQ(encoding.names, (std::vector<std::string>{"spent", "visits", "town#0", "intercept"}))
      << "not even town=other, which a single merchant might have filled";
  EXPECT_EQ(encoding.train_rows, 36);
  for (std::size_t row = 0; row < data.train.features.rows(); ++row) {
    for (const std::uint32_t column : data.train.features.row(row).columns) {
      EXPECT_LT(column, 4u);
    }
  }
}

TEST(Preparation, WithABoundOfOneNoMerchantsAreCounted) {
  const Preparation preparation({.space = test::record_space(), .min_contributors = 1});

  const Model model = prepare(preparation, Unit::none, two_merchants_of_three_towns());

  EXPECT_EQ(
      preparation.encoding(model).names,
      (std::vector<std::string>{"spent", "visits", "town#0", "town#1", "town#2", "town=other", "intercept"}));
}

TEST(Preparation, ASingleMerchantKeepsWhateverItHasAndNothingThatNobodyHas) {
  const Preparation preparation({.space = test::record_space(), .min_contributors = 2, .alone = true});
  const Dataset data = deal_people({buyer_from(0), buyer_from(2)}, 1, RowKind::record, test::record_space());

  const Model model = prepare(preparation, Unit::none, data);

  EXPECT_EQ(preparation.encoding(model).names,
            (std::vector<std::string>{"spent", "visits", "town#0", "town#2", "intercept"}));
}

TEST(Preparation, HowManyUnitsHaveWhatTooFewMerchantsHaveIsNotAsked) {
  const Preparation preparation({.space = test::record_space(), .min_contributors = 2, .kept_at_least = 5});
  const Dataset data = two_merchants_of_three_towns();
  Model model = preparation.initial_model(1);
  std::vector<std::string> names;
  std::vector<double> vocabulary;
  while (const auto sum = preparation.next_sum(model)) {
    const std::vector<double> total = exact_total(preparation, model, *sum, Unit::none, data);
    names.push_back(sum->name);
    vocabulary = sum->name == "vocabulary" ? total : vocabulary;
    preparation.apply(model, *sum, total);
  }

  EXPECT_EQ(names, (std::vector<std::string>{"magnitudes", "contributors", "vocabulary", "moments"}));
  EXPECT_EQ(vocabulary, (std::vector<double>{18, 0, 0, 0}));
}

TEST(Preparation, AMerchantCountsOnceHoweverManyRowsHaveTheWord) {
  const Preparation preparation({.space = test::record_space(), .min_contributors = 2});
  const Dataset data = two_merchants_of_three_towns();
  Model model = preparation.initial_model(1);
  model.step = 1;
  const PrivateSum sum = *preparation.next_sum(model);

  ASSERT_EQ(sum.name, "contributors");
  EXPECT_EQ(summed_unit(preparation, sum, Unit::none), Unit::merchant);
  EXPECT_EQ(exact_total(preparation, model, sum, Unit::none, data), (std::vector<double>{2, 1, 1, 0}));
}

TEST(Preparation, WithAUnitOfPrivacyNoiseCoversAllRowsAndNoMerchantsAreCounted) {
  const Preparation preparation(
      {.space = test::record_space(), .unit = Unit::record, .noise_multiplier = 1, .min_contributors = 2});
  Model model = preparation.initial_model(1);

  for (; const auto sum = preparation.next_sum(model); ++model.step) {
    EXPECT_NE(sum->name, "contributors");
  }
}

TEST(Preparation, CountsAWordOnceAUnitHoweverOftenItComes) {
  const FeatureSpace space = test::record_space();
  const Preparation preparation({.space = space, .unit = Unit::customer});
  Person person;
  for (int i = 0; i < 5; ++i) {
    person.train.push_back({.columns = {0, 1, 3, 6}, .values = {0, 1, 1, 1}, .label = 0});
  }
  const Dataset data = deal_people({person}, 1, RowKind::record, space);
  Model model = preparation.initial_model(1);
  model.step = 1;
  const PrivateSum sum = *preparation.next_sum(model);
  ASSERT_EQ(sum.name, "vocabulary");
  Contribution contribution;

  for_each_unit(data, data.merchants[0], Unit::customer, Population::train,
                [&](const UnitRows& rows) { preparation.contributor(model, sum)(rows, contribution); });

  ASSERT_EQ(contribution.values().size(), 1u);
  EXPECT_EQ(contribution.blocks()[0].first, 1u);
  EXPECT_EQ(contribution.values()[0], 1);
}

TEST(Preparation, AlwaysReleasesTheNumberOfTrainingRows) {
  FeatureSpace space = test::rating_space(6);
  const Preparation preparation({.space = space, .kind = RowKind::customer, .unit = Unit::customer});
  const std::vector<Person> people = test::rating_people(20, 6);

  const Model model = prepare(preparation, Unit::customer, deal_people(people, 4, RowKind::customer, space));

  EXPECT_EQ(model.step, 1u);
  EXPECT_EQ(preparation.encoding(model).train_rows, static_cast<double>(train_rows_of(people)));
}

TEST(Preparation, WithoutStandardisingOnlyTheCountIsAskedFor) {
  FeatureSpace space = test::record_space();
  space.counted = false;
  space.counted_ranges.clear();
  const Preparation preparation({.space = space, .standardise = false});

  const Model model = prepare(preparation, Unit::record,
                              deal_people(test::record_people(9, true), 2, RowKind::record, space));

  EXPECT_EQ(model.step, 1u);
  const Encoding encoding = preparation.encoding(model);
  EXPECT_EQ(encoding.mean, (std::vector<double>{0, 0}));
  EXPECT_EQ(encoding.deviation, (std::vector<double>{1, 1}));
  EXPECT_EQ(encoding.outlier_limit, 0);
}

TEST(Preparation, UnderNoiseFiguresAreNearAndWordsOfNobodyAreNotKept) {
  FeatureSpace space = test::record_space();
  const std::vector<Person> people = test::record_people(4000, false);
  const double noise_multiplier = 10;
  const Preparation preparation(
      {.space = space, .unit = Unit::record, .noise_multiplier = noise_multiplier, .kept_at_least = 1});

  const Model model =
      prepare(preparation, Unit::record, deal_people(people, 3, RowKind::record, space), noise_multiplier);
  const Encoding encoding = preparation.encoding(model);

  for (std::size_t column = 0; column < 2; ++column) {
    const Moments expected = moments_of(people, column);
    EXPECT_NEAR(encoding.mean[column], expected.mean, 0.1 * expected.deviation);
    EXPECT_NEAR(encoding.deviation[column], expected.deviation, 0.1 * expected.deviation);
  }
  EXPECT_NEAR(encoding.train_rows, static_cast<double>(train_rows_of(people)), 100);
}

TEST(Preparation, NoiseAloneKeepsNoWordAndMakesNoRange) {
  const FeatureSpace space = test::record_space();
  const Preparation preparation({.space = space, .unit = Unit::record, .noise_multiplier = 10});

  const Model model = prepare(preparation, Unit::record, deal_people({}, 3, RowKind::record, space), 10);
  const Encoding encoding = preparation.encoding(model);

  EXPECT_EQ(preparation.arrays(model)[4].values, (std::vector<double>{0, 0, 0, 0}));
  EXPECT_EQ(preparation.arrays(model)[1].values[1], 1);
  for (const double deviation : encoding.deviation) {
    EXPECT_GT(deviation, 0);
    EXPECT_TRUE(std::isfinite(deviation));
  }
  EXPECT_GE(encoding.train_rows, 0);
}

TEST(Preparation, AConstantColumnGetsAPositiveDeviation) {
  FeatureSpace space = test::record_space();
  Person person;
  person.train.push_back({.columns = {0, 1, 2, 6}, .values = {1, 2, 1, 1}, .label = 0});
  const Preparation preparation({.space = space});

  const Model model =
      prepare(preparation, Unit::record, deal_people({person, person}, 2, RowKind::record, space));

  const Encoding encoding = preparation.encoding(model);
  EXPECT_NEAR(encoding.mean[1], 2, 1e-9);
  EXPECT_GT(encoding.deviation[0], 0);
  EXPECT_GT(encoding.deviation[1], 0);
}

TEST(Preparation, ARecordsMomentsReachTheirNormOnlyAtTheEndsOfTheRanges) {
  const FeatureSpace space = test::record_space();
  const Preparation preparation({.space = space, .unit = Unit::record});
  Person extreme;
  extreme.train.push_back({.columns = {0, 1, 2, 6}, .values = {-300, 5e9f, 1, 1}, .label = 0});
  const Dataset data = deal_people({extreme}, 1, RowKind::record, space);
  Model model = preparation.initial_model(1);
  model.step = 2;
  const PrivateSum sum = *preparation.next_sum(model);
  double square = 0;

  for_each_unit(data, data.merchants[0], Unit::record, Population::train, [&](const UnitRows& rows) {
    Contribution contribution;
    preparation.contributor(model, sum)(rows, contribution);
    for (const double value : contribution.values()) {
      square += value * value;
    }
  });

  EXPECT_NEAR(std::sqrt(square), sum.clip_norm, 1e-12);
}

TEST(Preparation, LearnsTheRangeOfANumericLabelThatHasNone) {
  FeatureSpace space = test::record_space();
  space.label = LabelKind::number;
  std::vector<Person> people = test::record_people(20, false);
  for (Person& person : people) {
    for (Person::Row& row : person.train) {
      row.label = 8 * row.label - 3;  // -3 or 5.
    }
  }
  const Dataset data = deal_people(people, 2, RowKind::record, space);
  Preparation::Options options;
  options.space = space;
  const Preparation learning(options);
  options.space.label_low = -10;
  options.space.label_high = 10;
  const Preparation told(options);

  const Encoding learnt = learning.encoding(prepare(learning, Unit::none, data));
  const Encoding declared = told.encoding(prepare(told, Unit::none, data));

  EXPECT_EQ(learnt.label_low, -4);
  EXPECT_EQ(learnt.label_high, 8);
  EXPECT_EQ(declared.label_low, -10);
  EXPECT_EQ(declared.label_high, 10);
  EXPECT_EQ(learnt.train_rows, static_cast<double>(data.train.features.rows()));
}

/// The towns are words of a text.
FeatureSpace text_space(bool counted) {
  FeatureSpace space = test::record_space();
  space.texts = space.sparse_ranges;
  if (!counted) {
    space.counted = false;
    space.counted_ranges.clear();
  }
  return space;
}

TEST(Preparation, CountsTheRowsThatHaveAWordOfAText) {
  const FeatureSpace space = text_space(false);
  const Preparation preparation({.space = space, .min_contributors = 2});

  const Model model = prepare(preparation, Unit::none, two_merchants_of_three_towns());
  const Encoding encoding = preparation.encoding(model);

  EXPECT_EQ(preparation.arrays(model)[6].name, "documents");
  EXPECT_EQ(preparation.arrays(model)[6].values, (std::vector<double>{18, 0, 0, 0}));
  EXPECT_NEAR(encoding.idf[0], std::log(37.0 / 19) + 1, 1e-12);
  EXPECT_EQ(encoding.column_of[3], kDropped) << "what one merchant has is neither counted nor kept";
}

TEST(Preparation, KeepsCountedWordsOfATextByTheirFrequencyAndHasNoColumnForOthers) {
  const FeatureSpace space = text_space(true);
  const Preparation preparation({.space = space, .kept_at_least = 10});

  const Model model = prepare(preparation, Unit::record,
                              deal_people(test::record_people(40, false), 2, RowKind::record, space));
  const Encoding encoding = preparation.encoding(model);

  EXPECT_EQ(encoding.column_of[5], kDropped);  // Town 3 is in one row of twenty.
  EXPECT_EQ(encoding.width, 6u);
  EXPECT_EQ(encoding.idf.size(), 4u);
  EXPECT_GE(encoding.idf[3], encoding.idf[0]);
}

TEST(Preparation, UnderNoiseAWordThatIsNotSeenIsAsRareAsTheRarestThatIs) {
  const FeatureSpace space = text_space(false);
  const Preparation preparation({.space = space, .unit = Unit::record, .noise_multiplier = 1});

  const Model model = prepare(preparation, Unit::record,
                              deal_people(test::record_people(400, false), 2, RowKind::record, space), 1);
  const Encoding encoding = preparation.encoding(model);

  // Towns 0 to 2 are in 350 rows or so, town 3 in 50; the noise has a deviation of sqrt(32).
  EXPECT_EQ(encoding.width, 7u);
  for (std::size_t town = 0; town < 3; ++town) {
    EXPECT_NEAR(encoding.idf[town], std::log(1150.0 / 360) + 1, 0.2);
    EXPECT_GE(encoding.idf[3], encoding.idf[town]);
  }
}

}  // namespace
}  // namespace hanse
