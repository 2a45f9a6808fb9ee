#pragma once

#include <span>
#include <utility>
#include <vector>

#include "privacy/secure_sum/masks.h"

namespace hanse {

/// Adds one mask.
template <class T>
void add_mask(const Secret<32>& key_and_iv, Sign sign, std::span<T> entries,
              MaskKernel kernel = fastest_mask_kernel()) {
  std::vector<RoundMasks::Mask> masks;
  masks.push_back({key_and_iv.duplicate(), sign});
  RoundMasks(std::move(masks)).add_to(entries, kernel);
}

}  // namespace hanse
