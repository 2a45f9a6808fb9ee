// Boxes of shares: the input itself, and the true box changed by it.

#include <algorithm>

#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

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
  return 0;
}
