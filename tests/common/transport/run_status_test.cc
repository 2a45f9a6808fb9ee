#include "common/transport/run_status.h"
#include "tests/support/test_folder.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace hanse {
namespace {

TEST(RunStatus, IsReadBackByTheLauncher) {
  const std::string file = test_folder().string() + "/hanse_run_status";
  ::setenv(kStatusVariable, file.c_str(), 1);
  EXPECT_FALSE(read_run_status(file).code);
  EXPECT_FALSE(read_run_status(file).coordinator);

  write_run_started();
  EXPECT_EQ(read_run_status(file).coordinator, ::getpid());
  EXPECT_FALSE(read_run_status(file).code);

  write_run_status(3);
  EXPECT_EQ(read_run_status(file).code, 3);
  EXPECT_FALSE(read_run_status(file).coordinator);
  EXPECT_FALSE(read_run_status(file).again);

  write_run_status(3, true);
  EXPECT_EQ(read_run_status(file).code, 3);
  EXPECT_TRUE(read_run_status(file).again);
  ::unsetenv(kStatusVariable);
  std::filesystem::remove(file);
}

TEST(RunStatus, IsTouchedAsASignOfLife) {
  const std::string file = test_folder().string() + "/hanse_run_status_alive";
  ::setenv(kStatusVariable, file.c_str(), 1);
  write_run_started();
  const auto long_ago = std::filesystem::last_write_time(file) - std::chrono::hours(1);
  std::filesystem::last_write_time(file, long_ago);

  write_sign_of_life();

  EXPECT_GT(std::filesystem::last_write_time(file), long_ago);
  EXPECT_EQ(read_run_status(file).coordinator, ::getpid());
  ::unsetenv(kStatusVariable);
}

TEST(RunStatus, IsNothingWhenItIsOfAnotherForm) {
  const std::string file = test_folder().string() + "/hanse_run_status_other";
  for (const char* text : {"", "done", "round 3", "done x", "done 300", "done -1", "running", "running x",
                           "running 1", "running -5"}) {
    std::ofstream(file) << text;

    EXPECT_FALSE(read_run_status(file).code) << text;
    EXPECT_FALSE(read_run_status(file).coordinator) << text;
  }
  std::filesystem::remove(file);
}

TEST(RunStatus, IsWrittenNowhereUnderAPlainMpirun) {
  ::unsetenv(kStatusVariable);

  EXPECT_NO_THROW(write_run_started());
  EXPECT_NO_THROW(write_sign_of_life());
  EXPECT_NO_THROW(write_run_status(0));
}

}  // namespace
}  // namespace hanse
