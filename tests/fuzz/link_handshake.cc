// Both halves of a link's handshake, keys and signatures included: what the coordinator does with a hail, and a worker with an
// answer. Only the true answer is taken.

#include <algorithm>

#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static const SigningKey identity = fuzz::fixed_identity();
  static const LinkRequest request = fuzz::fixed_request();
  static const Bytes true_answer = [] {
    DeterministicSecureRandom random = fuzz::fixed_random();
    return answer_link(request.message(), 1, identity, random)->message;
  }();
  const ByteView bytes = fuzz::input(data, size);
  DeterministicSecureRandom random = fuzz::fixed_random();
  const auto answer = answer_link(bytes, 1, identity, random);
  check(!answer || Hail::read(bytes).ok(), "what is answered is a hail");
  check(request.finish(bytes, identity.public_key()).ok() == std::ranges::equal(bytes, true_answer),
        "only the true answer makes a link with a pinned coordinator");
  (void)request.finish(bytes, std::nullopt);
  return 0;
}
