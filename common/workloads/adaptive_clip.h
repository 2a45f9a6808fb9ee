#pragma once

#include <memory>

#include "common/workloads/workload.h"

namespace hanse {

/// A workload whose clip norm follows a quantile of the norms of contributions (Andrew, Thakkar, Ramaswamy, McMahan 2021).
/// Each training sum has one more entry than the workload's own, to which a unit adds one bit:
///
///   x  the workload's contribution, scaled to norm at most C
///   b  1 when it was within C before, else 0
///   y  = (x, s (b - quantile)),     ||y||2 <= R = sqrt(C^2 + s^2 beta^2),   beta = max(quantile, 1 - quantile)
///
/// and after the sum, whose last entry is s B:   C <- C exp(-learning_rate B / expected_units).
///
/// The bit is centred, so that at the right quantile B is 0 however many units there are; `expected_units` m is a public
/// guess that scales the step, and no divisor depends on the data. With m and the noise multiplier z the scale s is such
/// that the bits' own noise has deviation sigma_b = m / 20, where that is enough, and else one that costs a tenth at most:
///
///   r = s / C,   (sigma_b)^2 = z^2 (1 + r^2 beta^2) / r^2
///
/// Both travel in one sum of clip norm R with noise z R. The noise over C is then z_delta = z sqrt(1 + r^2 beta^2), and
/// z^-2 = z_delta^-2 + (sigma_b / beta)^-2: the paper's division of the noise, with quantile 1/2 its shift to +-1/2. The
/// ledger needs to know nothing of it: it counts one release of multiplier z, under the clip norm R in its intent.
///
/// C is the last parameter of the model, so it is public and in the digest that every intent names; every rank derives
/// the next sum from it, and refuses another. With K merchants a customer each clips to C / K, as without this.
class AdaptiveClip final : public Workload {
 public:
  struct Options {
    double start = 0;  ///< First C; 0: the clip norm that the workload's own sum has.
    double quantile = 0.5;
    double learning_rate = 0.2;
    double expected_units = 1;      ///< m.
    double noise_multiplier = 0;    ///< z of training sums.
    double merchants_per_unit = 1;  ///< K.
  };
  AdaptiveClip(std::unique_ptr<Workload> inner, const Options& options);

  std::string_view name() const override { return inner_->name(); }
  Unit natural_unit() const override { return inner_->natural_unit(); }
  Model initial_model(std::uint64_t seed) const override;
  void start_from(const SavedModel& saved, Model& model) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;
  Insights evaluation_insights(const PrivateSum& sum, std::span<const double> total,
                               double noise) const override {
    return inner_->evaluation_insights(sum, total, noise);
  }
  std::optional<OwnResult> own_part(const Model& model, const UnitRows& merchant) const override;

  /// r, rounded down to eight binary digits: ranks whose logarithms differ in the last digit agree on it.
  double bit_ratio() const { return ratio_; }

 private:
  std::unique_ptr<Workload> inner_;
  Options options_;
  double ratio_ = 0;
  double first_ = 1;
};

}  // namespace hanse
