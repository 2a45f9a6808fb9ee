#include "common/numerics/linear.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "common/base/check.h"
#include "common/base/each_processor.h"

namespace hanse {

namespace {

/// Columns increase strictly, so their ends tell whether one is missing between them.
bool is_dense(const SparseRow& row) {
  const std::size_t size = row.columns.size();
  return size >= 8 && row.columns[size - 1] - row.columns[0] + 1 == size;
}

HANSE_EACH_PROCESSOR
double dense_dot(const float* values, const double* weights, std::size_t size) {
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      lanes[lane] += static_cast<double>(values[i + lane]) * weights[i + lane];
    }
  }
  for (std::size_t lane = 0; i + lane < size; ++lane) {
    lanes[lane] += static_cast<double>(values[i + lane]) * weights[i + lane];
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

HANSE_EACH_PROCESSOR
void dense_add(const float* values, double scale, std::size_t size, double* out) {
  for (std::size_t i = 0; i < size; ++i) {
    out[i] += scale * static_cast<double>(values[i]);
  }
}

}  // namespace

DotAndNorm dot_and_norm(const SparseRow& row, std::span<const double> weights) {
  const std::size_t size = row.columns.size();
  const std::uint32_t* const columns = row.columns.data();
  const float* const values = row.values.data();
  double d0 = 0, d1 = 0, s0 = 0, s1 = 0;
  std::size_t i = 0;
  for (; i + 2 <= size; i += 2) {
    const double first = static_cast<double>(values[i]);
    const double second = static_cast<double>(values[i + 1]);
    d0 += first * weights[columns[i]];
    d1 += second * weights[columns[i + 1]];
    s0 += first * first;
    s1 += second * second;
  }
  if (i < size) {
    const double last = static_cast<double>(values[i]);
    d0 += last * weights[columns[i]];
    s0 += last * last;
  }
  return {.dot = d0 + d1, .norm = std::sqrt(s0 + s1)};
}

double dot(const SparseRow& row, std::span<const double> weights) {
  if (is_dense(row)) {
    return dense_dot(row.values.data(), weights.data() + row.columns[0], row.columns.size());
  }
  const std::size_t size = row.columns.size();
  const std::uint32_t* const columns = row.columns.data();
  const float* const values = row.values.data();
  const auto term = [&](std::size_t i) { return static_cast<double>(values[i]) * weights[columns[i]]; };
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  std::size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    s0 += term(i);
    s1 += term(i + 1);
    s2 += term(i + 2);
    s3 += term(i + 3);
  }
  for (; i < size; ++i) {
    s0 += term(i);
  }
  return (s0 + s1) + (s2 + s3);
}

void add_scaled(const SparseRow& row, double scale, std::span<double> out) {
  if (is_dense(row)) {
    dense_add(row.values.data(), scale, row.columns.size(), out.data() + row.columns[0]);
    return;
  }
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    out[row.columns[i]] += scale * static_cast<double>(row.values[i]);
  }
}

LogisticTerms logistic_terms(double x, double y) {
  const double e = std::exp(-std::abs(x));
  return {.probability = (x >= 0 ? 1 : e) / (1 + e), .loss = std::max(x, 0.0) - y * x + std::log1p(e)};
}

double sigmoid(double x) {
  const double e = std::exp(-std::abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}

double logistic_loss(double x, double y) {
  return std::max(x, 0.0) - y * x + std::log1p(std::exp(-std::abs(x)));
}

double soft_threshold(double value, double threshold) {
  return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0.0;
}

double power_of_two_above(double value) {
  return std::exp2(std::ceil(std::log2(value)));
}

}  // namespace hanse
