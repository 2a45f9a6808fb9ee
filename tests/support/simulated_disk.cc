#include "tests/support/simulated_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <exception>

namespace hanse {
namespace {

namespace fs = std::filesystem;

int sys_open(const char* path, int flags, mode_t mode) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
ssize_t sys_write(int descriptor, const void* bytes, std::size_t size) {
  return ::syscall(SYS_write, descriptor, bytes, size);
}
int sys_fsync(int descriptor) {
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
int sys_fdatasync(int descriptor) {
  return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}
int sys_rename(const char* from, const char* to) {
  return static_cast<int>(::syscall(SYS_rename, from, to));
}
int sys_link(const char* file, const char* name) {
  return static_cast<int>(::syscall(SYS_link, file, name));
}
int sys_unlink(const char* path) {
  return static_cast<int>(::syscall(SYS_unlink, path));
}
int sys_mkdir(const char* path, mode_t mode) {
  return static_cast<int>(::syscall(SYS_mkdir, path, mode));
}
int sys_rmdir(const char* path) {
  return static_cast<int>(::syscall(SYS_rmdir, path));
}
int sys_truncate(const char* path, off_t size) {
  return static_cast<int>(::syscall(SYS_truncate, path, size));
}
int sys_close(int descriptor) {
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

bool is_there(const char* path) {
  return ::access(path, F_OK) == 0;
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

int refused() {
  errno = EIO;
  return -1;
}

}  // namespace

SimulatedDisk& SimulatedDisk::the() {
  static SimulatedDisk& disk = *new SimulatedDisk;  // Files are closed to the very end of the process.
  return disk;
}

void SimulatedDisk::watch(const fs::path& folder, std::function<bool(Owner)> is_last) {
  forget();
  kept_folder_ = folder.string() + ".kept";
  fs::create_directories(folder);
  fs::create_directories(kept_folder_);
  folder_ = folder.string() + "/";
  is_last_ = std::move(is_last);
}

void SimulatedDisk::forget() {
  const fs::path folder = folder_;
  folder_.clear();
  is_last_ = nullptr;
  forget_all();
  descriptors_.clear();
  dead_.clear();
  acting_ = 0;
  if (!folder.empty()) {
    fs::remove_all(folder.parent_path());
    fs::remove_all(kept_folder_);
  }
}

void SimulatedDisk::forget_all() {
  changes_.clear();
  for (const auto& [inode, tail] : tails_) {
    sys_close(tail.descriptor);
  }
  tails_.clear();
}

bool SimulatedDisk::watches(const char* path) const {
  return !folder_.empty() && std::string_view(path).starts_with(folder_);
}

void SimulatedDisk::leave() const {
  if (std::uncaught_exceptions() == 0) {
    throw Died{acting_};
  }
}

void SimulatedDisk::step() {
  if (!may_act() || dies()) {
    leave();
  }
}

/// A change of names: made or not when it is the last step, and its program never hears of it.
template <class Call>
int SimulatedDisk::change(Call call, std::optional<Change> undo) {
  if (!may_act() || dies()) {
    return refused();
  }
  const int result = call();
  if (result >= 0 && undo) {
    changes_.push_back(std::move(*undo));
  }
  (void)dies();  // These calls do not throw: the next one does.
  return result;
}

std::string SimulatedDisk::keep(const char* path) {
  const std::string kept = kept_folder_ + "/" + std::to_string(kept_++);
  return sys_link(path, kept.c_str()) == 0 ? kept : "";
}

int SimulatedDisk::opened(const char* path, int flags, mode_t mode) {
  if (!watches(path)) {
    return sys_open(path, flags, mode);
  }
  const bool makes = (flags & O_CREAT) != 0 && !is_there(path);
  const bool empties = (flags & O_TRUNC) != 0;
  int descriptor = -1;
  if (makes || empties) {
    std::optional<Change> made;
    if (makes) {
      made = Change{.kind = Change::Kind::made, .owner = acting_, .path = path};
    }
    descriptor = change([&] { return sys_open(path, flags, mode); }, std::move(made));
  } else {
    descriptor = sys_open(path, flags, mode);
  }
  if (descriptor >= 0) {
    descriptors_[descriptor] = path;
    if (empties && !makes) {
      note_tail(descriptor);
    }
  }
  return descriptor;
}

/// From here on the file has bytes that may be lost.
void SimulatedDisk::note_tail(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || tails_.contains({status.st_dev, status.st_ino})) {
    return;
  }
  tails_.emplace(Inode{status.st_dev, status.st_ino},
                 Tail{acting_, static_cast<int>(::syscall(SYS_dup, descriptor)), status.st_size});
}

void SimulatedDisk::drop_tail(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    return;
  }
  const auto tail = tails_.find({status.st_dev, status.st_ino});
  if (tail != tails_.end()) {
    sys_close(tail->second.descriptor);
    tails_.erase(tail);
  }
}

ssize_t SimulatedDisk::written(int descriptor, const void* bytes, std::size_t size) {
  if (!descriptors_.contains(descriptor)) {
    return may_act() ? sys_write(descriptor, bytes, size) : static_cast<ssize_t>(size);
  }
  if (!may_act()) {
    leave();
    return refused();
  }
  note_tail(descriptor);
  if (dies()) {
    (void)sys_write(descriptor, bytes, size / 2);
    leave();
    return refused();
  }
  const ssize_t count = sys_write(descriptor, bytes, size);
  step();
  return count;
}

int SimulatedDisk::synced(int descriptor, int (*call)(int)) {
  const auto path = descriptors_.find(descriptor);
  if (path == descriptors_.end()) {
    return call(descriptor);
  }
  step();
  if (!may_act()) {
    return refused();
  }
  drop_tail(descriptor);
  std::erase_if(changes_, [&](const Change& one) { return folder_of(one.path) == path->second; });
  step();
  return 0;
}

int SimulatedDisk::all_synced(int descriptor) {
  if (!descriptors_.contains(descriptor)) {
    return static_cast<int>(::syscall(SYS_syncfs, descriptor));
  }
  if (!may_act() || dies()) {
    return refused();
  }
  forget_all();
  (void)dies();
  return 0;
}

int SimulatedDisk::closed(int descriptor) {
  descriptors_.erase(descriptor);
  return sys_close(descriptor);
}

int SimulatedDisk::renamed(const char* from, const char* to) {
  if (!watches(from)) {
    return sys_rename(from, to);
  }
  struct stat a {};
  struct stat b {};
  if (::stat(from, &a) == 0 && ::stat(to, &b) == 0 && a.st_ino == b.st_ino) {
    return may_act() ? sys_rename(from, to) : refused();  // Two names of one file: nothing happens.
  }
  return change([&] { return sys_rename(from, to); }, Change{.kind = Change::Kind::moved,
                                                             .owner = acting_,
                                                             .path = to,
                                                             .from = from,
                                                             .kept = is_there(to) ? keep(to) : ""});
}

int SimulatedDisk::linked(const char* file, const char* name) {
  if (!watches(name)) {
    return sys_link(file, name);
  }
  return change([&] { return sys_link(file, name); },
                Change{.kind = Change::Kind::made, .owner = acting_, .path = name});
}

int SimulatedDisk::unlinked(const char* path) {
  if (!watches(path)) {
    return sys_unlink(path);
  }
  if (!is_there(path)) {
    return sys_unlink(path);
  }
  return change(
      [&] { return sys_unlink(path); },
      Change{.kind = Change::Kind::removed, .owner = acting_, .path = path, .from = "", .kept = keep(path)});
}

int SimulatedDisk::folder_made(const char* path, mode_t mode) {
  if (!watches(path) || is_there(path)) {
    return sys_mkdir(path, mode);
  }
  return change([&] { return sys_mkdir(path, mode); },
                Change{.kind = Change::Kind::folder, .owner = acting_, .path = path});
}

/// Only what was torn before is cut off; that this is lost again is as if it had been torn once more.
int SimulatedDisk::cut(const char* path, off_t size) {
  if (!watches(path)) {
    return sys_truncate(path, size);
  }
  return change([&] { return sys_truncate(path, size); }, std::nullopt);
}

void SimulatedDisk::undo(const Change& one, bool whole) {
  switch (one.kind) {
    case Change::Kind::made:
      sys_unlink(one.path.c_str());
      return;
    case Change::Kind::folder:
      if (whole) {
        std::error_code none;
        fs::remove_all(one.path, none);
      } else {
        sys_rmdir(one.path.c_str());
      }
      return;
    case Change::Kind::moved:
      sys_rename(one.path.c_str(), one.from.c_str());
      break;
    case Change::Kind::removed:
      break;
  }
  if (!one.kept.empty()) {
    sys_link(one.kept.c_str(), one.path.c_str());
  }
}

void SimulatedDisk::cut_power(const std::set<Owner>& owners, bool whole, SeededGenerator& random) {
  for (auto tail = tails_.begin(); tail != tails_.end();) {
    if (!owners.contains(tail->second.owner)) {
      ++tail;
      continue;
    }
    struct stat status {};
    ::fstat(tail->second.descriptor, &status);
    const auto lost = static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size - tail->second.on_disk));
    const auto kept = tail->second.on_disk + static_cast<off_t>(random.below(lost + 1));
    (void)::ftruncate(tail->second.descriptor, kept);
    if (kept < status.st_size && random.below(4) == 0) {
      (void)::ftruncate(tail->second.descriptor, status.st_size);  // What is missing reads as zeros.
    }
    sys_close(tail->second.descriptor);
    tail = tails_.erase(tail);
  }
  std::vector<Change> theirs;
  std::ranges::copy_if(changes_, std::back_inserter(theirs),
                       [&](const Change& one) { return owners.contains(one.owner); });
  std::erase_if(changes_, [&](const Change& one) { return owners.contains(one.owner); });
  const std::size_t kept = random.below(theirs.size() + 1);
  while (theirs.size() > kept) {
    undo(theirs.back(), whole);
    theirs.pop_back();
  }
}

}  // namespace hanse

