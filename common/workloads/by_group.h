#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/workloads/facts.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Any workload of records, with its test figures told for groups of rows as well: is the model as good for every region, age or
/// size of merchant? The groups' evaluation vectors stand side by side,
///
///   [evaluation of group 1] ... [evaluation of group G] [merchants of group 1] ... [merchants of group G]
///
/// and a test row adds to the part of its own group what it adds to the inner evaluation, so that the norm of a unit's vector has
/// the same bound, and the sum of all parts is the inner evaluation's total. Training is the inner workload's.
///
/// The last G entries are there without a unit of privacy only, when a merchant's vectors are added: the merchants that have a
/// row of the group. Figures of a group of fewer than `min_contributors` are not told.
///
/// Where the inner sum is exact in two parts (common/workloads/two_parts.h), which it is when it adds merchants' vectors without a unit of
/// privacy, the whole of this one is.
///
/// Figures of groups are told with the last evaluation, as insights, where the inner workload's figures have test_rows: with a unit of
/// privacy, of groups whose rows are beyond four standard deviations of what noise alone would make.
///
/// Groups by the size of the merchant would let one record move another's group, so they need a unit that is the merchant or none.
class ByGroup final : public Workload {
 public:
  struct Options {
    std::string group;   ///< COLUMN of words, COLUMN[cut,cut,...] of a number, or "merchant-size".
    FeatureSpace space;  ///< Encoded.
    std::vector<double> mean, deviation;
    Unit unit = Unit::none;
    std::uint32_t min_contributors = 1;
    bool alone = false;  ///< A single merchant has nobody to hide among.
    std::uint64_t max_units = 1u << 20;
  };
  /// Throws bad_input naming workload.group when there is no such column.
  ByGroup(std::unique_ptr<Workload> inner, Options options);

  std::string_view name() const override { return inner_->name(); }
  Unit natural_unit() const override { return inner_->natural_unit(); }
  Model initial_model(std::uint64_t seed) const override { return inner_->initial_model(seed); }
  void start_from(const SavedModel& saved, Model& model) const override { inner_->start_from(saved, model); }
  std::optional<PrivateSum> next_sum(const Model& model) const override { return inner_->next_sum(model); }
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override { return inner_->arrays(model); }
  Insights insights(const Model& model) const override { return inner_->insights(model); }
  /// What the inner workload says of all groups together, and the figures of each.
  Insights evaluation_insights(const PrivateSum& sum, std::span<const double> total,
                               double noise) const override;
  ClassScorer class_scorer(const Model& model) const override { return inner_->class_scorer(model); }
  RowScorer scorer(const Model& model) const override { return inner_->scorer(model); }

  /// Names of the groups: "3", "30-45", "100-999", and "(none)" for rows of none of them.
  const std::vector<std::string>& groups() const { return groups_; }

 private:
  struct Totals {
    std::vector<std::vector<double>> groups;  ///< As the inner workload would have them.
    std::vector<double> all;
    std::vector<double> merchants;
  };
  bool in_two_parts(const PrivateSum& inner) const {
    return counts_merchants() && inner.without_privacy == Unit::merchant;
  }
  Totals totals(const PrivateSum& inner, std::span<const double> total) const;
  Metrics group_figures(const PrivateSum& inner, const Totals& totals, double noise) const;
  bool counts_merchants() const { return options_.unit == Unit::none; }
  std::size_t group_of(const UnitRows& unit, const SparseRow& row) const;

  std::unique_ptr<Workload> inner_;
  Options options_;
  std::string dimension_;  ///< "region".
  std::vector<std::string> groups_;
  std::uint32_t begin_ = 0, end_ = 0;  ///< Columns of the words, or [number, number + 1).
  std::vector<double> cuts_;           ///< Of a number, in units of the model.
};

}  // namespace hanse
