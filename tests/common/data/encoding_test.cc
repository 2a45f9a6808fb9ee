#include "common/data/encoding.h"

#include <cmath>

#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

// One numeric column, a counted range of four buckets, the intercept.
Dataset raw_data(std::vector<std::vector<std::pair<std::uint32_t, float>>> rows) {
  Dataset data;
  data.space.numeric = 1;
  data.space.width = 6;
  data.space.names = {"x", "v#0", "v#1", "v#2", "v#3", "intercept"};
  data.space.range_low = {0};
  data.space.range_high = {10};
  data.space.counted = true;
  data.space.counted_ranges = {{1, 5, "v"}};
  for (const auto& row : rows) {
    for (const auto& [column, value] : row) {
      data.train.features.columns.push_back(column);
      data.train.features.values.push_back(value);
    }
    data.train.features.row_begin.push_back(data.train.features.columns.size());
  }
  return data;
}

TEST(Encoding, StandardisesNumbersAndMakesMissingOnesTheMean) {
  Dataset data = raw_data({{{0, 7.0F}, {2, 1.0F}, {5, 1.0F}}, {{0, NAN}, {5, 1.0F}}});
  Encoding encoding = identity_encoding(data.space);
  encoding.mean = {3};
  encoding.deviation = {2};

  encode(data, encoding);

  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:2 2:1 5:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:0 5:1");
  EXPECT_EQ(data.space.range_low[0], -1.5);
  EXPECT_EQ(data.space.range_high[0], 3.5);
}

TEST(Encoding, ClipsOutliers) {
  Dataset data = raw_data({{{0, -50.0F}, {5, 1.0F}}, {{0, 50.0F}, {5, 1.0F}}, {{0, 1.0F}, {5, 1.0F}}});
  Encoding encoding = identity_encoding(data.space);
  encoding.outlier_limit = 3;

  encode(data, encoding);

  EXPECT_EQ(data.train.features.values, (std::vector<float>{-3, 1, 3, 1, 1, 1}));
}

// A number, the words of a text (raw columns 1 to 4), the intercept.
Dataset text_data(std::vector<std::vector<std::pair<std::uint32_t, float>>> rows) {
  Dataset data = raw_data(std::move(rows));
  data.space.texts = data.space.sparse_ranges = {{1, 5, "v"}};
  return data;
}

TEST(Encoding, MakesWordsOfATextTfIdfOfNormOne) {
  Dataset data = text_data({{{0, 1.0F}, {1, 1.0F}, {3, 2.0F}, {5, 1.0F}}, {{0, 0.0F}, {5, 1.0F}}});
  Encoding encoding = identity_encoding(data.space);
  encoding.idf = {3, 1, 2, 1};

  encode(data, encoding);

  const double first = 3, second = (1 + std::log(2.0)) * 2;
  const double norm = std::hypot(first, second);
  const SparseRow row = data.train.features.row(0);
  ASSERT_EQ(row.columns.size(), 4u);
  EXPECT_EQ(row.values[0], 1.0F);
  EXPECT_NEAR(row.values[1], first / norm, 1e-6);
  EXPECT_NEAR(row.values[2], second / norm, 1e-6);
  EXPECT_EQ(row.values[3], 1.0F);
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:0 5:1");  // A text without words.
}

TEST(Encoding, DropsRareWordsOfATextAndScalesWhatIsLeft) {
  Dataset data = text_data({{{0, 1.0F}, {1, 5.0F}, {3, 1.0F}, {5, 1.0F}}});
  const Encoding encoding =
      thinned_encoding(data.space, RowKind::record, {true, false, true, true, false, true});

  encode(data, encoding);

  EXPECT_EQ(encoding.names, (std::vector<std::string>{"x", "v#1", "v#2", "intercept"}));
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:1 2:1 3:1");
  ASSERT_EQ(data.space.texts.size(), 1u);
  EXPECT_EQ(data.space.texts[0].begin, 1u);
  EXPECT_EQ(data.space.texts[0].end, 3u);
}

TEST(Encoding, SendsBucketsBelowTheThresholdToOneOtherColumn) {
  Dataset data = raw_data({{{0, 1.0F}, {1, 1.0F}, {5, 1.0F}}, {{0, 1.0F}, {4, 1.0F}, {5, 1.0F}}});
  const Encoding encoding =
      thinned_encoding(data.space, RowKind::record, {false, false, true, false, true, false});

  encode(data, encoding);

  EXPECT_EQ(data.space.names, (std::vector<std::string>{"x", "v#1", "v#3", "v=other", "intercept"}));
  EXPECT_EQ(data.space.width, 5u);
  EXPECT_FALSE(data.space.counted);
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:1 3:1 4:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:1 2:1 4:1");
}

