#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace hanse {

/// A message on the wire is a row of frames, each one header and at most 32 KiB of the message.
///
///     offset  0  u32  magic "HNSF"
///             4  u16  version
///             6  u16  type: 1 data, 2 acknowledgement
///             8  u64  sequence: of data, its number on this link from 0; of an acknowledgement, how many
///             data frames
///                     were taken
///            16  u64  length of the whole message
///            24  u32  index of the chunk in its message
///            28  u32  bytes of the message in this frame
struct FrameHeader {
  enum Type : std::uint16_t { data = 1, acknowledgement = 2 };

  std::uint16_t type = data;
  std::uint64_t sequence = 0;
  std::uint64_t message_length = 0;
  std::uint32_t chunk = 0;
  std::uint32_t chunk_length = 0;
};

inline constexpr std::size_t kFrameHeaderSize = 32;
inline constexpr std::size_t kChunkSize = 32 * 1024;
inline constexpr std::size_t kLongestFrame = kFrameHeaderSize + kChunkSize;
/// Data frames on their way to one peer without acknowledgement.
inline constexpr std::uint64_t kWindow = 4;

/// The frame of `header`, whose chunk_length is set from `chunk`.
Bytes write_frame(FrameHeader header, ByteView chunk);

/// The header of a frame that came from a peer, or why it is none.
Result<FrameHeader> read_frame(ByteView frame);

/// Puts one peer's data frames together. Only what can come next is accepted.
class Assembler {
 public:
  /// Takes a data frame; true when it ended a message, which take() then gives. `limit` bounds the message.
  Result<bool> add(const FrameHeader& header, ByteView chunk, std::uint64_t limit);
  Bytes take();
  std::uint64_t frames_taken() const { return frames_; }

 private:
  Bytes message_;
  std::uint64_t length_ = 0;
  std::uint32_t next_chunk_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace hanse
