#pragma once

#include <memory>

#include "common/config/configuration.h"
#include "common/numerics/normal_equations.h"
#include "common/workloads/facts.h"
#include "common/workloads/item_equations.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Matrix factorization of what customers did (bought, viewed), where not doing it says little: implicit alternating least
/// squares (Hu, Koren, Volinsky 2008), with the weights and penalties of Rendle, Krichene, Zhang and Koren 2022
/// ("Revisiting the performance of iALS"). With S the pairs of a customer and an item in the data,
///
///   minimise   sum over S of w_ui (1 - p_u . q_i)^2  +  unobserved * sum over all u, i of (p_u . q_i)^2
///              + sum of l_u |p_u|^2 + sum of l_i |q_i|^2,
///   w_ui = 1 + confidence * value,    l_u = l2 (n_u + unobserved * items)^exponent,    l_i = l2 (n_i + unobserved * customers)^exponent
///
/// n_u and n_i count pairs. A customer's side is solved at its merchant whenever it is needed, and kept nowhere; the sum over all items comes from their
/// Gram matrix, once a round. What leaves is, over all customers of the sum,
///
///   G = sum of p_u p_u^T,    and for each item    A_i = sum of w_ui p_u p_u^T,    y_i = sum of w_ui (1 - p_u . q_i) p_u
///
/// and the server solves  (unobserved G + A_i + l_i) step = y_i - unobserved G q_i - l_i q_i  for each item. Where that is too long for one
/// sum, groups of items take turns, and with `block` set, blocks of each item's vector (iALS++; see ItemParts).
///
/// With a unit of privacy a customer has at most `items_per_customer` items in a sum, another choice in each, p_u is scaled down to a norm of at
/// most `factor_bound` in it, and the noisy matrix of an item is projected to the nearest positive semi-definite one before it is
/// used (Chien, Jain, Krichene, Rendle, Song, Thakurta, Zhang 2021, "Private alternating least squares").
///
/// Then also, only the `items_kept` items of the largest released counts have a vector, because others would be made of noise: theirs is zero, they are in no
/// further sum and are ranked behind. The first entry of a kept item's first vector is its count over the largest, so that customers are first
/// recommended what is popular, and the penalty l_i holds the vector there instead of at zero, and the rest of the budget goes into what they differ in.
///
/// Sums: first "item counts" (statistics): n_i and the number of customers. Then "item equations". Evaluation: RankingQuality of each customer's
/// test items among all items that it has not in training.
///
/// Layout of the parameters: q_i of each item, rank entries each.
class ImplicitFactorization final : public Workload {
 public:
  struct Options {
    std::uint32_t items = 0;
    std::uint32_t rank = 16;
    Unit unit = Unit::none;  ///< Of privacy: none, customer or merchant.
    double clip = 0;  ///< Of item equations; 0: what items_per_customer items of a customer can have, about.
    double expected_share = 1;  ///< Of customers that take part in a round.
    double l2 = 0.01;
    double exponent = 1;
    double unobserved = 0.1;
    double confidence = 0;
    double init = 0.1;        ///< Standard deviation of the first item factors, times sqrt(rank).
    std::uint32_t block = 0;  ///< Entries of an item's vector in one sum; 0: all.
    std::size_t entries_per_sum = 1u << 20;
    std::uint32_t items_per_customer = 64;  ///< With a unit of privacy.
    std::uint32_t items_kept = 256;         ///< With a unit of privacy.
    double factor_bound = 1;                ///< With a unit of privacy.
    double customers_per_unit =
        64;  ///< Of a merchant, when that is the unit of privacy, that surely count in full in counts and tests.
    std::uint64_t seed = 1;
    FeatureSpace space = {};  ///< Encoded: names of items.
  };
  explicit ImplicitFactorization(Options options);

  std::string_view name() const override { return "implicit-matrix-factorization"; }
  Unit natural_unit() const override { return Unit::customer; }
  Model initial_model(std::uint64_t seed) const override;
  /// Items are known by their names.
  void start_from(const SavedModel& saved, Model& model) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;

  /// Sums that one pass over all unknowns takes.
  std::size_t sums_a_pass() const { return parts_.sums(); }

 private:
  bool is_private() const { return options_.unit != Unit::none; }
  ItemPart part(const Model& model) const { return parts_.at(model.step - 1); }
  /// Entries before the items' equations: rows of G.
  std::size_t gram_length(const ItemPart& part) const { return part.unknowns * options_.rank; }
  double units_of_customers() const {
    return options_.unit == Unit::merchant ? options_.customers_per_unit : 1;
  }
  double equations_clip() const;
  Contributor counts_contributor() const;
  Contributor equations_contributor(const Model& model) const;
  Contributor ranking_contributor(const Model& model) const;
  void keep_popular_items(Model& model) const;
  void apply_equations(Model& model, std::span<const double> total) const;

  Options options_;
  ItemParts parts_;
};

/// As [workload], [server] and [privacy] ask for it: the catalogue's `implicit-matrix-factorization`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_implicit_factorization(const Configuration& configuration,
                                                      const WorkloadFacts& facts);

}  // namespace hanse
