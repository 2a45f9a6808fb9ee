#include "common/workloads/customer_side.h"

#include <algorithm>

#include "common/base/seeded_generator.h"

namespace hanse {

std::size_t known_items(const SparseRow& ratings, std::size_t items) {
  const auto end = std::lower_bound(ratings.columns.begin(), ratings.columns.end(), items);
  return static_cast<std::size_t>(end - ratings.columns.begin());
}

void choose_items(std::span<const std::uint32_t> columns, std::size_t most, std::uint64_t salt,
                  std::vector<std::uint32_t>& chosen) {
  if (chosen.size() <= most) {
    return;
  }
  for (const std::uint32_t column : columns) {
    salt = split_mix(salt ^ column);
  }
  SeededGenerator generator{salt};
  draw_to_front(std::span(chosen), most, generator);
  chosen.resize(most);
  std::sort(chosen.begin(), chosen.end());
}

CustomerSide::CustomerSide(std::span<const double> parameters, std::uint32_t rank, Penalties penalties)
    : mean_(parameters[0]),
      items_((parameters.size() - 1) / (rank + 1u)),
      penalties_(penalties),
      equations_(rank + 1u),
      stride_(stride_of<double>(rank + 1u)),
      vectors_((items_ + 1) * stride_),
      biases_(items_ + 1),
      solution_(stride_) {
  for (std::size_t item = 0; item < items_; ++item) {
    const double* const block = parameters.data() + 1 + item * (rank + 1u);
    biases_[item] = block[0];
    vectors_[item * stride_] = 1;
    std::copy(block + 1, block + 1 + rank,
              vectors_.begin() + static_cast<std::ptrdiff_t>(item * stride_ + 1));
  }
  vectors_[items_ * stride_] = 1;
}

std::span<const double> CustomerSide::solve(const SparseRow& ratings) {
  const std::size_t count = ratings.columns.size();
  rows_.resize(count);
  residuals_.resize(count);
  weights_.assign(count, 1.0);
  for (std::size_t i = 0; i < count; ++i) {
    rows_[i] = static_cast<std::uint32_t>(row_of(ratings.columns[i]));
    residuals_[i] = static_cast<double>(ratings.values[i]) - mean_ - biases_[rows_[i]];
  }
  equations_.clear();
  equations_.add(vectors_.data(), rows_, weights_, residuals_);
  const auto at_least_one = [](std::size_t number) {
    return static_cast<double>(std::max<std::size_t>(number, 1));
  };
  equations_.at(0, 0) += penalties_.bias * at_least_one(count);
  const double penalty = penalties_.factors * at_least_one(known_items(ratings, items_));
  for (std::size_t a = 1; a < equations_.order(); ++a) {
    equations_.at(a, a) += penalty;
  }
  std::fill(solution_.begin(), solution_.end(), 0.0);
  // Only a model far astray has no solution. Stopping would tell the coordinator who rated what.
  if (equations_.solve()) {
    std::copy(equations_.solution().begin(), equations_.solution().end(), solution_.begin());
  }
  return solution_;
}

double CustomerSide::error(std::span<const double> customer, std::uint32_t item, float rating) const {
  const std::size_t row = row_of(item);
  return static_cast<double>(rating) - mean_ - biases_[row] -
         inner_product(customer.data(), vectors_.data() + row * stride_, stride_);
}

}  // namespace hanse
