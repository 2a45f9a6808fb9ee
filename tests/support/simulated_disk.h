#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/seeded_generator.h"

namespace hanse {

/// The disk of a federation that runs in one process, and what the end of one of its programs, or a power cut, does to it.
/// Files are real ones below a watched folder, and the code under test is the product's own: this stands between it and the
/// system's calls (open, write, fsync, fdatasync, syncfs, rename, link, unlink, remove, mkdir, truncate), of which a test
/// program that links this has its own.
///
/// Whoever acts (act_as()) is asked for a step before and after each call that changes the disk or waits for it; at its last
/// step it dies: the call is not made, or in part, or made and never answered; a Died is thrown from calls that may throw,
/// at once or at the next of them, and nothing that its unwinding code does reaches the disk.
///
/// What was not waited for may be lost by cut_power():
///   - bytes written behind the last fsync or fdatasync of the file, or syncfs: any number of the last ones, which may read
///     as zeros before they are lost whole;
///   - names made, moved, linked or removed behind the last fsync of their folder, or syncfs: any number of the last ones. A
///     folder takes with it what is in it.
class SimulatedDisk {
 public:
  /// 0 the coordinator, 1 ... W the workers.
  using Owner = std::uint32_t;
  /// Thrown by the program that dies. No std::exception: nobody catches it but the test.
  struct Died {
    Owner who;
  };

  /// The only one: system calls are the process's.
  static SimulatedDisk& the();

  /// Watches `folder`, which is made afresh; all is forgotten that was watched before. `is_last` is asked at each step.
  void watch(const std::filesystem::path& folder, std::function<bool(Owner)> is_last);
  /// Removes the folder and watches nothing.
  void forget();

  /// Who acts from now on; who did before.
  Owner act_as(Owner owner) { return std::exchange(acting_, owner); }
  /// A step of whoever acts that is no call to the disk. Throws Died when it is its last, or when it is dead already.
  void step();
  void kill(Owner owner) { dead_.insert(owner); }
  bool is_dead(Owner owner) const { return dead_.contains(owner); }
  /// Everybody is alive again: new programs.
  void revive_all() { dead_.clear(); }
  /// Loses what these had not waited for. `whole`: nobody else has files there, so that folders are lost with what is in
  /// them.
  void cut_power(const std::set<Owner>& owners, bool whole, SeededGenerator& random);

  // The system's calls; not for tests.
  int opened(const char* path, int flags, mode_t mode);
  ssize_t written(int descriptor, const void* bytes, std::size_t size);
  int synced(int descriptor, int (*call)(int));
  int all_synced(int descriptor);
  int closed(int descriptor);
  int renamed(const char* from, const char* to);
  int linked(const char* file, const char* name);
  int unlinked(const char* path);
  int folder_made(const char* path, mode_t mode);
  int cut(const char* path, off_t size);

 private:
  /// A change of names that is not on the disk yet.
  struct Change {
    enum class Kind { made, folder, moved, removed } kind;
    Owner owner;
    std::string path;       ///< What is there since.
    std::string from = "";  ///< Of what was moved.
    std::string kept = "";  ///< Another name of what was at `path` before.
  };
  /// A file with bytes that are not on the disk yet.
  struct Tail {
    Owner owner;
    int descriptor;
    off_t on_disk;
  };
  using Inode = std::pair<dev_t, ino_t>;

  SimulatedDisk() = default;
  bool watches(const char* path) const;
  bool may_act() const { return !dead_.contains(acting_); }
  bool dies() { return is_last_ && is_last_(acting_) && (dead_.insert(acting_), true); }
  void leave() const;
  template <class Call>
  int change(Call call, std::optional<Change> undo);
  std::string keep(const char* path);
  void note_tail(int descriptor);
  void drop_tail(int descriptor);
  void undo(const Change& change, bool whole);
  void forget_all();

  std::string folder_;
  std::string kept_folder_;
  std::uint64_t kept_ = 0;
  std::function<bool(Owner)> is_last_;
  Owner acting_ = 0;
  std::set<Owner> dead_;
  std::map<int, std::string> descriptors_;
  std::vector<Change> changes_;
  std::map<Inode, Tail> tails_;
};

}  // namespace hanse
