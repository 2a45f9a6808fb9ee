#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hanse {

/// A merchant and how many rows it has.
struct MerchantSize {
  std::string name;
  std::uint64_t rows = 0;
};

/// Deals merchants to workers 1..`workers`: the largest first (equal ones by name), each to the worker with
/// the fewest rows so far (of equal ones the lowest). The fullest worker has at most 4/3 of the best possible
/// (Graham 1969). Returns the worker of each merchant; the order of `merchants` does not matter.
std::vector<std::uint32_t> deal(const std::vector<MerchantSize>& merchants, std::uint32_t workers);

}  // namespace hanse
