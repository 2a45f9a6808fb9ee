#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/base/bytes.h"
#include "privacy/crypto/signature.h"

namespace hanse {

/// A signature that somebody is said to have made.
struct SignedMessage {
  PublicKey key{};
  Bytes message;
  Signature signature{};
  std::string fault;  ///< The sentence for the case that it does not hold.
};

/// The places of those that do not hold, increasing. A signature takes about 0.1 ms; many are shared among the threads
/// of this machine.
std::vector<std::size_t> unverified(std::span<const SignedMessage> messages);

}  // namespace hanse
