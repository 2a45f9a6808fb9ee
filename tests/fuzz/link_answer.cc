// The coordinator's answer to a hail, as the worker reads it.

#include <algorithm>

#include "privacy/protocol/link.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const ByteView bytes = fuzz::input(data, size);
  const fuzz::Allocations allocations;
  const auto answer = Answer::read(bytes);
  allocations.must_be_within(size, 1);
  check(!answer || std::ranges::equal(answer->wire(), bytes), "an answer has one encoding");
  return 0;
}
