#include "common/data/csv.h"

#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

using Row = std::vector<std::string>;

std::vector<Row> rows_of(std::string_view text) {
  CsvReader reader(text, "f.csv");
  std::vector<Row> rows;
  while (reader.next()) {
    rows.emplace_back(reader.cells().begin(), reader.cells().end());
  }
  return rows;
}

std::string refusal_of(const std::string& text) {
  return refusal([&] { rows_of(text); });
}

TEST(Csv, ReadsRowsBelowAHeader) {
  EXPECT_EQ(rows_of("a,b\n1,2\n3,\n"), (std::vector<Row>{{"1", "2"}, {"3", ""}}));
}

TEST(Csv, ReadsQuotesDoubledQuotesCommasAndLineEndsWithinThem) {
  EXPECT_EQ(rows_of("a,b\n\"x, y\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\"\n"),
            (std::vector<Row>{{"x, y", "say \"hi\""}, {"two\nlines", ""}}));
}

TEST(Csv, ReadsSeveralCellsWithDoubledQuotesInOneRow) {
  EXPECT_EQ(rows_of("a,b\n\"\"\"1\",\"2\"\"\"\n"), (std::vector<Row>{{"\"1", "2\""}}));
}

TEST(Csv, ReadsCarriageReturnsAByteOrderMarkAndNoLastLineEnd) {
  EXPECT_EQ(rows_of("\xEF\xBB\xBF\"a\",b\r\n1,\"2\"\r\n3,4"), (std::vector<Row>{{"1", "2"}, {"3", "4"}}));
}

TEST(Csv, IgnoresBlankLinesAtTheEnd) {
  EXPECT_EQ(rows_of("a,b\n1,2\n\n\r\n"), (std::vector<Row>{{"1", "2"}}));
  EXPECT_EQ(rows_of("a\n1\n\n"), (std::vector<Row>{{"1"}}));
}

TEST(Csv, KeepsAQuoteWithinAPlainCell) {
  EXPECT_EQ(rows_of("a\n5\" pipe\n"), (std::vector<Row>{{"5\" pipe"}}));
}

TEST(Csv, CountsLinesThroughQuotedLineEnds) {
  CsvReader reader("a,b\n\"1\n\n\",2\n3,4\n", "f.csv");

  reader.next();
  reader.next();

  EXPECT_EQ(reader.place(), "f.csv:5");
  EXPECT_EQ(reader.text(), "3,4");
}

TEST(Csv, FindsColumnsByNameInAnyOrder) {
  CsvReader reader("b,a\n1,2\n", "f.csv");

  EXPECT_EQ(reader.column("a", "data.label"), 1u);
  EXPECT_EQ(refusal([&] { reader.column("c", "data.label"); }),
            "f.csv:1: there is no column 'c', which data.label asks for; the header has: b, a");
}

TEST(Csv, AcceptsAHeaderWithoutRows) {
  EXPECT_TRUE(rows_of("a,b").empty());
}

TEST(Csv, RefusesAnEmptyFile) {
  EXPECT_EQ(refusal_of(""), "f.csv: the file is empty; expected a header line that names the columns");
  EXPECT_NE(refusal_of("\n\n"), "");
}

TEST(Csv, RefusesAColumnNamedTwice) {
  EXPECT_EQ(refusal_of("a,b,a\n"), "f.csv:1: the header names the column 'a' twice; names must be unique");
}

TEST(Csv, RefusesARaggedRow) {
  EXPECT_EQ(refusal_of("a,b\n1,2\n1\n"),
            "f.csv:3: the row has 1 cells; expected 2 as in the header, column 'b' is missing");
  EXPECT_EQ(refusal_of("a,b\n1,2,3\n"), "f.csv:2: the row has 3 cells; expected 2 as in the header");
  EXPECT_NE(refusal_of("a,b\n\n1,2\n"), "");
}

TEST(Csv, RefusesAQuoteThatIsNeverClosed) {
  EXPECT_EQ(refusal_of("a,b\n1,\"2\n3,4\n"), "f.csv:2: cell 2 begins with a quote that is never closed");
}

TEST(Csv, RefusesTextAfterAClosingQuote) {
  EXPECT_EQ(refusal_of("a,b\n\"1\"x,2\n"),
            "f.csv:2: cell 1 has text after its closing quote; expected a comma or the end of the line");
}

}  // namespace
}  // namespace hanse
