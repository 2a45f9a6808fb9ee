#include "common/transport/run_status.h"
#include "tests/support/test_folder.h"

#include <cstdlib>
#include <fstream>
#include <string>

namespace hanse {
namespace {

TEST(RunStatus, IsReadBackByTheLauncher) {
  const std::string file = test_folder().string() + "/hanse_run_status";
  ::setenv(kStatusVariable, file.c_str(), 1);
  EXPECT_EQ(read_run_status(file), std::nullopt);

  write_run_status(3);

  EXPECT_EQ(read_run_status(file), 3);
  ::unsetenv(kStatusVariable);
  std::filesystem::remove(file);
}

TEST(RunStatus, IsNothingWhenItIsOfAnotherForm) {
  const std::string file = test_folder().string() + "/hanse_run_status_other";
  for (const char* text : {"", "done", "round 3", "done x", "done 300", "done -1"}) {
    std::ofstream(file) << text;

    EXPECT_EQ(read_run_status(file), std::nullopt) << text;
  }
  std::filesystem::remove(file);
}

TEST(RunStatus, IsWrittenNowhereUnderAPlainMpirun) {
  ::unsetenv(kStatusVariable);

  EXPECT_NO_THROW(write_run_status(0));
}

}  // namespace
}  // namespace hanse
