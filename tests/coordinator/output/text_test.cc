#include "coordinator/output/text.h"

#include <cmath>
#include <limits>

namespace hanse {
namespace {

TEST(Text, EscapesEverythingThatHtmlReads) {
  EXPECT_EQ(escaped("<script>alert('a\" & b')</script>"),
            "&lt;script&gt;alert(&#39;a&quot; &amp; b&#39;)&lt;/script&gt;");
  EXPECT_EQ(escaped("Käse & Söhne"), "Käse &amp; Söhne");
}

TEST(Text, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(escaped(std::string("a\0b\x1b", 4)),
            "a\uFFFD"
            "b\uFFFD");
  EXPECT_EQ(escaped("\xC3"), "\uFFFD");
  EXPECT_EQ(escaped("\xC0\xBC"), "\uFFFD\uFFFD");            // An over-long '<'.
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // A surrogate.
}

TEST(Text, WritesNumbersForPeople) {
  EXPECT_EQ(number_text(0.81239, 4), "0.8124");
  EXPECT_EQ(number_text(12345678.0), "1.235e+7");
  EXPECT_EQ(number_text(20000), "20000");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "∞");
  EXPECT_EQ(number_text(std::nan("")), "–");
  EXPECT_EQ(count_text(1234), "1234");
  EXPECT_EQ(count_text(1234567), "1\u202F234\u202F567");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(12'300'000), "12.3 MB");
}

TEST(Text, NeverRoundsABoundDown) {
  EXPECT_EQ(bound_text(3.9812), "3.99");
  EXPECT_EQ(bound_text(2.0), "2");
  EXPECT_EQ(bound_text(0.84), "0.84");
  EXPECT_EQ(bound_text(0.0010001), "0.00101");
  EXPECT_EQ(bound_text(0), "0");
  EXPECT_EQ(bound_text(std::numeric_limits<double>::infinity()), "∞");
  for (double value = 0.013; value < 1000; value *= 1.37) {
    EXPECT_GE(std::stod(bound_text(value)), value * (1 - 1e-11));
    EXPECT_LE(std::stod(bound_text(value)), value * 1.0101);
  }
}

}  // namespace
}  // namespace hanse
