#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/market/market.h"

namespace hanse {

/// What was written, and how well the truth itself does on it: no model can be expected to do better.
struct MarketFacts {
  std::uint64_t sessions = 0;
  std::uint64_t ratings = 0;
  std::uint64_t orders = 0;
  std::uint64_t reviews = 0;
  double auc_reviews = 0;  ///< Of the true evidence of their words for whether the customer is satisfied.
  double purchase_rate = 0;
  double auc_bayes = 0;  ///< Of the true probability, which knows the effects of merchant and customer.
  double auc_columns =
      0;                  ///< Of the true probability given the columns alone: what a shared model can reach.
  double rmse_bayes = 0;  ///< Of the expected rating given the true factors and biases.
  double rmse_mean = 0;   ///< Of the mean rating: what no model at all reaches.
  std::vector<std::string> files;
};

/// Writes the market into `folder`, row by row. An existing folder with something in it is refused unless
/// `force`. Throws bad_input, and Failure(could_not_finish) when the disk does not take it.
MarketFacts write_market(const std::filesystem::path& folder, const Market& market, bool force);

}  // namespace hanse
