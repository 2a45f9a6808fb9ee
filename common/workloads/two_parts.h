#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hanse {

/// Entries of a sum without noise in two parts, so that the sum is exact to the last digits of a double however large its
/// clip norm C is. An entry v becomes
///
///   first   v rounded toward zero to a multiple of C / 2^26, which lies on every grid that is not coarser
///   second  (v - first) * 2^25 / sqrt(entries), rounded to a power of two
///
/// and where ||v|| <= C / 4, the norm of both parts together is below C: the seconds have norm C / 2 at most.
void split_in_two(std::vector<double>& values, double clip_norm);

/// The entries of a total of such parts.
std::vector<double> joined(std::span<const double> total);
/// The same of a total that is `in_parts`, of another the total itself.
std::vector<double> joined(std::span<const double> total, bool in_parts);

}  // namespace hanse
