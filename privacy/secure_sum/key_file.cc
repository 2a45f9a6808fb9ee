#include "privacy/secure_sum/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "common/base/failure.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/read_hex.h"
#include "privacy/crypto/secret.h"

namespace hanse {
namespace {

constexpr std::string_view kHeader = "hanse signing key 1\n";
constexpr std::size_t kDigits = 64;
constexpr std::size_t kFileSize = kHeader.size() + kDigits + 1;
/// A file name has at most 255 bytes on common disks.
constexpr std::size_t kNameMax = 200;

/// Closes a descriptor at the end of its scope.
struct Descriptor {
  int number = -1;
  explicit Descriptor(int opened) : number(opened) {}
  ~Descriptor() {
    if (number >= 0) {
      ::close(number);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

void write_digits(const Secret<32>& seed, std::span<std::byte> out) {
  constexpr char digits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 32; ++i) {
    const auto byte = std::to_integer<unsigned>(seed.expose()[i]);
    out[2 * i] = static_cast<std::byte>(digits[byte >> 4]);
    out[2 * i + 1] = static_cast<std::byte>(digits[byte & 15]);
  }
}

/// Reads until `out` is full or the file ends; the number of bytes, or -1.
ssize_t read_all(int descriptor, std::span<std::byte> out) {
  std::size_t count = 0;
  while (count < out.size()) {
    const ssize_t got = ::read(descriptor, out.data() + count, out.size() - count);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return -1;
    }
    if (got == 0) {
      break;
    }
    count += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(count);
}

}  // namespace

void save_key(const std::filesystem::path& file, const SigningKey& key) {
  Secret<kFileSize> content;
  const std::span<std::byte> out = content.expose_for_writing();
  std::ranges::copy(bytes_of(kHeader), out.begin());
  write_digits(key.seed(), out.subspan(kHeader.size(), kDigits));
  out.back() = std::byte{'\n'};

  const Descriptor descriptor(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (descriptor.number < 0 && errno == EEXIST) {
    throw bad_input(file.string() +
                    " is there already, and a key is never overwritten: choose another folder");
  }
  if (descriptor.number < 0 ||
      ::write(descriptor.number, out.data(), out.size()) != static_cast<ssize_t>(out.size())) {
    throw Failure(ExitCode::could_not_finish, "cannot write " + file.string() + ": " + std::strerror(errno));
  }
}

SigningKey load_key(const std::filesystem::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (descriptor.number < 0 || ::fstat(descriptor.number, &status) != 0) {
    throw bad_input("cannot read the key file " + file.string() + ": " + std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    throw bad_input(file.string() + " is not a file, but a key was expected there");
  }
  if ((status.st_mode & 077) != 0) {
    throw bad_input(file.string() + " holds a private key but is open to other users: run chmod 600 on it");
  }
  Secret<kFileSize + 1> content;  // One byte more, to see that the file ends.
  const ssize_t size = read_all(descriptor.number, content.expose_for_writing());
  const std::string_view text(reinterpret_cast<const char*>(content.expose().data()), kFileSize);
  Secret<32> seed;
  if (size != static_cast<ssize_t>(kFileSize) || !text.starts_with(kHeader) || text.back() != '\n' ||
      !read_hex(text.substr(kHeader.size(), kDigits), seed.expose_for_writing())) {
    throw bad_input(
        file.string() +
        " is not a key file: the line \"hanse signing key 1\" and a line of 64 hexadecimal digits "
        "were expected");
  }
  return SigningKey::from_seed(std::move(seed));
}

std::string key_file_name(std::string_view merchant) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string name;
  for (const char c : merchant) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (c == '.' && !name.empty());
    if (plain) {
      name += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      name += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  if (name.size() > kNameMax) {
    name.resize(kNameMax - 40);
    name += "%..." + hex(sha256(bytes_of(merchant))).substr(0, 32);
  }
  return name + ".key";
}

}  // namespace hanse
