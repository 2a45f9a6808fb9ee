#include "common/workloads/taste_solver.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr float kHeaviest = 1e6f;

}  // namespace

TasteSolver::TasteSolver(std::span<const double> vectors, const Options& options)
    : options_(options),
      stride_(stride_of<float>(options.rank)),
      items_(options.items),
      table_(items_ * stride_),
      everything_(options.rank),
      equations_(options.rank),
      solution_(stride_) {
  for (std::size_t item = 0; item < items_; ++item) {
    for (std::size_t a = 0; a < options.rank; ++a) {
      table_[item * stride_ + a] = static_cast<float>(vectors[item * options.rank + a]);
    }
  }
  rows_.resize(items_);
  std::iota(rows_.begin(), rows_.end(), 0u);
  weights_.assign(items_, static_cast<float>(options.unobserved));
  targets_.assign(items_, 0.0f);
  everything_.add(table_.data(), rows_, weights_, targets_);
}

/// The equations of a customer with these items, of which the first `known` have a vector.
void TasteSolver::gather(const SparseRow& items, std::size_t known) {
  rows_.assign(items.columns.begin(), items.columns.begin() + static_cast<std::ptrdiff_t>(known));
  weights_.resize(known);
  for (std::size_t i = 0; i < known; ++i) {
    weights_[i] = weight(items.values[i]);
  }
  equations_.assign(everything_);
  equations_.add(table_.data(), rows_, weights_, weights_);
  const double pairs = static_cast<double>(known) + options_.unobserved * static_cast<double>(items_);
  const auto penalty = static_cast<float>(options_.l2 * std::pow(pairs, options_.exponent));
  for (std::size_t a = 0; a < options_.rank; ++a) {
    equations_.at(a, a) += penalty;
  }
}

std::span<const float> TasteSolver::solve(const SparseRow& items) {
  const std::size_t known = known_items(items, items_);
  std::fill(solution_.begin(), solution_.end(), 0.0f);
  if (known == 0) {
    return solution_;
  }
  gather(items, known);
  if (equations_.solve()) {
    std::copy(equations_.solution().begin(), equations_.solution().end(), solution_.begin());
  }
  return solution_;
}

std::vector<ItemReason> TasteSolver::reasons(const SparseRow& items, std::uint32_t item) {
  const std::size_t known = known_items(items, items_);
  std::vector<ItemReason> reasons;
  gather(items, known);
  for (std::size_t a = 0; a < options_.rank; ++a) {
    equations_.right(a) = table_[item * stride_ + a];
  }
  if (!equations_.solve()) {
    return reasons;
  }
  std::fill(solution_.begin(), solution_.end(), 0.0f);
  std::copy(equations_.solution().begin(), equations_.solution().end(), solution_.begin());  // W q_item
  for (std::size_t i = 0; i < known; ++i) {
    const float adds = weights_[i] * score(solution_, items.columns[i]);
    if (adds > 0) {
      reasons.push_back({items.columns[i], static_cast<double>(adds)});
    }
  }
  std::ranges::stable_sort(reasons,
                           [](const ItemReason& a, const ItemReason& b) { return a.weight > b.weight; });
  return reasons;
}

float TasteSolver::weight(float value) const {
  return std::min(1 + static_cast<float>(options_.confidence) * std::max(value, 0.0f), kHeaviest);
}

double TasteSolver::loss_of_everything(std::span<const float> customer) const {
  double sum = 0;
  for (std::size_t a = 0; a < options_.rank; ++a) {
    for (std::size_t b = a; b < options_.rank; ++b) {
      sum += (a == b ? 1 : 2) * static_cast<double>(customer[a] * everything_.at(a, b) * customer[b]);
    }
  }
  return sum;
}

bool TasteSolver::is_kept(std::size_t item) const {
  const auto first = table_.begin() + static_cast<std::ptrdiff_t>(item * stride_);
  return std::any_of(first, first + static_cast<std::ptrdiff_t>(options_.rank),
                     [](float entry) { return entry != 0; });
}

TasteSolver::Options taste_options(const Configuration& configuration, std::uint32_t items) {
  const Configuration::WorkloadOptions& workload = configuration.workload;
  TasteSolver::Options options;
  options.items = items;
  options.rank = workload.rank;
  options.l2 = workload.l2 > 0 ? workload.l2 : options.l2;
  options.exponent = number_option(workload.other, "exponent", options.exponent);
  options.unobserved = number_option(workload.other, "unobserved", options.unobserved);
  options.confidence = number_option(workload.other, "confidence", options.confidence);
  return options;
}

}  // namespace hanse
