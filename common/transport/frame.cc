#include "common/transport/frame.h"

#include <algorithm>
#include <utility>

namespace hanse {
namespace {

constexpr std::uint32_t kMagic = 0x46534e48;  // "HNSF"
constexpr std::uint16_t kVersion = 1;

std::uint64_t chunks_of(std::uint64_t length) {
  return std::max<std::uint64_t>(1, (length + kChunkSize - 1) / kChunkSize);
}

}  // namespace

Bytes write_frame(FrameHeader header, ByteView chunk) {
  ByteWriter writer;
  writer.put(kMagic).put(kVersion).put(header.type).put(header.sequence).put(header.message_length);
  writer.put(header.chunk).put(static_cast<std::uint32_t>(chunk.size())).put_bytes(chunk);
  return writer.take();
}

Result<FrameHeader> read_frame(ByteView frame) {
  ByteReader reader(frame);
  const auto magic = reader.get<std::uint32_t>();
  const auto version = reader.get<std::uint16_t>();
  FrameHeader header;
  header.type = reader.get<std::uint16_t>();
  header.sequence = reader.get<std::uint64_t>();
  header.message_length = reader.get<std::uint64_t>();
  header.chunk = reader.get<std::uint32_t>();
  header.chunk_length = reader.get<std::uint32_t>();
  if (reader.failed() || magic != kMagic) {
    return Error{"sent something that is no frame of Hanse"};
  }
  if (version != kVersion) {
    return Error{"speaks version " + std::to_string(version) + " of the framing, not " +
                 std::to_string(kVersion)};
  }
  const bool is_data = header.type == FrameHeader::data && header.chunk_length <= kChunkSize;
  const bool is_acknowledgement = header.type == FrameHeader::acknowledgement && header.chunk_length == 0;
  if (reader.remaining() != header.chunk_length || (!is_data && !is_acknowledgement)) {
    return Error{"sent a malformed frame"};
  }
  return header;
}

Result<bool> Assembler::add(const FrameHeader& header, ByteView chunk, std::uint64_t limit) {
  if (next_chunk_ == 0) {
    if (header.message_length > limit) {
      return Error{"announced a message of " + std::to_string(header.message_length) +
                   " bytes, above the limit of " + std::to_string(limit)};
    }
    length_ = header.message_length;
  }
  const std::uint64_t expected = std::min<std::uint64_t>(kChunkSize, length_ - message_.size());
  if (header.sequence != frames_ || header.chunk != next_chunk_ || header.message_length != length_ ||
      chunk.size() != expected) {
    return Error{"sent a frame that does not follow the one before"};
  }
  message_.insert(message_.end(), chunk.begin(), chunk.end());
  ++frames_;
  ++next_chunk_;
  return next_chunk_ == chunks_of(length_);
}

Bytes Assembler::take() {
  next_chunk_ = 0;
  length_ = 0;
  return std::exchange(message_, {});
}

}  // namespace hanse