using hanse::SimulatedDisk;

extern "C" {
int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  return SimulatedDisk::the().opened(path, flags, mode);
}
int close(int descriptor) {
  return SimulatedDisk::the().closed(descriptor);
}
ssize_t write(int descriptor, const void* bytes, std::size_t size) {
  return SimulatedDisk::the().written(descriptor, bytes, size);
}
int fsync(int descriptor) {
  return SimulatedDisk::the().synced(descriptor, hanse::sys_fsync);
}
int fdatasync(int descriptor) {
  return SimulatedDisk::the().synced(descriptor, hanse::sys_fdatasync);
}
int syncfs(int descriptor) noexcept {
  return SimulatedDisk::the().all_synced(descriptor);
}
int rename(const char* from, const char* to) noexcept {
  return SimulatedDisk::the().renamed(from, to);
}
int link(const char* file, const char* name) noexcept {
  return SimulatedDisk::the().linked(file, name);
}
int unlink(const char* path) noexcept {
  return SimulatedDisk::the().unlinked(path);
}
int remove(const char* path) noexcept {
  const int result = SimulatedDisk::the().unlinked(path);
  return result != 0 && errno == EISDIR ? hanse::sys_rmdir(path) : result;
}
int mkdir(const char* path, mode_t mode) noexcept {
  return SimulatedDisk::the().folder_made(path, mode);
}
int truncate(const char* path, off_t size) noexcept {
  return SimulatedDisk::the().cut(path, size);
}
}
