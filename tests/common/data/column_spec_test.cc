#include "common/data/column_spec.h"

#include <cmath>

#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

WordSpec word(std::string_view text) {
  return read_word_spec(text, "data.categorical", kCategoryBuckets);
}

TEST(ColumnSpec, ReadsATransformANameAndARange) {
  const NumericSpec spec = read_numeric_spec("log1p:product_sec[-0.5..12]", "data.numeric");

  EXPECT_EQ(spec.transform, Transform::log1p);
  EXPECT_EQ(spec.name, "product_sec");
  EXPECT_EQ(spec.low, -0.5);
  EXPECT_EQ(spec.high, 12);
}

TEST(ColumnSpec, ReadsABareNumberColumn) {
  const NumericSpec spec = read_numeric_spec("log", "data.numeric");

  EXPECT_EQ(spec.transform, Transform::none);
  EXPECT_EQ(spec.name, "log");
  EXPECT_TRUE(std::isnan(spec.low) && std::isnan(spec.high));
}

TEST(ColumnSpec, ReadsANumberCrossedWithWords) {
  const CrossSpec spec = read_cross_spec(" brand * log:price", "data.numeric");

  EXPECT_EQ(spec.words, "brand");
  EXPECT_EQ(spec.number.transform, Transform::log);
  EXPECT_EQ(spec.number.name, "price");
  EXPECT_EQ(name_of(spec.number), "log:price");
  EXPECT_TRUE(is_cross("brand*price"));
  EXPECT_FALSE(is_cross("log:price"));
}

TEST(ColumnSpec, ReadsTheFiveKindsOfVocabulary) {
  EXPECT_EQ(word("v{a|b c}").words, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(word("v[-1..12]").low, -1);
  EXPECT_EQ(word("v[-1..12]").high, 12);
  EXPECT_EQ(word("v#16").buckets, 16u);
  EXPECT_EQ(word("v@a/b.csv").file, "a/b.csv");
  EXPECT_EQ(word("v").kind, WordSpec::Kind::counted);
  EXPECT_EQ(word("v").buckets, 1024u);
  EXPECT_EQ(word("v").name, "v");
}

struct BadSpec {
  const char* text;
};
void PrintTo(const BadSpec& spec, std::ostream* out) {
  *out << spec.text;
}

class BadNumericSpec : public testing::TestWithParam<BadSpec> {};
TEST_P(BadNumericSpec, IsRefusedWithTheGrammar) {
  const std::string text = GetParam().text;

  EXPECT_EQ(
      refusal([&] { read_numeric_spec(text, "data.numeric"); }),
      "data.numeric: cannot read the column '" + text +
          "'; expected [TRANSFORM:]NAME[LOW..HIGH] with TRANSFORM one of log, log1p, sqrt, for instance "
          "log1p:seconds[0..12]; transform and range may be left out");
}
INSTANTIATE_TEST_SUITE_P(ColumnSpec, BadNumericSpec,
                         testing::Values(BadSpec{""}, BadSpec{"exp:x"}, BadSpec{"x[1]"}, BadSpec{"x[2..1]"},
                                         BadSpec{"x[a..b]"}, BadSpec{"x[1..inf]"}, BadSpec{"[0..1]"},
                                         BadSpec{"x]"}));

class BadCrossSpec : public testing::TestWithParam<BadSpec> {};
TEST_P(BadCrossSpec, IsRefusedWithItsKey) {
  const std::string text = GetParam().text;

  EXPECT_EQ(
      refusal([&] { read_cross_spec(text, "data.numeric"); }).find("data.numeric: cannot read the column '"),
      0u);
}
INSTANTIATE_TEST_SUITE_P(ColumnSpec, BadCrossSpec,
                         testing::Values(BadSpec{"*x"}, BadSpec{"v*"}, BadSpec{"v*x*y"}, BadSpec{"v*x[0..1]"},
                                         BadSpec{"v{a|b}*x"}, BadSpec{"log:x*v"}, BadSpec{"v*exp:x"}));

class BadWordSpec : public testing::TestWithParam<BadSpec> {};
TEST_P(BadWordSpec, IsRefusedWithItsKey) {
  const std::string text = GetParam().text;

  EXPECT_EQ(refusal([&] { word(text); }).find("data.categorical: cannot read the column '" + text + "'; "),
            0u);
}
INSTANTIATE_TEST_SUITE_P(ColumnSpec, BadWordSpec,
                         testing::Values(BadSpec{""}, BadSpec{"x{}"}, BadSpec{"x{a||b}"}, BadSpec{"x{a|a}"},
                                         BadSpec{"x[3..1]"}, BadSpec{"x[1..5000000]"}, BadSpec{"x[0.5..2]"},
                                         BadSpec{"x#0"}, BadSpec{"x#-1"}, BadSpec{"x#many"}, BadSpec{"x@"},
                                         BadSpec{"#5"}, BadSpec{"x}"}));

}  // namespace
}  // namespace hanse
