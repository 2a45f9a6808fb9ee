#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/bytes.h"
#include "common/transport/channel.h"

namespace hanse {

/// What the peers of the contract's tests do with a message: its first byte is the command.
///   'e' ...          answers with the whole message
///   'b' u32 n u32 s  answers with n messages of s bytes, each beginning with its number (s is at least 4)
///   's'              answers nothing
///   'z'              answers with an empty message
std::vector<Bytes> contract_peer(ByteView message);

/// Content of `size` bytes that a test can predict.
Bytes pattern(std::size_t size, std::uint32_t salt);

/// The coordinator's end of a channel with at least one contract peer, and its clock; set by the program that
/// links the contract.
struct ContractChannel {
  Channel* channel = nullptr;
  const Clock* clock = nullptr;
};
ContractChannel contract_channel();

}  // namespace hanse
