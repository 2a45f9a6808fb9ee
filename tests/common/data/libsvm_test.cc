#include "common/data/libsvm.h"

#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

std::string refusal_of(const std::string& text) {
  return refusal([&] {
    LibsvmReader reader(text, "f", 10);
    while (reader.next()) {
    }
  });
}

TEST(Libsvm, ReadsLabelsIndicesAndValues) {
  LibsvmReader reader("+1 1:0.5 10:-2\r\n\n-1\n0 3:0 4:1 # comment\n1 2:1e-3", "f", 10);

  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.label(), 1);
  EXPECT_EQ(reader.columns(), (std::vector<std::uint32_t>{0, 9}));
  EXPECT_EQ(reader.values(), (std::vector<float>{0.5F, -2}));
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.label(), 0);
  EXPECT_TRUE(reader.columns().empty());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.columns(), (std::vector<std::uint32_t>{3}));
  EXPECT_EQ(reader.place(), "f:4");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.label(), 1);
  EXPECT_FALSE(reader.next());
}

TEST(Libsvm, RefusesWhatDoesNotFollowTheFormat) {
  EXPECT_EQ(refusal_of("2 1:1\n"), "f:1: label: expected +1, -1, 1 or 0, got '2'");
  EXPECT_EQ(refusal_of("1 1:1\n1 1:x\n"), "f:2: expected INDEX:VALUE with a finite number, got '1:x'");
  EXPECT_EQ(refusal_of("1 3\n"), "f:1: expected INDEX:VALUE with a finite number, got '3'");
  EXPECT_EQ(refusal_of("1 3:nan\n"), "f:1: expected INDEX:VALUE with a finite number, got '3:nan'");
  EXPECT_EQ(refusal_of("1 0:1\n"), "f:1: index 0 follows index 0; indices begin at 1 and increase");
  EXPECT_EQ(refusal_of("1 3:1 2:1\n"), "f:1: index 2 follows index 3; indices begin at 1 and increase");
  EXPECT_EQ(refusal_of("1 11:1\n"), "f:1: index 11 is beyond data.features = 10");
  EXPECT_EQ(refusal_of(" \n"), "f: the file is empty; expected lines 'LABEL INDEX:VALUE ...'");
  EXPECT_NE(refusal([] { LibsvmReader("1 1:1\n", "f", 0); }).find("data.features is 0"), std::string::npos);
}

}  // namespace
}  // namespace hanse
