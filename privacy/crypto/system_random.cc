#include "privacy/crypto/system_random.h"

#include <openssl/rand.h>
#include <unistd.h>

#include <cstring>

#include "privacy/crypto/openssl.h"
#include "privacy/crypto/secret.h"

namespace hanse {
namespace {

constexpr std::size_t kRequestMax = std::size_t{1} << 20;

void fill_from_system(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), kRequestMax);
    // A generator that fails ends the process rather than the secrecy.
    openssl::must(RAND_priv_bytes(openssl::raw(out.data()), static_cast<int>(count)) == 1,
                  "the system gives random bytes");
    out = out.subspan(count);
  }
}

}  // namespace

SystemRandom::~SystemRandom() {
  wipe(buffer_);
}

void SystemRandom::fill(std::span<std::byte> out) {
  if (out.empty() || out.size() > buffer_.size() / 4) {
    fill_from_system(out);
    return;
  }
  if (used_ + out.size() > buffer_.size() || process_ != getpid()) {
    fill_from_system(buffer_);
    used_ = 0;
    process_ = getpid();
  }
  const auto served = std::span(buffer_).subspan(used_, out.size());
  std::memcpy(out.data(), served.data(), served.size());
  wipe(served);
  used_ += out.size();
}

}  // namespace hanse
