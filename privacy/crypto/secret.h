#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace hanse {

/// Overwrites memory in a way no compiler leaves out (OPENSSL_cleanse).
void wipe(std::span<std::byte> memory);

/// Constant-time comparison of equally long spans.
bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b);

/// A fixed-size secret: wiped when it dies or is moved from, cannot be copied, printed, compared in variable
/// time or serialised by accident. expose() is the only way to its bytes, and easy to search for.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  ~Secret() { wipe(bytes_); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }

  /// A deliberate second copy of the same secret.
  Secret duplicate() const {
    Secret copy;
    copy.bytes_ = bytes_;
    return copy;
  }
  std::span<const std::byte, N> expose() const { return bytes_; }
  std::span<std::byte, N> expose_for_writing() { return bytes_; }

  friend bool operator==(const Secret& a, const Secret& b) {
    return equal_in_constant_time(a.bytes_, b.bytes_);
  }

 private:
  std::array<std::byte, N> bytes_{};
};

}  // namespace hanse
