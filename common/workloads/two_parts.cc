#include "common/workloads/two_parts.h"

#include <cmath>

#include "common/base/check.h"

namespace hanse {
namespace {

constexpr int kFirstBits = 26;

double second_scale(std::size_t entries) {
  return std::exp2(kFirstBits - 1 - std::ceil(std::log2(static_cast<double>(entries)) / 2));
}

}  // namespace

void split_in_two(std::vector<double>& values, double clip_norm) {
  const std::size_t entries = values.size();
  const double step = std::ldexp(clip_norm, -kFirstBits);
  const double scale = second_scale(entries);
  values.resize(2 * entries);
  for (std::size_t i = 0; i < entries; ++i) {
    const double first = std::trunc(values[i] / step) * step;
    values[entries + i] = (values[i] - first) * scale;
    values[i] = first;
  }
}

std::vector<double> joined(std::span<const double> total) {
  check(total.size() % 2 == 0 && !total.empty(), "a total of two parts has two of each entry");
  const std::size_t entries = total.size() / 2;
  const double scale = second_scale(entries);
  std::vector<double> values(entries);
  for (std::size_t i = 0; i < entries; ++i) {
    values[i] = total[i] + total[entries + i] / scale;
  }
  return values;
}

std::vector<double> joined(std::span<const double> total, bool in_parts) {
  return in_parts ? joined(total) : std::vector<double>(total.begin(), total.end());
}

}  // namespace hanse
