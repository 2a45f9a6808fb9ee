// A disk that is full, or takes nothing: a sentence, exit code 3, and nothing lost of what was done.

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

/// A disk in memory, seen by this process and its children alone.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& place) : place_(place) {
    fs::create_directories(place_);
    ready_ = ::unshare(CLONE_NEWNS) == 0 &&
             ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             ::mount("tmpfs", place_.c_str(), "tmpfs", 0, "size=400k") == 0;
    why_ = ready_ ? "" : std::strerror(errno);
  }
  ~SmallDisk() {
    if (ready_) {
      ::umount2(place_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool ready() const { return ready_; }
  const std::string& why() const { return why_; }
  bool remount(unsigned long flags, const char* options) const {
    return ::mount("tmpfs", place_.c_str(), "tmpfs", MS_REMOUNT | flags, options) == 0;
  }

 private:
  fs::path place_;
  bool ready_ = false;
  std::string why_;
};

TEST(DiskFull, EndsARunWithASentenceAndItContinuesOnceThereIsRoom) {
  const MarketFolder market(4, 12);
  const SmallDisk disk(market / "disk");
  if (!disk.ready()) {
    GTEST_SKIP() << "needs the right to mount a disk in memory: " << disk.why();
  }
  const std::vector<std::string> words = {"hanse", "run", "shop.ini", "-n", "2", "federation.rounds=70"};
  const auto with = [&](std::vector<std::string> settings) {
    settings.insert(settings.begin(), words.begin(), words.end());
    return settings;
  };
  const Outcome undisturbed = run_in(market.path(), with({"output.dir=run"}));
  ASSERT_EQ(undisturbed.code, 0) << undisturbed.output << undisturbed.errors;

  // Full in mid-run.
  const Outcome full = run_in(market.path(), with({"output.dir=disk/run"}));
  EXPECT_EQ(full.code, 3) << full.output << full.errors;
  EXPECT_NE(full.errors.find("No space left on device"), std::string::npos) << full.errors;
  EXPECT_FALSE(fs::exists(market / "disk" / "run" / "model" / "model.hanse"));
  EXPECT_EQ(processes_with(market.path().string()).size(), 0u);
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "disk/run"});
  EXPECT_EQ(audit.code, 3) << "unfinished, and not broken: " << audit.output << audit.errors;

  // Read-only.
  ASSERT_TRUE(disk.remount(MS_RDONLY, nullptr)) << std::strerror(errno);
  const Outcome sealed = run_in(market.path(), with({"output.dir=disk/run", "federation.resume=true"}));
  EXPECT_EQ(sealed.code, 3) << sealed.output << sealed.errors;
  EXPECT_NE(sealed.errors.find("Read-only file system"), std::string::npos) << sealed.errors;

  // Room.
  ASSERT_TRUE(disk.remount(0, "size=20m")) << std::strerror(errno);
  const Outcome continued = run_in(market.path(), with({"output.dir=disk/run", "federation.resume=true"}));
  EXPECT_EQ(continued.code, 0) << continued.output << continued.errors;
  EXPECT_TRUE(model_files(market / "run") == model_files(market / "disk" / "run"));
  const Outcome holds = run_in(market.path(), {"hanse", "audit", "disk/run"});
  EXPECT_EQ(holds.code, 0) << holds.output << holds.errors;
}

}  // namespace
}  // namespace hanse
