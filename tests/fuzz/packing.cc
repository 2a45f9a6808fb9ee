// The plaintexts of a sum as the key's holder hands them on.

#include "privacy/packing.h"

#include <cstdlib>

#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static const SumParameters parameters = fuzz::packed_parameters();
  static const Packing packing(parameters, fuzz::kPackedBits);
  const fuzz::Allocations allocations;
  const auto sum = packing.unpack(fuzz::input(data, size));
  allocations.must_be_within(size, 16);
  if (sum) {
    check(sum->entries.size() == parameters.length && sum->merchants >= 1 &&
              sum->merchants <= parameters.merchants_max,
          "a sum that was unpacked is one");
    for (const std::int64_t entry : sum->entries) {
      check(static_cast<std::uint64_t>(std::abs(entry)) <= parameters.sum_bound(), "entries keep the bound");
    }
  }
  return 0;
}
