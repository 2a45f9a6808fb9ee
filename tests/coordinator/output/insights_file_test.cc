#include "coordinator/output/insights_file.h"

#include <cmath>

#include "common/base/failure.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

Insights some_insights() {
  return {.sentences = {"Two segments."},
          .tables = {{.name = "segments",
                      .title = "Segments of customers",
                      .columns = {"segment", "customers", "spent"},
                      .rows = {{std::string("high value"), 12.0, 310.5},
                               {std::string("dormant"), 1045.0, std::nan("")}}}}};
}

TEST(InsightsFile, ReadsBackWhatItWrote) {
  const Insights read = decode_insights(encode_insights(some_insights(), "segments"), "here");

  ASSERT_EQ(read.sentences, some_insights().sentences);
  ASSERT_EQ(read.tables.size(), 1u);
  EXPECT_EQ(read.tables[0].name, "segments");
  EXPECT_EQ(read.tables[0].columns, some_insights().tables[0].columns);
  EXPECT_EQ(read.tables[0].rows[0], some_insights().tables[0].rows[0]);
  EXPECT_TRUE(std::isnan(std::get<double>(read.tables[0].rows[1][2])));
}

TEST(InsightsFile, ShowsTablesInColumnsWithNumbersToTheRight) {
  EXPECT_EQ(insights_text(some_insights()),
            "Two segments.\n"
            "\n"
            "Segments of customers\n"
            "  segment     customers  spent\n"
            "  high value         12  310.5\n"
            "  dormant          1045      –\n");
}

TEST(InsightsFile, ShowsTheFirstRowsOfALongTableAndSaysWhereTheOthersAre) {
  Insights insights{.sentences = {}, .tables = {{.name = "t", .title = "T", .columns = {"n"}, .rows = {}}}};
  for (int i = 0; i < 23; ++i) {
    insights.tables[0].rows.push_back({static_cast<double>(i)});
  }

  const std::string text = insights_text(insights);

  EXPECT_NE(text.find("\n  19\n  and 3 more in model/insights.json\n"), std::string::npos) << text;
}

TEST(InsightsFile, LetsNoWordOfTheDataSteerATerminal) {
  const Insights insights{
      .sentences = {"\x1b[2J"},
      .tables = {{.name = "t", .title = "T", .columns = {"c"}, .rows = {{std::string("\x1b[31mred")}}}}};

  EXPECT_EQ(insights_text(insights).find('\x1b'), std::string::npos);
}

TEST(InsightsFile, RefusesWhatIsNoInsightsFile) {
  const std::string good = encode_insights(some_insights(), "segments");
  std::string newer = good;
  newer.replace(newer.find("\"schema\": 1"), 11, "\"schema\": 2");
  std::string short_row = good;
  short_row.replace(short_row.find("310.5"), 5, "1, 2");

  for (const std::string& text : {std::string("{"), std::string("[]"), newer, short_row}) {
    try {
      decode_insights(text, "runs/x/model/insights.json");
      ADD_FAILURE() << text;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      EXPECT_EQ(std::string(failure.what()).find("runs/x/model/insights.json"), 0u) << failure.what();
    }
  }
}

TEST(InsightsFile, WritesNothingWhereThereIsNothingToSay) {
  const std::filesystem::path& folder = test_folder();

  EXPECT_FALSE(write_insights(folder, {}, "logistic"));
  EXPECT_TRUE(write_insights(folder / "model", some_insights(), "segments"));
  EXPECT_TRUE(std::filesystem::exists(folder / "model" / "insights.json"));
}

}  // namespace
}  // namespace hanse
