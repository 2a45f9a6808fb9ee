// Frames of the transport, one behind the other, and the messages they make. Each frame stands behind its length.

#include <algorithm>

#include "common/transport/frame.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  constexpr std::uint64_t limit = 100'000;
  const fuzz::Allocations allocations;
  ByteReader reader(fuzz::input(data, size));
  Assembler assembler;
  while (!reader.failed() && reader.remaining() > 0) {
    const ByteView frame = reader.get_bytes(reader.get<std::uint16_t>());
    const auto header = read_frame(frame);
    if (!header) {
      continue;
    }
    const ByteView chunk = frame.subspan(kFrameHeaderSize);
    check(std::ranges::equal(write_frame(*header, chunk), frame), "a frame has one encoding");
    const auto complete = assembler.add(*header, chunk, limit);
    if (complete && *complete) {
      check(assembler.take().size() == header->message_length && header->message_length <= limit,
            "a message has the length that was announced");
    }
  }
  allocations.must_be_within(size, 64);  // An empty frame costs an error's sentence.
  return 0;
}
