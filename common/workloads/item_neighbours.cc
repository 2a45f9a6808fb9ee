#include "common/workloads/item_neighbours.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/check.h"
#include "common/numerics/symmetric.h"

namespace hanse {
namespace {

constexpr double kFewest = 1;  // Customers of an item: noise may have left less.

}  // namespace

std::vector<double> cosine_weights(std::span<const double> triangle, std::size_t order, double shrink,
                                   double least) {
  check(triangle.size() == triangle_size(order), "a triangle has the cells of its order");
  std::vector<double> roots(order);
  for (std::size_t i = 0; i < order; ++i) {
    roots[i] = std::sqrt(std::max(triangle[triangle_size(i) + i], kFewest));
  }
  std::vector<double> weights(order * order, 0.0);
  for (std::size_t i = 0; i < order; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double both = triangle[triangle_size(i) + j];
      if (both > 0 && both >= least) {
        weights[i * order + j] = weights[j * order + i] = both / (roots[i] * roots[j] + shrink);
      }
    }
  }
  return weights;
}

std::vector<double> ease_weights(std::span<const double> triangle, std::size_t order, double ridge) {
  check(triangle.size() == triangle_size(order), "a triangle has the cells of its order");
  check(ridge > 0, "a ridge is positive");
  std::vector<double> matrix(order * order);
  for (std::size_t i = 0; i < order; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      matrix[i * order + j] = matrix[j * order + i] = triangle[triangle_size(i) + j];
    }
  }
  std::vector<double> inverted;
  for (double added = 0;; ridge *= 2) {
    for (std::size_t i = 0; i < order; ++i) {
      matrix[i * order + i] += ridge - added;
    }
    added = ridge;
    if (auto found = positive_inverse(matrix, order)) {
      inverted = std::move(*found);
      break;
    }
  }
  std::vector<double> weights(order * order, 0.0);
  for (std::size_t i = 0; i < order; ++i) {
    for (std::size_t j = 0; j < order; ++j) {
      if (i != j) {
        weights[i * order + j] = -inverted[i * order + j] / inverted[j * order + j];
      }
    }
  }
  return weights;
}

NeighbourLists strongest_neighbours(std::span<const double> weights, std::size_t order, std::size_t count) {
  check(weights.size() == order * order, "there is a weight for each pair of items");
  count = std::min(count, order > 0 ? order - 1 : 0);
  NeighbourLists lists{.count = count, .sources = {}, .weights = {}};
  std::vector<std::uint32_t> others;
  for (std::size_t j = 0; j < order; ++j) {
    others.clear();
    for (std::uint32_t i = 0; i < order; ++i) {
      if (i != j) {
        others.push_back(i);
      }
    }
    const auto strength = [&](std::uint32_t i) { return std::abs(weights[i * order + j]); };
    std::ranges::partial_sort(others, others.begin() + static_cast<std::ptrdiff_t>(count),
                              [&](std::uint32_t a, std::uint32_t b) {
                                return strength(a) > strength(b) || (strength(a) == strength(b) && a < b);
                              });
    for (std::size_t n = 0; n < count; ++n) {
      lists.sources.push_back(others[n]);
      lists.weights.push_back(weights[others[n] * order + j]);
    }
  }
  return lists;
}

NeighbourScores::NeighbourScores(const NeighbourLists& lists, std::span<const std::uint32_t> ids,
                                 std::vector<float> prior)
    : prior_(std::move(prior)), begins_(prior_.size() + 1) {
  check(lists.sources.size() == ids.size() * lists.count, "every item has its neighbours");
  for (std::size_t at = 0; at < lists.sources.size(); ++at) {
    begins_[ids[lists.sources[at]] + 1] += lists.weights[at] != 0 ? 1u : 0u;
  }
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  targets_.resize(begins_.back());
  weights_.resize(begins_.back());
  std::vector<std::size_t> next = begins_;
  for (std::size_t at = 0; at < lists.sources.size(); ++at) {
    if (lists.weights[at] != 0) {
      const std::size_t place = next[ids[lists.sources[at]]]++;
      targets_[place] = ids[at / lists.count];
      weights_[place] = static_cast<float>(lists.weights[at]);
    }
  }
}

std::span<const float> NeighbourScores::of(std::span<const std::uint32_t> columns) {
  scores_ = prior_;
  for (const std::uint32_t column : columns) {
    if (column >= prior_.size()) {
      break;
    }
    for (std::size_t at = begins_[column]; at < begins_[column + 1]; ++at) {
      scores_[targets_[at]] += weights_[at];
    }
  }
  return scores_;
}

std::vector<ItemReason> NeighbourScores::reasons(std::span<const std::uint32_t> columns,
                                                 std::uint32_t item) const {
  std::vector<ItemReason> reasons;
  for (const std::uint32_t column : columns) {
    if (column >= prior_.size()) {
      break;
    }
    const auto end = targets_.begin() + static_cast<std::ptrdiff_t>(begins_[column + 1]);
    const auto found = std::find(targets_.begin() + static_cast<std::ptrdiff_t>(begins_[column]), end, item);
    if (found != end && weights_[static_cast<std::size_t>(found - targets_.begin())] > 0) {
      reasons.push_back(
          {column, static_cast<double>(weights_[static_cast<std::size_t>(found - targets_.begin())])});
    }
  }
  std::ranges::stable_sort(reasons,
                           [](const ItemReason& a, const ItemReason& b) { return a.weight > b.weight; });
  return reasons;
}

}  // namespace hanse
