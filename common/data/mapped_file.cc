#include "common/data/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "common/base/failure.h"

namespace hanse {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view key, const std::string& why) {
  throw bad_input(path.string() + ": cannot be read: " + why + "; check " + std::string(key));
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path, std::string_view key) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    refuse(path, key, std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file);
    refuse(path, key, "it is not a regular file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > 0) {  // An empty file cannot be mapped, and need not be.
    void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    const int error = errno;
    if (memory == MAP_FAILED) {
      ::close(file);
      refuse(path, key, std::strerror(error));
    }
    ::madvise(memory, size, MADV_SEQUENTIAL);
    text_ = {static_cast<const char*>(memory), size};
  }
  ::close(file);
}

MappedFile::~MappedFile() {
  if (!text_.empty()) {
    ::munmap(const_cast<char*>(text_.data()), text_.size());
  }
}

}  // namespace hanse
