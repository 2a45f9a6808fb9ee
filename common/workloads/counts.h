#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/workloads/facts.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Market analysis: how often is what, and what grows. In one round, of every column of words a count of each word, and of
/// every column of numbers a histogram of `cells` equal cells over its public range:
///
///   counts     n, the rows; n_w, the rows that have word w; h_ci, the rows whose number c is in cell i
///   quantiles  of a number: where the cumulated histogram reaches a share of the rows, within a cell as if all were spread
///              evenly; off by a cell at most
///   growth     with a time column t and a period of length L up to `end`: words counted apart for the last period,
///              t in (end - L, end], and the one before, t in (end - 2 L, end - L], and their relative difference
///
/// A row adds a 1 to the rows, to each of its words and to one cell of each number, so its norm is
///
///   ||vector of a row|| = sqrt(1 + columns of words + numbers),
///
/// whichever period it is from. C is privacy.clip, or that norm times the rows of a unit that count (1, 8 or 256 for a record,
/// customer or merchant; workload.rows_per_unit). A unit that comes or goes moves the sum by at most C, since longer ones are
/// scaled down.
///
/// Without a unit of privacy merchants' counts are added, exactly (common/workloads/two_parts.h), and with each the number of
/// merchants that have it: a count of fewer than privacy.min_contributors merchants is not published, but 0, though the
/// coordinator opens it, as it does those of Preparation (common/workloads/preparation.h). With noise
/// nothing is told that is within four deviations of it, and of growth nothing unless both counts stand above it.
///
/// Layout of the parameters: counts as the sum has them, for each period the rows and then the words; cells of each number.
class Counts final : public Workload {
 public:
  struct Period {
    std::uint32_t column = 0;  ///< Of numbers.
    double length = 0;         ///< L
    double end = 0;
  };
  struct Options {
    FeatureSpace space;      ///< Encoded; numbers as in the file, each with a public range.
    double train_rows = 0;   ///< As released.
    Unit unit = Unit::none;  ///< Of privacy.
    double clip = 0;         ///< C; 0: its default.
    double rows_per_unit = 0;
    double noise_multiplier = 0;
    double merchants_needed = 1;
    std::size_t cells = 32;
    std::size_t top = 20;  ///< Words of a column that are told.
    std::optional<Period> period;
  };
  explicit Counts(Options options);

  std::string_view name() const override { return "counts"; }
  Unit natural_unit() const override { return Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  /// rows (one a period, the last first; the third is all that is older), words (periods x words) and cells (numbers x
  /// cells). What is not above the noise is 0 in words.
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;

  /// The number below which `share` of the rows are, by column c's histogram; NaN where there are no rows.
  double quantile(const Model& model, std::uint32_t column, double share) const;

 private:
  bool exact() const { return options_.unit == Unit::none; }
  std::size_t periods() const { return options_.period ? 3 : 1; }
  std::size_t words() const { return options_.space.width - 1u - options_.space.numeric; }
  std::size_t block() const { return 1 + words(); }  ///< Entries of a period.
  std::size_t entries() const { return periods() * block() + options_.space.numeric * options_.cells; }
  std::size_t cell_of(std::uint32_t column, double value) const;
  std::size_t period_of(const SparseRow& row) const;
  double believed() const;  ///< Least count that is told.
  double rows_of(const Model& model, std::size_t period) const;
  /// Of a word in one period, or in all; 0 where it is not told.
  double count_of_word(const Model& model, std::size_t word, std::optional<std::size_t> period) const;
  std::optional<double> growth(const Model& model, std::size_t word) const;
  InsightTable words_table(const Model& model, const ColumnRange& range) const;
  InsightTable growth_table(const Model& model) const;
  InsightTable quantiles_table(const Model& model) const;

  Options options_;
};

/// As [workload] and [privacy] ask for it: the catalogue's `counts`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_counts(const Configuration& configuration, const WorkloadFacts& facts);

}  // namespace hanse
