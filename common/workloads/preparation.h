#pragma once

#include <cstdint>
#include <vector>

#include "common/config/configuration.h"
#include "common/data/encoding.h"
#include "common/workloads/workload.h"

namespace hanse {

/// What must be known of the data before training, learnt by private sums and never by looking at all data:
///
///   "magnitudes"  for numeric columns and numeric labels without a declared range: per column a histogram of the
///                 sign and the binary exponent of x, of which a range is made;
///   "contributors" without a unit of privacy: for each sparse column (item, category, hashed bucket) how many
///                 merchants have it in a training row. Columns of fewer than min_contributors merchants have no
///                 place in the model and hence in no later sum, so that no released row is one merchant's own;
///   "vocabulary"  for columns that were hashed: how many units have each bucket; rare ones are not kept;
///   "documents"   for each word of a text (data.text) in how many training rows it is: its document frequency. Of it comes how
///                 much the word tells, log((1 + n) / (1 + frequency)) + 1, n training rows; hashed words are kept
///                 where their count is to decide (COLUMN without #) and is believed. A unit's vector counts its rows, so its norm is at most rows sqrt(words a row);
///   "moments"     the number of training rows n, and for each numeric column, with
///                 u = (x - middle) / half-width of its range clipped to [-1, 1]: the sums of u and of
///                 u^2 - 1/2, and the number of missing values.
///
/// A sum that is not needed is left out; the last always takes place, because gradients are divided by the
/// released n and never by a number nobody released. With a unit of privacy there are no "contributors": noise
/// covers every entry, and thresholds on noisy counts keep out what noise alone could have made. At
/// RowKind::customer a row is a customer, and n their number.
///
/// What the contributors' count itself shows: it opens at the coordinator, as an exact number for each column, so the
/// coordinator learns that some column is at exactly one merchant, though not at which one. Merchants and the model
/// learn only whether the bound was reached. A merchant cannot verify the number: a coordinator that signs a false
/// count for all alike is not caught by it. And the bound is of merchants in this one sum: with cohorts, or merchants
/// that drop out later, a round's row may come from fewer of those that were counted.
///
/// Norm of one record's moments: u^2 + (u^2 - 1/2)^2 <= 5/4 for |u| <= 1, so at most sqrt(1 + 5/4 columns);
/// centring the square costs nothing and saves a third of the noise. Without noise the clip norm is a power
/// of two far above any unit's vector: nothing is clipped and counts are exact.
class Preparation final : public Workload {
 public:
  struct Options {
    FeatureSpace space;
    RowKind kind = RowKind::record;
    Unit unit = Unit::none;  ///< Of privacy.
    bool standardise = true;
    double noise_multiplier = 0;  ///< Expected of each sum; thresholds are multiples of the noise it makes.
    std::uint32_t min_contributors = 1;  ///< Merchants that must have a sparse column; 1: no such count.
    bool alone = false;                  ///< A single merchant has nobody to hide among: then one is enough.
    double kept_at_least = 1;            ///< Fewest units (released count) for a hashed bucket to be kept.
    double rows_per_unit = 0;  ///< Rows of one unit that surely count in full; 0: 1, 32 or 1024 for a record,
                               ///< customer or merchant.
    double words_per_unit = 0;  ///< Likewise distinct buckets of one unit; 0: as rows_per_unit for records,
                                ///< 64 times for RowKind::customer.
    double outlier_limit = 0;   ///< Standardised values are clipped to +-this; 0: a wide limit of its own.
    std::uint64_t max_units = 1u << 20;  ///< Public bound on the rows of a merchant.
  };
  explicit Preparation(Options options);

  std::string_view name() const override { return "preparation"; }
  Unit natural_unit() const override;
  Model initial_model(std::uint64_t seed) const override;
  /// By model.step alone: which sums there are is known before the first.
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  /// Metrics: train_rows, after "moments".
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;

  /// The encoding that a finished model tells.
  Encoding encoding(const Model& model) const;

 private:
  enum class Stage { magnitudes, contributors, vocabulary, documents, moments };
  PrivateSum sum_of(Stage stage) const;
  std::optional<Stage> stage_at(std::uint64_t step) const;
  Unit counted_unit() const { return options_.unit == Unit::none ? natural_unit() : options_.unit; }
  std::size_t magnitudes() const { return undeclared_.size() + (label_undeclared_ ? 1u : 0u); }
  std::size_t size() const;  ///< Of the parameters.
  std::uint32_t contributors_needed() const { return options_.alone ? 1 : options_.min_contributors; }
  double noise_deviation(const PrivateSum& sum) const { return options_.noise_multiplier * sum.clip_norm; }
  Contributor magnitudes_contributor() const;
  Contributor presence_contributor(const Model& model, Stage stage) const;
  Contributor documents_contributor(const Model& model) const;
  Contributor moments_contributor(const Model& model) const;
  void apply_magnitudes(Model& model, const PrivateSum& sum, std::span<const double> total) const;
  std::vector<bool> hidden_columns(const Model& model) const;
  void apply_contributors(Model& model, std::span<const double> total) const;
  void apply_vocabulary(Model& model, const PrivateSum& sum, std::span<const double> total) const;
  void apply_documents(Model& model, const PrivateSum& sum, std::span<const double> total) const;
  std::size_t first_document() const;  ///< In the parameters.
  Metrics apply_moments(Model& model, const PrivateSum& sum, std::span<const double> total) const;

  Options options_;
  std::vector<std::uint32_t> undeclared_;  ///< Numeric columns without a range.
  bool label_undeclared_ = false;          ///< The label is a number without a range.
  std::vector<std::uint32_t> counted_;     ///< Hashed columns, but words of texts.
  std::vector<std::uint32_t> documents_;   ///< Words of texts.
  std::vector<std::uint32_t> sparse_;      ///< Columns whose merchants are counted: all sparse ones, or none.
  std::vector<Stage> stages_;
};

/// Preparation as a configuration asks for it. Keys of its own in [workload]: kept_at_least, rows_per_unit,
/// words_per_unit. `noise_multiplier` is that of the plan's statistics sums, 0 when there is no noise. Of `merchants`
/// matters only whether there is more than one: a single merchant has nobody to hide among.
Preparation make_preparation(const Configuration& configuration, const FeatureSpace& space, RowKind kind,
                             std::uint32_t merchants, double noise_multiplier);

}  // namespace hanse
