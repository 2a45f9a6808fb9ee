// The messages that frames make, one behind the other. The input is rows of u16 and a frame's header: that many bytes follow
// it in the frame. So a few bytes of input are a message of many chunks, up to the first frame that is refused.

#include <algorithm>

#include "common/transport/frame.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  constexpr std::uint64_t limit = 100'000;
  constexpr std::size_t frames_max = 16;
  static const Bytes body(kChunkSize);
  const fuzz::Allocations allocations;
  ByteReader reader(fuzz::input(data, size));
  Assembler assembler;
  for (std::size_t i = 0; i < frames_max && !reader.failed() && reader.remaining() > 0; ++i) {
    const ByteView chunk =
        ByteView(body).first(std::min<std::size_t>(kChunkSize, reader.get<std::uint16_t>()));
    const ByteView written = reader.get_bytes(kFrameHeaderSize);
    Bytes frame(written.begin(), written.end());
    frame.insert(frame.end(), chunk.begin(), chunk.end());
    const auto header = read_frame(frame);
    if (!header) {
      break;
    }
    const auto complete = assembler.add(*header, chunk, limit);
    if (!complete) {
      break;
    }
    if (*complete) {
      check(assembler.take().size() == header->message_length && header->message_length <= limit,
            "a message has the length that was announced");
    }
  }
  // Each frame twice, and the message in a vector that grows.
  allocations.must_be_within(frames_max * kLongestFrame, 6);
  return 0;
}
