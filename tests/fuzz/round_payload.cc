// Ledger lines and models as START carries them.

#include <algorithm>
#include <cmath>

#include "privacy/protocol/round_payload.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const ByteView bytes = fuzz::input(data, size);
  const fuzz::Allocations allocations;
  const auto payload = decode_round_payload(bytes);
  allocations.must_be_within(size, 16);  // A line is a std::string, in a vector that grows.
  if (payload) {
    check(std::ranges::equal(encode(*payload), bytes), "a payload has one encoding");
    for (const Model* model : {&payload->preparation, &payload->model}) {
      check(std::ranges::all_of(model->parameters, [](double value) { return std::isfinite(value); }),
            "an accepted model is finite");
    }
    (void)digest_of(payload->preparation, payload->model);
  }
  return 0;
}
