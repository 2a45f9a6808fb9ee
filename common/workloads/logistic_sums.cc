#include "common/workloads/logistic_sums.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/check.h"
#include "common/numerics/linear.h"
#include "common/numerics/newton.h"
#include "common/numerics/normal_equations.h"

namespace hanse {
namespace {

void add_outer_product(const SparseRow& row, double scale, std::span<double> lower) {
  const std::uint32_t* const columns = row.columns.data();
  const float* const values = row.values.data();
  for (std::size_t a = 0; a < row.columns.size(); ++a) {
    double* const line = lower.data() + triangle_size(columns[a]);
    const double factor = scale * static_cast<double>(values[a]);
    for (std::size_t b = 0; b <= a; ++b) {
      line[columns[b]] += factor * static_cast<double>(values[b]);
    }
  }
}

/// Rows without zeros, gathered so that their outer products are added up by tiles.
class DenseCurvature {
 public:
  explicit DenseCurvature(std::size_t width)
      : width_(width), stride_(stride_of<double>(width)), equations_(width), table_(kRows * stride_, 0.0) {}

  void add(const SparseRow& row, double scale) {
    std::copy(row.values.begin(), row.values.end(),
              table_.begin() + static_cast<std::ptrdiff_t>(scales_.size() * stride_));
    places_.push_back(static_cast<std::uint32_t>(scales_.size()));
    scales_.push_back(scale);
    if (scales_.size() == kRows) {
      flush();
    }
  }

  void add_to(std::span<double> lower) {
    flush();
    for (std::size_t i = 0; i < width_; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        lower[triangle_size(i) + j] += equations_.at(j, i);
      }
    }
  }

 private:
  static constexpr std::size_t kRows = 32;

  void flush() {
    const std::vector<double> nothing(scales_.size(), 0.0);
    equations_.add(table_.data(), places_, scales_, nothing);
    places_.clear();
    scales_.clear();
  }

  std::size_t width_;
  std::size_t stride_;
  NormalEquations<double> equations_;
  std::vector<double> table_;
  std::vector<double> scales_;
  std::vector<std::uint32_t> places_;
};

}  // namespace

constexpr std::size_t kFewRows = 32;

double LogisticSums::add(const Rows& rows, std::span<const double> weights, std::span<double> gradient,
                         std::span<double> lower) const {
  double loss = 0;
  std::optional<DenseCurvature> dense;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SparseRow row = rows.row(i);
    const Row terms = of_row(dot(row, weights), static_cast<double>(rows.label(i)));
    loss += terms.loss;
    add_scaled(row, terms.residual, gradient);
    if (lower.empty()) {
      continue;
    }
    // A few rows are not worth a square matrix of their own.
    if (row.columns.size() < gradient.size() || rows.size() < kFewRows) {
      add_outer_product(row, terms.curvature, lower);
    } else {
      if (!dense) {
        dense.emplace(gradient.size());
      }
      dense->add(row, terms.curvature);
    }
  }
  if (dense) {
    dense->add_to(lower);
  }
  return loss;
}

}  // namespace hanse
