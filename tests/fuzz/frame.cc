// One frame of the transport.

#include "common/transport/frame.h"

#include <algorithm>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const ByteView frame = fuzz::input(data, size);
  const fuzz::Allocations allocations;
  const auto header = read_frame(frame);
  allocations.must_be_within(size, 1);
  check(!header || std::ranges::equal(write_frame(*header, frame.subspan(kFrameHeaderSize)), frame),
        "a frame has one encoding");
  return 0;
}
