#include "privacy/accounting/turns.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/check.h"
#include "privacy/accounting/sensitivity.h"

namespace hanse {
namespace {

constexpr std::uint32_t kCoefficientMax = std::uint32_t{1} << 16;

std::uint64_t sum_of_squares(std::span<const std::uint32_t> c) {
  std::uint64_t sum = 0;
  for (const std::uint32_t value : c) {
    sum += std::uint64_t{value} * value;
  }
  return sum;
}

}  // namespace

std::vector<std::uint32_t> turn_coefficients(std::uint32_t turns, bool correlated) {
  check(turns >= 1 && turns <= kTurnsMax && (turns >= 2 || !correlated), "a unit has its turn among others");
  if (turns == 1) {
    return {};
  }
  std::vector<std::uint32_t> coefficients(turns, 0);
  coefficients[0] = 1;
  if (correlated) {
    // 2^8 C(2j, j) / 4^j is never halfway between integers, so every machine rounds alike.
    std::ranges::transform(square_root_column(turns), coefficients.begin(),
                           [](double c) { return static_cast<std::uint32_t>(std::lround(kBandScale * c)); });
  }
  return coefficients;
}

bool are_coefficients(std::span<const std::uint32_t> c) {
  return c.size() >= 2 && c.size() <= kTurnsMax && c[0] > c[1] && c[0] <= kCoefficientMax &&
         std::ranges::is_sorted(c, std::ranges::greater());
}

std::uint32_t gain_of(std::span<const std::uint32_t> c) {
  return c.empty() ? 1 : std::accumulate(c.begin(), c.end(), std::uint32_t{0});
}

double norm_of(std::span<const std::uint32_t> c) {
  return c.empty() ? 1 : std::sqrt(static_cast<double>(sum_of_squares(c)));
}

void TurnsSpent::add(std::span<const std::uint32_t> c, std::uint64_t row) {
  spent_.resize(c.size());
  for (std::uint64_t turn = 0; turn < c.size() && turn <= row; ++turn) {
    const std::uint64_t coefficient = c[(row - turn) % c.size()];
    spent_[turn] += coefficient * coefficient;
  }
}

std::uint64_t TurnsSpent::most_squared() const {
  return spent_.empty() ? 0 : *std::ranges::max_element(spent_);
}

std::uint64_t turns_sensitivity_squared(std::span<const std::uint32_t> c, std::uint64_t rows) {
  check(!c.empty(), "a unit that takes turns has coefficients");
  return rows / c.size() * sum_of_squares(c) + sum_of_squares(c.first(rows % c.size()));
}

}  // namespace hanse
