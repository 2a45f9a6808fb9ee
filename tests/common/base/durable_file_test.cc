#include "common/base/durable_file.h"

#include <filesystem>
#include <string>

#include "common/base/failure.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

class DurableFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test_folder() / "hanse_durable_file";
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  std::filesystem::path folder_;
};

TEST_F(DurableFile, ReplacesTheOldContentAndLeavesNothingBeside) {
  write_durably(folder_ / "a", "old");
  write_durably(folder_ / "a", "new");

  EXPECT_EQ(read_file(folder_ / "a"), "new");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.new"));
}

TEST_F(DurableFile, WritesWhatIsPrivateForItsOwnerAloneWhateverACrashLeft) {
  write_durably(folder_ / "a.new", "left by a crash");
  write_durably(folder_ / "a", "old");

  write_privately(folder_ / "a", "secret");

  using std::filesystem::perms;
  EXPECT_EQ(read_file(folder_ / "a"), "secret");
  EXPECT_EQ(std::filesystem::status(folder_ / "a").permissions(), perms::owner_read | perms::owner_write);
}

TEST_F(DurableFile, ReadsAnEmptyFile) {
  write_durably(folder_ / "empty", "");

  EXPECT_EQ(read_file(folder_ / "empty"), "");
}

TEST_F(DurableFile, NamesTheFileThatCannotBeRead) {
  try {
    read_file(folder_ / "missing.csv");
    FAIL() << "a missing file was read";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    EXPECT_NE(std::string(failure.what()).find("missing.csv"), std::string::npos);
  }
}

TEST_F(DurableFile, MakesAFolderWithThoseAboveIt) {
  make_folder_durably(folder_ / "a" / "b" / "c/");
  make_folder_durably(folder_ / "a" / "b");
  make_folder_durably("");

  EXPECT_TRUE(std::filesystem::is_directory(folder_ / "a" / "b" / "c"));
}

TEST_F(DurableFile, NamesTheFolderThatCannotBeMade) {
  write_durably(folder_ / "file", "");

  try {
    make_folder_durably(folder_ / "file" / "below");
    FAIL() << "a folder was made below a file";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::could_not_finish);
    EXPECT_NE(std::string(failure.what()).find("file"), std::string::npos);
  }
}

TEST_F(DurableFile, AppendsLines) {
  {
    DurableLog log(folder_ / "log");
    log.append("one");
    log.append("two");
  }

  EXPECT_EQ(read_file(folder_ / "log"), "one\ntwo\n");
}

TEST_F(DurableFile, SaysWhenTheDiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) {
    GTEST_SKIP() << "no /dev/full here";
  }
  DurableLog log("/dev/full");

  EXPECT_THROW(log.append("x"), Failure);
}

}  // namespace
}  // namespace hanse
