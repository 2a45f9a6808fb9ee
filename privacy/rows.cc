#include "privacy/rows.h"

#include "common/base/check.h"
#include "privacy/crypto/secret.h"

namespace hanse {
namespace {

/// Coefficients of rows that are remembered.
std::vector<std::uint32_t> without_last_zeros(std::span<const std::uint32_t> coefficients) {
  check(!coefficients.empty() && coefficients.front() > 0, "a row counts in its own sum");
  while (coefficients.back() == 0) {
    coefficients = coefficients.first(coefficients.size() - 1);
  }
  return {coefficients.begin(), coefficients.end()};
}

/// Adds sign * c_j * rows[row - j] for all j >= 1, and drops rows that no later one needs.
template <class T, class Forget>
void add_earlier(std::uint64_t row, T sign, const std::vector<std::uint32_t>& c,
                 std::map<std::uint64_t, std::vector<T>>& rows, std::vector<T>& entries,
                 const Forget& forget) {
  while (!rows.empty() && rows.begin()->first + c.size() <= row) {
    forget(rows.begin()->second);
    rows.erase(rows.begin());
  }
  for (const auto& [number, earlier] : rows) {
    check(number < row && earlier.size() == entries.size(), "rows come in order, and all are as long");
    const T factor = sign * static_cast<T>(c[row - number]);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] += factor * earlier[i];
    }
  }
}

void wipe_entries(std::vector<std::int64_t>& entries) {
  wipe(std::as_writable_bytes(std::span(entries)));
}

}  // namespace

PastSums::PastSums(std::span<const std::uint32_t> coefficients)
    : coefficients_(without_last_zeros(coefficients)) {}

PastSums::~PastSums() {
  for (auto& [row, entries] : rows_) {
    wipe_entries(entries);
  }
}

std::vector<std::int64_t> PastSums::encode(std::uint64_t row, std::vector<std::int64_t>&& newest) {
  std::vector<std::int64_t> encoded(newest);
  for (std::int64_t& entry : encoded) {
    entry *= coefficients_[0];
  }
  add_earlier<std::int64_t>(row, 1, coefficients_, rows_, encoded, wipe_entries);
  if (coefficients_.size() > 1) {
    rows_.emplace(row, std::move(newest));
  } else {
    wipe_entries(newest);
  }
  return encoded;
}

RowDecoder::RowDecoder(std::span<const std::uint32_t> coefficients)
    : coefficients_(without_last_zeros(coefficients)) {}

std::vector<double> RowDecoder::values(std::uint64_t row, const OpenedSum& opened,
                                       const SumParameters& parameters) {
  std::vector<double> estimate(opened.entries.begin(), opened.entries.end());
  add_earlier<double>(row, -1, coefficients_, rows_, estimate, [](const std::vector<double>&) {});
  for (double& entry : estimate) {
    entry /= coefficients_[0];
  }
  std::vector<double> values(estimate);
  for (double& value : values) {
    value *= parameters.step();
  }
  if (coefficients_.size() > 1) {
    rows_.emplace(row, std::move(estimate));
  }
  return values;
}

}  // namespace hanse
