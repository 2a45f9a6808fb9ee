// A worker's first message, read by the coordinator.

#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static const SigningKey identity = fuzz::fixed_identity();
  DeterministicSecureRandom random = fuzz::fixed_random();
  const auto answer = answer_link(fuzz::input(data, size), 1, identity, random);
  if (answer) {
    check(size == fuzz::fixed_request().message().size(), "a hail that is answered has the length of a hail");
  }
  return 0;
}
