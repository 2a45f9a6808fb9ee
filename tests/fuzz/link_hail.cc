// A worker's first message, as the coordinator reads it.

#include <algorithm>

#include "privacy/protocol/link.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const ByteView bytes = fuzz::input(data, size);
  const fuzz::Allocations allocations;
  const auto hail = Hail::read(bytes);
  allocations.must_be_within(size, 1);
  check(!hail || std::ranges::equal(hail->wire(), bytes), "a hail has one encoding");
  return 0;
}
