#pragma once

#include <cmath>
#include <memory>

#include "common/config/configuration.h"
#include "common/numerics/server_optimizer.h"
#include "common/workloads/customer_side.h"
#include "common/workloads/facts.h"
#include "common/workloads/item_equations.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Explicit ratings by a factor model with biases (Koren, Bell, Volinsky 2009):
///
///   rating of customer u for item i  ~  mean + a_u + b_i + p_u . q_i
///
/// The customer's side never leaves the merchant and is stored nowhere: given the item side, (a_u, p_u) is
/// the ridge solution over the customer's training ratings, of penalty ratings_u * (l2_bias a^2 + l2 |p|^2) (for p_u only
/// ratings of items with a row count),
/// found afresh each round (the variable projection of alternating least squares; Zhou et al. 2008 for the
/// weighted penalty). A customer contributes minus the gradient of half its squared error with respect to b_i
/// and q_i of the items it rated: the sum over them of error * (1, p_u).
///
/// Solver `gradient`: the server divides by each item's number of ratings n_i, adds (l2_bias b_i, l2 q_i) and steps.
///
/// Solver `als`: alternating least squares with weighted penalties (Zhou, Wilkinson, Schreiber, Pan 2008). With v = (1, p_u)
/// the sum has for each item the upper triangle of A_i, the sum of v v^T over its customers, and the same sum of
/// error * v, y_i. The server solves each item's own regression,
///
///   (A_i + n_i diag(l2_bias, l2, ..., l2)) step = y_i - n_i (l2_bias b_i, l2 q_i)
///
/// which in exact arithmetic is the minimum over (b_i, q_i) with the customers' sides held. That is
/// (rank + 1)(rank + 4) / 2 entries an item; where all items are more than `entries_per_sum`, groups of items take turns, and
/// where the vector of an item has more than `block` entries, so do blocks of it (see ItemParts). With a unit of privacy A_i is projected to the
/// nearest positive semi-definite matrix before it is used (Chien, Jain, Krichene, Rendle, Song, Thakurta, Zhang 2021). Without one a merchant's customers
/// are added up before they are put on the grid.
///
/// Items without a row here (columns from `items` on: too few merchants have them) are rated by mean + a_u alone. They
/// help to find a_u and count in loss and error, and nothing of them is in any sum of items.
///
/// Solver `local`: federated averaging. A merchant runs `local_epochs` of stochastic gradient descent over its ratings (see
/// common/numerics/rating_sgd.h), customers in an order given by (seed, round, merchant), each from its ridge solution, and contributes for each item its
/// number of ratings times the change of (b_i, q_i). The server divides by n_i and steps along it: with its optimiser sgd and
/// rate 1, items become the means of the merchants' ones, weighted by ratings.
///
/// Sums: first "item statistics" (purpose statistics): per item the number of ratings and the sum of
/// (rating - middle) / half-width of the range; mean, first b_i and step sizes come from it. Then "item
/// gradients", "item equations" or "item changes". Evaluation: per customer the squared error of its test ratings, predicted with the (a_u, p_u)
/// of its training ratings.
///
/// Layout of the parameters: mean, then per item b_i and the k entries of q_i.
class MatrixFactorization final : public Workload {
 public:
  enum class Solver { gradient, als, local };
  struct Options {
    Solver solver = Solver::gradient;
    std::uint32_t items = 0;
    std::uint32_t rank = 16;
    double rating_low = std::nan("");  ///< Public range; NaN: unknown, which is allowed without noise only.
    double rating_high = std::nan("");
    Unit unit = Unit::none;     ///< Of privacy: none, customer or merchant.
    double clip = 0;            ///< Of item gradients; 0: 4096 without a unit of privacy, else 1.
    double expected_share = 1;  ///< Of customers that take part in a round.
    double l2 = 0.12;
    double l2_bias = 0.02;        ///< Of a_u and b_i in place of l2.
    double init = 1;              ///< Standard deviation of the first item factors, times sqrt(rank).
    double ratings_per_unit = 0;  ///< Ratings of one unit that surely count in full in the statistics; 0: 64
                                  ///< for a customer, 4096 for a merchant.
    std::uint32_t block = 0;      ///< Solver als: entries of an item's vector in one sum; 0: all.
    std::size_t entries_per_sum = 1u << 20;  ///< Solver als: of a longer sum, parts take turns.
    std::uint32_t local_epochs = 1;          ///< Solver local.
    double learning_rate = 0.02;             ///< Of local epochs.
    std::uint64_t seed = 1;                  ///< Of their order.
    ServerOptimizer::Options server;
    FeatureSpace space = {};  ///< Encoded: names of items.
  };
  explicit MatrixFactorization(Options options);

  std::string_view name() const override { return "matrix-factorization"; }
  Unit natural_unit() const override { return Unit::customer; }
  Model initial_model(std::uint64_t seed) const override;
  /// Items are known by their names.
  void start_from(const SavedModel& saved, Model& model) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;

  /// The (a_u, p_u) of a customer with these ratings, and predictions from it: for recommendations at the
  /// merchant.
  std::vector<double> solve_customer(const Model& model, const SparseRow& ratings) const;
  double predict(const Model& model, std::span<const double> customer, std::uint32_t item) const;

  /// Sums that one pass over all unknowns takes.
  std::size_t sums_a_pass() const { return options_.solver == Solver::als ? parts_.sums() : 1; }

 private:
  std::size_t block() const { return std::size_t{options_.rank} + 1; }
  bool lanes() const { return options_.unit == Unit::none; }
  ItemPart part(const Model& model) const { return parts_.at(model.step - 1); }
  CustomerSide customer_side(const Model& model) const;
  Metrics apply_statistics(Model& model, std::span<const double> total) const;
  Metrics apply_steps(Model& model, std::span<const double> total) const;
  Metrics apply_equations(Model& model, std::span<const double> total) const;
  Contributor statistics_contributor() const;
  Contributor gradient_contributor(const Model& model) const;
  Contributor changes_contributor(const Model& model) const;
  Contributor equations_contributor(const Model& model) const;
  Contributor error_contributor(const Model& model) const;

  Options options_;
  ServerOptimizer optimizer_;
  ItemParts parts_;
  double middle_ = 0;  ///< Of the rating range.
  double half_width_ = 1;
  double bound_ = HUGE_VAL;  ///< Of (rating - middle) / half-width.
};

/// As [workload], [server] and [privacy] ask for it: the catalogue's `matrix-factorization`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_matrix_factorization(const Configuration& configuration,
                                                    const WorkloadFacts& facts);

}  // namespace hanse
