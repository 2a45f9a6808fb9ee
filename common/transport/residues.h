#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <variant>
#include <vector>

namespace hanse {

/// A vector over the ring Z/2^32 or Z/2^64: unsigned, so that sums wrap.
using Residues = std::variant<std::vector<std::uint32_t>, std::vector<std::uint64_t>>;

inline std::size_t size_of(const Residues& residues) {
  return std::visit([](const auto& entries) { return entries.size(); }, residues);
}

inline std::size_t byte_count(const Residues& residues) {
  return std::visit([](const auto& entries) { return entries.size() * sizeof(entries[0]); }, residues);
}

/// Zeros in the ring and of the length of `like`.
inline Residues zeros_like(const Residues& like) {
  return std::visit(
      [](const auto& entries) -> Residues { return std::decay_t<decltype(entries)>(entries.size()); }, like);
}

/// Adds `part` to `total`, entry by entry in their ring. False, and nothing is changed, when ring or length
/// differ.
inline bool add_to(Residues& total, const Residues& part) {
  if (total.index() != part.index() || size_of(total) != size_of(part)) {
    return false;
  }
  std::visit(
      [&](auto& sums) {
        const auto& entries = std::get<std::remove_reference_t<decltype(sums)>>(part);
        for (std::size_t i = 0; i < sums.size(); ++i) {
          sums[i] += entries[i];
        }
      },
      total);
  return true;
}

}  // namespace hanse
