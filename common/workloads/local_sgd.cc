#include "common/workloads/local_sgd.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/numerics/linear.h"

namespace hanse {
namespace {

/// What a step does to every weight, whatever the rows of its batch: w <- keep w + pull, entry by entry.
class DenseStep {
 public:
  DenseStep(const LocalSgd& options, std::span<const double> start)
      : keep_(1 - options.learning_rate * (options.l2 + options.proximal_mu)),
        keep_last_(1 - options.learning_rate * options.proximal_mu) {
    if (options.proximal_mu > 0 || !options.correction.empty()) {
      pull_.resize(start.size());
      for (std::size_t i = 0; i < start.size(); ++i) {
        const double correction = options.correction.empty() ? 0 : options.correction[i];
        pull_[i] = options.learning_rate * (options.proximal_mu * start[i] - correction);
      }
    }
  }

  void apply(std::span<double> weights) const {
    if (keep_ != 1) {
      for (double& weight : weights.first(weights.size() - 1)) {
        weight *= keep_;
      }
    }
    weights.back() *= keep_last_;
    for (std::size_t i = 0; i < pull_.size(); ++i) {
      weights[i] += pull_[i];
    }
  }

 private:
  double keep_;
  double keep_last_;
  std::vector<double> pull_;
};

}  // namespace

void run_local_sgd(const LocalSgd& options, const Rows& rows, SeededGenerator generator,
                   std::span<double> weights, std::vector<std::uint32_t>& order) {
  check(options.correction.empty() || options.correction.size() == weights.size(),
        "a correction has an entry for each weight");
  std::vector<double> residuals(std::min<std::size_t>(options.batch, rows.size()));
  const DenseStep dense(options, weights);
  const auto step = [&](std::span<const std::uint32_t> batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const double label = static_cast<double>(rows.label(batch[i]));
      const double weight = label > 0.5 ? options.positive_weight : 1;
      residuals[i] = weight * (sigmoid(dot(rows.row(batch[i]), weights)) - label);
    }
    dense.apply(weights);
    const double rate = options.learning_rate / static_cast<double>(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      add_scaled(rows.row(batch[i]), -rate * residuals[i], weights);
    }
  };
  for_each_batch(rows.size(), options.epochs, options.batch, options.shuffle, generator, order, step);
}

}  // namespace hanse
