// Sealed frames: foreign bytes, and true boxes that were changed on the way.

#include <algorithm>

#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

namespace {

struct Ends {
  hanse::Link worker;
  hanse::Link coordinator;
};

Ends make_ends() {
  using namespace hanse;
  DeterministicSecureRandom random = fuzz::fixed_random();
  const LinkRequest request = fuzz::fixed_request();
  auto answer = *answer_link(request.message(), 1, fuzz::fixed_identity(), random);
  Link worker = *request.finish(answer.message, std::nullopt);
  return {std::move(worker), std::move(answer.link)};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static Ends ends = make_ends();
  const ByteView bytes = fuzz::input(data, size);
  {
    const fuzz::Allocations allocations;
    check(!ends.coordinator.open(bytes), "foreign bytes open at no link");
    allocations.must_be_within(size, 4);
  }
  const Bytes box = ends.worker.seal(bytes);
  Bytes changed = box;
  for (std::size_t i = 0; i < size; ++i) {
    changed[i % changed.size()] ^= bytes[i];
  }
  if (changed != box) {
    check(!ends.coordinator.open(changed), "a box that was changed does not open");
  }
  const auto opened = ends.coordinator.open(box);
  check(opened.ok() && std::ranges::equal(*opened, bytes), "the true box opens, whatever came before it");
  check(!ends.coordinator.open(box), "a box opens once");
  return 0;
}
