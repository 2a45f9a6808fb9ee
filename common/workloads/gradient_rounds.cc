#include "common/workloads/gradient_rounds.h"

#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/workloads/workload_options.h"

namespace hanse {

GradientRounds::GradientRounds(Options options) : options_(std::move(options)), optimizer_(options_.server) {
  if (!(options_.train_rows >= 1)) {
    throw bad_input("data.path: no training rows were counted, so there is nothing to train on");
  }
  if (options_.local && options_.unit != Unit::none && options_.unit != Unit::merchant) {
    throw bad_input(
        "workload.solver=local sends one difference a merchant, so privacy.unit must be merchant or none; "
        "for records and customers use workload.solver=gradient");
  }
  if (options_.epochs.batch == 0 || options_.epochs.epochs == 0) {
    throw bad_input("workload.batch and workload.local_epochs: expected at least 1");
  }
  if (!options_.local && options_.epochs.proximal_mu > 0) {
    throw bad_input("workload.proximal_mu corrects local epochs: set workload.solver=local");
  }
}

PrivateSum GradientRounds::sum() const {
  PrivateSum sum;
  sum.name = options_.local ? "local steps" : "gradient";
  sum.purpose = Purpose::update;
  sum.length = options_.parameters + (lanes() ? 2 : 0);
  sum.clip_norm = options_.clip > 0 ? options_.clip : lanes() ? options_.unclipped : 1.0;
  return sum;
}

double GradientRounds::weight_of(std::size_t rows) const {
  return options_.epochs.equal_weights ? 1.0
                                       : static_cast<double>(rows) * options_.merchants / options_.train_rows;
}

void GradientRounds::write_lanes(double loss, double weight, Contribution& out) const {
  if (lanes()) {
    const double entries[] = {loss, weight};
    out.add_block(options_.parameters, entries);
  }
}

void GradientRounds::write_difference(std::span<double> weights, std::span<const double> here, double loss,
                                      std::size_t rows, Contribution& out) const {
  const double weight = weight_of(rows);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = weight * (weights[i] - here[i]);
  }
  out.add_block(0, weights);
  write_lanes(weight * loss / static_cast<double>(rows), weight, out);
}

Metrics GradientRounds::apply(Model& model, std::span<const double> total) const {
  const std::size_t count = options_.parameters;
  check(model.parameters.size() == count && total.size() == sum().length, "a total is as long as its sum");
  ++model.step;
  const double units = options_.local ? static_cast<double>(options_.merchants) : options_.train_rows;
  const double divisor = lanes() ? total[count + 1] : units * options_.expected_share;
  if (!(divisor > 0)) {
    return {};  // Nobody took part.
  }
  std::vector<double> gradient(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(count));
  for (double& entry : gradient) {
    entry /= options_.local ? -divisor : divisor;
  }
  if (!options_.local && options_.l2 > 0) {
    for (const auto& [begin, end] : options_.penalised) {
      for (std::size_t i = begin; i < end; ++i) {
        gradient[i] += options_.l2 * model.parameters[i];
      }
    }
  }
  optimizer_.apply(model.step, gradient, model.parameters, model.server_state);
  return lanes() ? Metrics{{"train_loss", total[count] / divisor}} : Metrics{};
}

GradientRounds::Options gradient_rounds_options(const Configuration& configuration,
                                                const WorkloadFacts& facts) {
  const Configuration::WorkloadOptions& workload = configuration.workload;
  GradientRounds::Options options;
  options.local = solver_option<bool>(workload, {{"gradient", false}, {"local", true}});
  options.train_rows = facts.train_rows;
  options.merchants = facts.merchants;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  options.l2 = workload.l2;
  options.epochs = {.epochs = workload.local_epochs,
                    .batch = workload.batch,
                    .learning_rate = workload.learning_rate,
                    .proximal_mu = number_option(workload.other, "proximal_mu", 0),
                    .shuffle = flag_option(workload.other, "shuffle", true),
                    .equal_weights = equal_weights(configuration, options.local)};
  options.seed = configuration.federation.seed;
  options.server = server_options(configuration);
  return options;
}

}  // namespace hanse
