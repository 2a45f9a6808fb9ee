#include "common/data/words_of_text.h"

#include <string>
#include <vector>

namespace hanse {
namespace {

std::vector<std::string> runs_of(std::string_view text, std::size_t count = 1) {
  WordsOfText words;
  words.read(text);
  std::vector<std::string> runs;
  for (std::size_t first = 0; first + count <= words.words(); ++first) {
    runs.emplace_back(words.run(first, count));
  }
  return runs;
}

using Words = std::vector<std::string>;

TEST(WordsOfText, AreRunsOfLettersAndDigitsInSmallLetters) {
  EXPECT_EQ(runs_of("How do I top-up 50 EUR?"), (Words{"how", "do", "i", "top", "up", "50", "eur"}));
}

TEST(WordsOfText, NeighboursMakeRunsWithOneSpaceBetweenThem) {
  EXPECT_EQ(runs_of("my  card,\nplease", 2), (Words{"my card", "card please"}));
  EXPECT_EQ(runs_of("my  card,\nplease", 3), (Words{"my card please"}));
  EXPECT_TRUE(runs_of("card", 2).empty());
}

TEST(WordsOfText, LettersOutsideAsciiBelongToWords) {
  EXPECT_EQ(runs_of("Ärger über CAFÉ"), (Words{"ärger", "über", "café"}));
  EXPECT_EQ(runs_of("ΚΑΡΤΑ Карта ЁЛКА"), (Words{"καρτα", "карта", "ёлка"}));
  EXPECT_EQ(runs_of("卡 𝒳y"), (Words{"卡", "𝒳y"}));
}

TEST(WordsOfText, PunctuationOutsideAsciiSeparatesWords) {
  EXPECT_EQ(runs_of("card’s “top” – up… £5 你好。再见"),
            (Words{"card", "s", "top", "up", "5", "你好", "再见"}));
}

TEST(WordsOfText, BytesThatAreNoUtf8SeparateWords) {
  EXPECT_EQ(runs_of("a\xffz b\xc3"), (Words{"a", "z", "b"}));
  EXPECT_EQ(runs_of("x\xc0\xaf\x79 \xe4\xb8 q \xf9\x80\x80\x80\x80w"), (Words{"x", "y", "q", "w"}));
}

TEST(WordsOfText, OfNothingAreNone) {
  EXPECT_TRUE(runs_of("").empty());
  EXPECT_TRUE(runs_of(" ?! ").empty());
}

TEST(WordsOfText, ForgetsTheLastText) {
  WordsOfText words;
  words.read("one two three");

  words.read("four");

  ASSERT_EQ(words.words(), 1u);
  EXPECT_EQ(words.run(0, 1), "four");
}

}  // namespace
}  // namespace hanse
