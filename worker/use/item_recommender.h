#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/data/csr_matrix.h"
#include "common/workloads/customer_side.h"
#include "worker/use/applied_model.h"

namespace hanse {

/// What a published model of items thinks of them for one customer. Valid as long as the model.
struct ItemRecommender {
  /// Scores of the model's items for a customer with these; the customer's own side is solved on the spot. Valid until the next call.
  std::function<std::span<const float>(const SparseRow&)> scores;
  /// Which of the customer's items speak for `item`, the most first. Empty function: the model cannot tell.
  std::function<std::vector<ItemReason>(const SparseRow&, std::uint32_t item)> reasons;
};

/// Throws bad_input where `model` is none of `matrix-factorization`, `implicit-matrix-factorization` and `item-similarity`.
ItemRecommender item_recommender(const AppliedModel& model);

/// An item for a customer, and the customer's items that speak for it.
struct Recommendation {
  std::uint32_t item;
  float score;
};

/// The `most` items of the highest scores that the customer does not have, the higher first, of equal ones the lower index; none
/// that `hidden` marks (one an item, or empty), and none without a finite score.
std::vector<Recommendation> best_items(std::span<const float> scores, const SparseRow& own, std::size_t most,
                                       const std::vector<bool>& hidden);

}  // namespace hanse
