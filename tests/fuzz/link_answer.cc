// The coordinator's answer, read by the worker that hailed it. Only the true one is taken.

#include <algorithm>

#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static const LinkRequest request = fuzz::fixed_request();
  static const PublicKey pinned = fuzz::fixed_identity().public_key();
  static const Bytes true_answer = [] {
    DeterministicSecureRandom random = fuzz::fixed_random();
    return answer_link(request.message(), 1, fuzz::fixed_identity(), random)->message;
  }();
  const ByteView answer = fuzz::input(data, size);
  check(request.finish(answer, pinned).ok() == std::ranges::equal(answer, true_answer),
        "only the true answer makes a link with a pinned coordinator");
  (void)request.finish(answer, std::nullopt);
  return 0;
}
