#pragma once

#include <memory>

#include "common/workloads/own_part.h"
#include "common/workloads/regression_errors.h"
#include "common/workloads/score_histogram.h"
#include "common/workloads/workload.h"

namespace hanse {

/// A workload with a part of the model that stays at the merchant: the federation's knowledge, and a merchant's own
/// character. Training is the inner workload's. Given its model, a merchant solves its own part afresh from its training
/// rows (common/workloads/own_part.h); nothing of it is sent or remembered.
///
/// Three models are compared on a merchant's test rows: the federation's, the same with the own part, and a linear one that
/// is fitted to the merchant's training rows alone (penalty alone_l2 a row, intercept free). Their figures stand side by
/// side, with suffixes "", "_own" and "_alone".
///
/// Whose rows meet in the figures decides where they may go. An own part depends on all training rows of the merchant, so
/// an evaluation sum holds it only where a merchant is the unit of privacy, or nothing is: there a merchant's vector is the
/// sum over its test rows of three records' vectors side by side, and its norm is bounded like that of any other. For finer
/// units the sum is the inner workload's, and what the own part is worth is told to the merchant alone, by own_part().
class Personalised final : public Workload {
 public:
  struct Options {
    OwnKind kind = OwnKind::all;
    double l2 = 1;
    double alone_l2 = 1e-3;
    std::uint32_t width = 1;
    bool numeric_label = false;
    double label_low = -1;
    double label_high = 1;
    bool label_declared = false;
    Unit unit = Unit::none;  ///< Of privacy.
    double test_rows_per_unit = 0;
    std::uint64_t max_units = 1u << 20;
  };
  Personalised(std::unique_ptr<Workload> inner, const Options& options);

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
  RowScorer scorer(const Model& model) const override { return inner_->scorer(model); }
  std::optional<OwnResult> own_part(const Model& model, const UnitRows& merchant) const override;

 private:
  struct Fitted {
    std::vector<double> own;
    std::vector<double> alone;
  };
  bool summed() const { return options_.unit == Unit::none || options_.unit == Unit::merchant; }
  double scaled(double value) const { return (value - middle_) / half_width_; }
  double score_of(const RowScorer& scorer, const SparseRow& row) const;
  Fitted fit(const RowScorer& scorer, const Rows& train) const;
  std::vector<double> compare(const RowScorer& scorer, const Fitted& fitted, const Rows& test) const;
  Metrics figures(std::span<const double> sums) const;

  std::unique_ptr<Workload> inner_;
  Options options_;
  OwnPart own_;
  OwnPart::Options alone_;
  RegressionErrors errors_;
  ScoreHistogram histogram_;
  double middle_ = 0;  ///< Scores of numbers are taken to [-1, 1] by the label's range.
  double half_width_ = 1;
};

}  // namespace hanse