TEST(Encoding, NeedsNoOtherColumnWhenAllBucketsAreKept) {
  const Dataset data = raw_data({});

  const Encoding encoding = thinned_encoding(data.space, RowKind::record, std::vector<bool>(6, true));

  EXPECT_EQ(encoding.column_of, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(encoding.names, data.space.names);
}

// Column 0 is a number, 1 and 2 are words kept by a count, 3 and 4 those words times the number.
Dataset crossed_data(float number) {
  Dataset data;
  data.space.numeric = 1;
  data.space.width = 6;
  data.space.names = {"x", "v#0", "v#1", "v#0*x", "v#1*x", "intercept"};
  data.space.range_low = {0};
  data.space.range_high = {10};
  data.space.counted = true;
  data.space.counted_ranges = {{1, 3, "v"}};
  data.space.crosses = {{.begin = 3, .end = 5, .words_begin = 1, .number = 0}};
  data.train.features.columns = {0, 2, 4, 5};
  data.train.features.values = {number, 1, number, 1};
  data.train.features.row_begin = {0, 4};
  return data;
}

TEST(Encoding, GivesACrossTheMeanOfItsNumber) {
  Dataset data = crossed_data(7);
  Dataset missing = crossed_data(NAN);
  Encoding encoding = identity_encoding(data.space);
  encoding.mean = {3};
  encoding.deviation = {2};

  encode(data, encoding);
  encode(missing, encoding);

  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:2 2:1 4:2 5:1");
  EXPECT_EQ(text_of_row(missing.train.features.row(0)), "0:0 2:1 4:0 5:1");
}

TEST(Encoding, GivesACrossTheFateOfItsWords) {
  Dataset rare = crossed_data(7);
  Dataset hidden = crossed_data(7);
  const std::vector<bool> first_kept = {true, true, false, true, true, true};
  const std::vector<bool> second_hidden = {false, false, true, false, false, false};

  encode(rare, thinned_encoding(rare.space, RowKind::record, first_kept));
  encode(hidden, thinned_encoding(hidden.space, RowKind::record, first_kept, second_hidden));

  EXPECT_EQ(rare.space.names,
            (std::vector<std::string>{"x", "v#0", "v=other", "v#0*x", "v=other*x", "intercept"}));
  EXPECT_EQ(text_of_row(rare.train.features.row(0)), "0:7 2:1 4:7 5:1");
  EXPECT_EQ(hidden.space.names, (std::vector<std::string>{"x", "v#0", "v#0*x", "intercept"}));
  EXPECT_EQ(text_of_row(hidden.train.features.row(0)), "0:7 3:1");
}

TEST(Encoding, PutsItemsBelowTheThresholdBehindTheModelsColumns) {
  Dataset data = raw_data({{{1, 5.0F}, {2, 3.0F}, {4, 1.0F}}});
  data.kind = RowKind::customer;
  data.space.numeric = 0;
  data.space.range_low = data.space.range_high = {};

  encode(data, thinned_encoding(data.space, RowKind::customer, {false, true, false, false, true, false}));

  EXPECT_EQ(text_of_row(data.train.features.row(0)), "1:5 2:1 6:3") << "raw column 2 behind the four columns";
  EXPECT_EQ(data.space.width, 4u);
}

TEST(Encoding, ShowsWhatIsHiddenNotEvenAmongOthers) {
  Dataset data = raw_data({{{0, 1.0F}, {1, 1.0F}, {5, 1.0F}}, {{0, 1.0F}, {4, 1.0F}, {5, 1.0F}}});
  const std::vector<bool> kept = {true, false, true, false, true, true};

  const Encoding two =
      thinned_encoding(data.space, RowKind::record, kept, {false, true, false, false, false, false});
  const Encoding all =
      thinned_encoding(data.space, RowKind::record, kept, {false, true, true, true, true, false});
  encode(data, two);

  EXPECT_EQ(two.names, (std::vector<std::string>{"x", "v#1", "v#3", "v=other", "intercept"}));
  EXPECT_EQ(two.column_of[1], kDropped);
  EXPECT_EQ(two.column_of[3], 3u);
  EXPECT_EQ(all.names, (std::vector<std::string>{"x", "intercept"}));
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:1 4:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:1 2:1 4:1");
}

TEST(Encoding, TellsWhereTheWordsOfARangeAndOfACrossWent) {
  FeatureSpace space = raw_data({}).space;
  space.width = 10;
  space.names = {"x", "v#0", "v#1", "v#2", "v#3", "v#0*x", "v#1*x", "v#2*x", "v#3*x", "intercept"};
  space.sparse_ranges = {{.begin = 1, .end = 5, .name = "v"}};
  space.crosses = {{.begin = 5, .end = 9, .words_begin = 1, .number = 0}};
  const std::vector<bool> kept = {true, false, true, true, false, true, true, true, true, true};

  const FeatureSpace encoded = encoded_space(space, thinned_encoding(space, RowKind::record, kept));

  ASSERT_EQ(encoded.names, (std::vector<std::string>{"x", "v#1", "v#2", "v=other", "v#1*x", "v#2*x",
                                                     "v=other*x", "intercept"}));
  EXPECT_EQ(encoded.sparse_ranges[0].begin, 1u);
  EXPECT_EQ(encoded.sparse_ranges[0].end, 4u);
  EXPECT_EQ(encoded.crosses[0].begin, 4u);
  EXPECT_EQ(encoded.crosses[0].end, 7u);
  EXPECT_EQ(encoded.crosses[0].words_begin, 1u);
}

TEST(Encoding, AddsValuesThatFallOnOneColumnAndKeepsColumnsIncreasing) {
  Dataset data = raw_data({{{0, 1.0F}, {1, 2.0F}, {2, 4.0F}, {3, 8.0F}, {5, 1.0F}}});
  Encoding encoding = identity_encoding(data.space);
  encoding.column_of = {0, 2, 1, 2, kDropped, 3};
  encoding.width = 4;
  encoding.names = {"x", "a", "b", "intercept"};

  encode(data, encoding);

  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:1 1:4 2:10 3:1");
}

}  // namespace
}  // namespace hanse
