#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/facts.h"
#include "common/workloads/item_neighbours.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Which items go together, and what will a customer want next? Customers' items are counted in pairs, once: with x_u the
/// 0/1 vector of customer u's items (values are not looked at), the sum is the co-occurrence matrix
///
///   G = sum over customers of x_u x_u^T:    G_ij customers have both i and j, and G_ii have i
///
/// and a model of it is solved at once. With n_j customers of item j, N in all, and a customer with the items S:
///
///   ease     s_j = n_j / N + sum over i of W_ij (x_i - n_i / N): the linear autoencoder with an intercept for every item, fitted to
///            the covariances G_ij - n_i n_j / N. With a large ridge only popularity is left.
///   cosine   s_j = sum over i in S of cos_ij, ties broken by popularity
///
/// (common/workloads/item_neighbours.h). Pairs that are found together far more often than by chance are told as insights.
///
/// Sums: first "item counts" (statistics): customers of each item, and customers. The `items_kept` items of the largest counts take part. Then "item
/// pairs": the lower triangle of G over them, K (K + 1) / 2 entries, in so many sums of at most `entries_per_sum` as
/// that takes. Evaluation: RankingQuality of each customer's test items among all that it has not in training; without a
/// unit of privacy the same of ranking by popularity beside it, as figures with the ending _popularity.
///
/// Without a unit of privacy merchants' triangles are added, exactly, and behind them, where a pair must be at `min_contributors` merchants to be
/// shown, for each cell how many merchants have it. Cells of fewer are set to zero when the sum opens, before anything is made of them, and
/// taken for those of items that have nothing to do with each other: no model and no table shows what one merchant's customers alone have together. The coordinator does see the opened sum, as it does the contributors'
/// counts of preparation.h.
///
/// With a unit of privacy a customer has at most k = `items_per_customer` items in G, another choice for each customer. So its triangle has at most
/// k (k + 1) / 2 ones, and
///
///   ||vector of a customer|| <= C = sqrt(k (k + 1) / 2),    a merchant's clips to that of `customers_per_unit` customers
///
/// which is the sensitivity: a unit that comes or goes moves the sum by at most C. With noise of deviation s in each cell, a symmetric
/// matrix of noise has eigenvalues up to about 2 s sqrt(K) (Wigner's semicircle): the ridge of EASE is raised by that much, so that directions
/// which noise alone could have made count for little. Cosines are shrunk by 2 s and cells below 2 s are not looked at. A pair
/// is told as an insight only where its count is above what is expected by chance by more than the largest of all cells of noise is likely
/// to be, s sqrt(2 log(cells)). With noise fewer items and fewer items a customer are better.
///
/// Layout of the parameters: customers of each item, customers; the score of each item for a customer without any; then the K kept
/// items, increasing; for each of them `neighbours` others, by their places among those kept; and their weights. Of the server's state: the triangle of G.
class ItemSimilarity final : public Workload {
 public:
  enum class Kind { cosine, ease };
  struct Options {
    std::uint32_t items = 0;
    std::vector<std::string> names;  ///< Of items, for insights; as many as items, or none.
    Kind kind = Kind::ease;
    Unit unit = Unit::none;  ///< Of privacy: none, customer or merchant.
    double l2 = 0;           ///< Ridge of EASE (0: 100), shrinkage of cosines.
    std::uint32_t items_kept = 4096;
    std::uint32_t neighbours = 256;  ///< Of an item, at most.
    std::size_t entries_per_sum = 1u << 22;
    std::uint32_t min_contributors = 1;     ///< Without a unit of privacy: merchants that must have a pair.
    std::uint32_t items_per_customer = 32;  ///< With a unit of privacy.
    double customers_per_unit =
        64;  ///< Of a merchant, when that is the unit of privacy, that surely count in full.
    double noise_multiplier = 0;  ///< Of training sums.
    double train_rows = 1;        ///< Customers, as released before training.
    double min_support = 10;      ///< Customers that must have both items of a pair that is told.
    std::uint64_t seed = 1;
  };
  explicit ItemSimilarity(Options options);

  std::string_view name() const override { return "item-similarity"; }
  Unit natural_unit() const override { return Unit::customer; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;

  /// Training sums until the model is there.
  std::size_t pair_sums() const { return (cells() + cells_per_sum() - 1) / cells_per_sum(); }

 private:
  struct Part {
    std::size_t first;  ///< Cell of the triangle.
    std::size_t cells;
  };
  bool is_private() const { return options_.unit != Unit::none; }
  bool counts_merchants() const { return !is_private() && options_.min_contributors > 1; }
  std::size_t kept() const { return std::min(options_.items, options_.items_kept); }
  std::size_t cells() const { return triangle_size(kept()); }
  std::size_t cells_per_sum() const;
  std::size_t neighbours() const { return std::min<std::size_t>(options_.neighbours, kept() - 1); }
  std::size_t begin_of_offsets() const { return options_.items + std::size_t{1}; }
  std::size_t begin_of_kept() const { return begin_of_offsets() + options_.items; }
  std::size_t begin_of_lists() const { return begin_of_kept() + kept(); }
  double units_of_customers() const {
    return options_.unit == Unit::merchant ? options_.customers_per_unit : 1;
  }
  double unclipped_norm() const;
  double noise_deviation() const;
  Part part(const Model& model) const;
  std::vector<std::uint32_t> kept_items(const Model& model) const;
  NeighbourLists lists(const Model& model) const;
  Contributor counts_contributor() const;
  Contributor pairs_contributor(const Model& model) const;
  Contributor ranking_contributor(const Model& model) const;
  void keep_items(Model& model) const;
  void take_cells(Model& model, std::span<const double> total) const;
  std::vector<double> covariances(const Model& model) const;
  void solve(Model& model) const;
  void find_offsets(Model& model, const NeighbourLists& lists) const;

  Options options_;
};

/// As [workload] and [privacy] ask for it: the catalogue's `item-similarity`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_item_similarity(const Configuration& configuration,
                                               const WorkloadFacts& facts);

}  // namespace hanse
