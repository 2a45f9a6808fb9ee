#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/data/units.h"
#include "common/workloads/contribution.h"
#include "common/workloads/insights.h"
#include "common/workloads/model.h"
#include "common/workloads/warm_start.h"

namespace hanse {

/// What a private sum is for: it decides which share of the privacy budget pays for it.
enum class Purpose {
  statistics,  ///< Before training: counts, means, vocabularies.
  update,      ///< A training step.
  evaluation,  ///< Test metrics.
};
std::string_view name_of(Purpose purpose);

/// The public description of one private sum: one bounded vector per unit, added over all units of all
/// merchants and released once. Every rank derives it from the public model, and a merchant refuses any
/// other.
struct PrivateSum {
  std::string name;  ///< "gradient", "moments", "test scores": for ledger and log.
  Purpose purpose = Purpose::update;
  Population population = Population::train;
  std::size_t length = 0;  ///< Entries of the vector.
  double clip_norm = 1;    ///< L2 bound of one unit's vector; longer ones are scaled down to it.
  Unit without_privacy =
      Unit::none;  ///< Whose vectors are added when privacy.unit is none; none: the natural unit's.
};

/// Writes one unit's contribution. Bound to one model and one sum; what depends on the model alone is
/// computed once, when it is made. The Contribution is cleared before each call.
using Contributor = std::function<void(const UnitRows&, Contribution&)>;

/// The score of one encoded row by a model: a logit, or a predicted number in units of the label.
using RowScorer = std::function<double(const SparseRow&)>;

/// The probabilities of all classes (FeatureSpace::classes, in their order) for one encoded row, into a span of as many.
using ClassScorer = std::function<void(const SparseRow&, std::span<double>)>;

/// What a merchant learns for itself on top of a model, and how good that is for it.
struct OwnResult {
  NamedArray own;
  Metrics figures;
};

/// A workload turns one privacy unit's rows into a vector, and a sum of such vectors into a better model. It
/// is a sequence of private sums and knows nothing of privacy, masks, networks or files.
///
/// Laws, checked for every workload by tests/workload_contract_test.cc:
///  - purity: the same model, sum and rows give the same contribution; nothing is remembered between calls;
///  - the sum of contributions does not depend on how units are dealt to merchants (unless the unit is the
///    merchant);
///  - apply() of the exact sum equals the reference estimator in tests/reference/;
///  - where a training loss is declared, it falls.
class Workload {
 public:
  virtual ~Workload() = default;

  virtual std::string_view name() const = 0;

  /// The unit whose contributions are added when privacy.unit is none: the finest for which the algorithm is
  /// defined. Also the finest unit of privacy that the workload can promise.
  virtual Unit natural_unit() const = 0;

  /// The model before the first sum, the same for everyone with the same seed.
  virtual Model initial_model(std::uint64_t seed) const = 0;

  /// Has `model`, which is as initial_model() made it, begin where a published model ended. Throws bad_input naming federation.start
  /// where the workload cannot, or the model does not fit.
  virtual void start_from(const SavedModel& saved, Model& model) const;

  /// The next training sum that `model` asks for, or nothing when the workload is finished (an estimator that
  /// needs one sum, a solver that has converged). Depends on step and parameters only.
  virtual std::optional<PrivateSum> next_sum(const Model& model) const = 0;

  /// The sum that evaluates `model` on test rows, or nothing when there is nothing to evaluate.
  virtual std::optional<PrivateSum> evaluation_sum(const Model& model) const = 0;

  /// How a unit contributes to `sum`, which is next_sum(model) or evaluation_sum(model). The model and the
  /// workload must outlive the contributor.
  virtual Contributor contributor(const Model& model, const PrivateSum& sum) const = 0;

  /// Applies the opened sum (length sum.length, in the contribution's own scale, noise included) and tells
  /// what it says about quality. A training sum moves the model and its step; an evaluation sum leaves it
  /// alone.
  virtual Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const = 0;

  /// The model as it is published.
  virtual std::vector<NamedArray> arrays(const Model& model) const = 0;

  /// What the finished `model` says to people, for the end of a run, its report and model/insights.json.
  virtual Insights insights(const Model&) const { return {}; }

  /// What the last total of an evaluation sum says beyond its figures, to follow insights(): a table of classes, say.
  /// `noise` is the standard deviation of the noise in each of its entries, 0 without.
  virtual Insights evaluation_insights(const PrivateSum&, std::span<const double> /*total*/,
                                       double /*noise*/) const {
    return {};
  }

  /// How `model` scores rows of RowKind::record; none where it does not. The model must outlive it.
  virtual RowScorer scorer(const Model&) const { return {}; }

  /// How `model` tells classes apart: the probability of each for a row; none where labels are not LabelKind::one_of_many. The
  /// model must outlive it.
  virtual ClassScorer class_scorer(const Model&) const { return {}; }

  /// The part that stays at the merchant whose rows are all given, for the finished model; nothing when there is none. It is
  /// not for any sum: it stays in the merchant's house.
  virtual std::optional<OwnResult> own_part(const Model&, const UnitRows&) const { return std::nullopt; }
};

/// Whose vectors `sum` adds: the unit of privacy, or without one the sum's own, or the workload's natural unit.
Unit summed_unit(const Workload& workload, const PrivateSum& sum, Unit privacy);

}  // namespace hanse
