#include "common/base/seeded_generator.h"
#include "common/data/cleaning.h"
#include "common/data/mapped_file.h"
#include "common/data/numbers.h"
#include "common/data/string_table.h"
#include "common/data/text_hash.h"
#include "common/data/vocabulary.h"
#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

TEST(TextHash, FollowsItsDocumentedRecipe) {
  EXPECT_EQ(text_hash(""), split_mix(0));
  EXPECT_EQ(text_hash("ab"), split_mix(split_mix(2) ^ 0x6261));
  EXPECT_EQ(text_hash("abcdefghi"), split_mix(split_mix(split_mix(9) ^ 0x6867666564636261) ^ 0x69));
}

TEST(Numbers, AreFiniteAndWhole) {
  EXPECT_EQ(read_number(" +1.5e2\t"), 150);
  for (const char* text : {"", "nan", "inf", "-inf", "1x", "1 2", "0x10", "1e999", "+-1", "+"}) {
    EXPECT_EQ(read_number(text), std::nullopt) << text;
  }
  EXPECT_EQ(read_number_or_flag("true"), 1);
  EXPECT_EQ(read_number_or_flag("FALSE"), 0);
  EXPECT_EQ(read_integer("1.0"), std::nullopt);
}

TEST(Numbers, KnowWhatIsMissing) {
  EXPECT_TRUE(is_missing("") && is_missing(" ") && is_missing("NA") && is_missing("null"));
  EXPECT_FALSE(is_missing("0") || is_missing("nan"));
}

TEST(StringTable, NumbersDistinctStringsInOrder) {
  StringTable table;

  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 1000; ++i) {
      EXPECT_EQ(table.add(std::to_string(i)), i);
    }
  }

  EXPECT_EQ(table.size(), 1000u);
  EXPECT_EQ(table.text(123), "123");
  EXPECT_EQ(table.find("999"), 999u);
  EXPECT_EQ(table.find("1000"), StringTable::kNone);
  EXPECT_EQ(table.find(""), StringTable::kNone);
  EXPECT_EQ(table.add(""), 1000u);
}

TEST(Vocabulary, SendsUnknownWordsToOther) {
  const Vocabulary words(read_word_spec("v{a|b}", "k", 8), "", "k");

  EXPECT_EQ(words.width(), 3u);
  EXPECT_EQ(words.column_of("b"), 1u);
  EXPECT_EQ(words.column_of("c"), 2u);
  EXPECT_TRUE(words.is_other(2));
  EXPECT_EQ(words.column_name(1), "v=b");
  EXPECT_EQ(words.column_name(2), "v=other");
}

TEST(Vocabulary, RefusesIntegersOutOfRange) {
  const Vocabulary words(read_word_spec("v[5..7]", "k", 8), "", "k");

  EXPECT_EQ(words.width(), 3u);
  EXPECT_EQ(words.column_of("7"), 2u);
  EXPECT_EQ(words.column_of("8"), Vocabulary::kRefused);
  EXPECT_EQ(words.column_of("x"), Vocabulary::kRefused);
  EXPECT_EQ(words.column_name(2), "v=7");
}

TEST(Vocabulary, TakesWordsFromAFile) {
  const DataFolder folder;
  folder.write("words.csv", "n,v\n1,x\n2,y\n3,x\n4,\n");

  const Vocabulary words(read_word_spec("v@words.csv", "k", 8), folder.path(), "k");

  EXPECT_EQ(words.width(), 3u);
  EXPECT_EQ(words.column_of("y"), 1u);
}

TEST(Vocabulary, RefusesAFileWithoutWords) {
  const DataFolder folder;
  folder.write("words.csv", "v\n");

  EXPECT_EQ(refusal([&] { Vocabulary(read_word_spec("v@words.csv", "k", 8), folder.path(), "k"); },
                    folder.path().string()),
            "words.csv: the column 'v' has no words, but k takes its vocabulary from there");
}

TEST(Vocabulary, HashesIntoBuckets) {
  const Vocabulary words(read_word_spec("v#10", "k", 8), "", "k"),
      counted(read_word_spec("v", "k", 8), "", "k");

  EXPECT_EQ(words.column_of("x"), text_hash("x") % 10);
  EXPECT_EQ(words.column_name(3), "v#3");
  EXPECT_FALSE(words.counted());
  EXPECT_TRUE(counted.counted());
  EXPECT_EQ(counted.width(), 8u);
}

TEST(Cleaning, ReadsItsRules) {
  const Cleaning cleaning = read_cleaning({"missing:drop", "duplicates:drop", "outliers:4.5"});

  EXPECT_EQ(cleaning.missing, Cleaning::Missing::drop);
  EXPECT_TRUE(cleaning.drop_duplicates);
  EXPECT_EQ(cleaning.outlier_limit, 4.5);
}

TEST(Cleaning, RefusesOtherRules) {
  for (const std::string rule : {"missing", "missing:median", "outliers:0", "outliers:x", "duplicates"}) {
    EXPECT_EQ(
        refusal([&] { read_cleaning({rule}); }).find("data.clean: cannot read '" + rule + "'; expected"), 0u);
  }
}

TEST(MappedFile, RefusesWhatIsNoReadableFile) {
  const DataFolder folder;

  EXPECT_EQ(refusal([&] { MappedFile(folder.path() / "absent", "data.path"); }, folder.path().string()),
            "absent: cannot be read: No such file or directory; check data.path");
  EXPECT_NE(refusal([&] { MappedFile(folder.path(), "data.path"); }).find("it is not a regular file"),
            std::string::npos);
}

}  // namespace
}  // namespace hanse
