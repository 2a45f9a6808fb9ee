#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/config/configuration.h"
#include "common/data/csr_matrix.h"
#include "common/numerics/normal_equations.h"
#include "common/workloads/customer_side.h"

namespace hanse {

/// The customer's side of implicit matrix factorization (common/workloads/implicit_factorization.h has the objective). Given the items' vectors it is a
/// ridge regression, which the merchant solves afresh whenever it is needed:
///
///   p = W sum over the customer's items of w_j q_j,    W = (unobserved Q^T Q + sum of w_j q_j q_j^T + l_u)^-1
///
/// with w_j = 1 + confidence * value beside the weight of all items.
class TasteSolver {
 public:
  struct Options {
    std::uint32_t items = 0;
    std::uint32_t rank = 16;
    double l2 = 0.01;
    double exponent = 1;
    double unobserved = 0.1;
    double confidence = 0;
  };
  /// `vectors`: q_i of each item, rank entries each.
  TasteSolver(std::span<const double> vectors, const Options& options);

  /// p_u of a customer with these items, padded; zero when there are none that the model knows. Valid until the next call.
  std::span<const float> solve(const SparseRow& items);
  float weight(float value) const;
  float score(std::span<const float> customer, std::size_t item) const {
    return inner_product(customer.data(), table_.data() + item * stride_, stride_);
  }
  /// What each of the customer's items adds to the score of `item`, the most first; none that takes away. The score is the sum over j of
  /// w_j q_item . W q_j (Hu, Koren, Volinsky 2008, section 5).
  std::vector<ItemReason> reasons(const SparseRow& items, std::uint32_t item);
  /// unobserved * sum over all items of (p . q)^2
  double loss_of_everything(std::span<const float> customer) const;
  /// With a unit of privacy: whether the item has a vector.
  bool is_kept(std::size_t item) const;
  std::size_t items() const { return items_; }
  std::size_t stride() const { return stride_; }

 private:
  void gather(const SparseRow& items, std::size_t known);

  Options options_;
  std::size_t stride_;
  std::size_t items_;
  std::vector<float> table_;
  NormalEquations<float> everything_;  ///< unobserved times the Gram matrix of all items.
  NormalEquations<float> equations_;
  std::vector<std::uint32_t> rows_;
  std::vector<float> weights_;
  std::vector<float> targets_;
  std::vector<float> solution_;
};

/// As [workload] asks for it.
TasteSolver::Options taste_options(const Configuration& configuration, std::uint32_t items);

}  // namespace hanse
