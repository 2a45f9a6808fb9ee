// Boxes of shares: the input itself, and the true box changed by it.

#include <algorithm>

#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

namespace {
std::vector<hanse::Secret<40>> two_shares() {
  return std::vector<hanse::Secret<40>>(2);
}
}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static const Secret<32> key = fuzz::fixed_pair().holder.receiving(1);
  static const ShareBox true_box = fuzz::fixed_share_box();
  const ByteView bytes = fuzz::input(data, size);
  ShareBox raw{};
  std::ranges::copy(bytes.first(std::min(size, raw.size())), raw.begin());
  ShareBox changed = true_box;
  for (std::size_t i = 0; i < size; ++i) {
    changed[i % changed.size()] ^= bytes[i];
  }
  for (const ShareBox& box : {raw, changed}) {
    check(open_shares(key, fuzz::kFixedAddress, box).ok() == (box == true_box),
          "only the true box of shares opens");
  }
  static const Bytes true_rungs =
      seal_rung_shares(key, fuzz::kFixedAddress, MerchantSet::all(3), two_shares());
  Bytes changed_rungs = true_rungs;
  for (std::size_t i = 0; i < size; ++i) {
    changed_rungs[i % changed_rungs.size()] ^= bytes[i];
  }
  for (const Bytes& box : {Bytes(bytes.begin(), bytes.end()), changed_rungs}) {
    const auto opened = open_rung_shares(key, fuzz::kFixedAddress, MerchantSet::all(3), box);
    check(opened.ok() == (box == true_rungs), "only the true box of rung shares opens");
    check(!opened.ok() || opened->size() == 2, "a box has as many shares as were sealed");
  }
  return 0;
}
