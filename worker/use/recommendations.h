#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "worker/use/applied_model.h"

namespace hanse {

struct RecommendationWishes {
  std::optional<std::string> customer;  ///< Of one alone.
  std::size_t top = 10;                 ///< Items a customer.
  std::size_t explain = 0;              ///< Own items to tell for each.
};

struct Recommendations {
  std::string csv;
  std::uint64_t customers = 0;
  std::uint64_t unknown = 0;  ///< Items of customers that the model does not know, and left aside.
};

/// The best new items for every customer of a merchant's file, customers in its order, as CSV with the columns
///
///   customer, rank, item, score
///   because                       with `explain`: "X; Y", the customer's own items that speak most for it
///
/// Items have the names of the model's columns, and hashed ones those of the file, where it has them. Throws bad_input in one
/// sentence.
Recommendations recommendations_csv(const AppliedModel& model, const std::filesystem::path& ratings,
                                    const RecommendationWishes& wishes);

}  // namespace hanse
