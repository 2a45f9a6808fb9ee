#include "common/numerics/server_optimizer.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/base/failure.h"

namespace hanse {

std::vector<std::string> server_optimizer_names() {
  return {"sgd", "momentum", "adam", "yogi", "adagrad"};  // In the order of Rule.
}

ServerOptimizer::ServerOptimizer(Options options) : options_(std::move(options)) {
  const std::vector<std::string> names = server_optimizer_names();
  const auto found = std::find(names.begin(), names.end(), options_.name);
  if (found == names.end()) {
    throw bad_input("server.optimizer: expected sgd, momentum, adam, yogi or adagrad; got '" + options_.name +
                    "'");
  }
  rule_ = static_cast<Rule>(found - names.begin());
  if (!(options_.learning_rate > 0) || !std::isfinite(options_.learning_rate)) {
    throw bad_input("server.learning_rate: expected a positive number; got " +
                    std::to_string(options_.learning_rate));
  }
  if (!(options_.momentum >= 0) || !(options_.momentum < 1)) {
    throw bad_input("server.momentum: expected a number from 0 to below 1; got " +
                    std::to_string(options_.momentum));
  }
}

std::size_t ServerOptimizer::state_size(std::size_t parameters) const {
  switch (rule_) {
    case Rule::sgd:
      return 0;
    case Rule::momentum:
    case Rule::adagrad:
      return parameters;
    case Rule::adam:
    case Rule::yogi:
      return 2 * parameters;
  }
  return 0;
}

double ServerOptimizer::steady_rate() const {
  return rule_ == Rule::momentum ? options_.learning_rate / (1 - options_.momentum) : options_.learning_rate;
}

void ServerOptimizer::apply(std::uint64_t step, std::span<const double> gradient,
                            std::span<double> parameters, std::span<double> state) const {
  const std::size_t n = parameters.size();
  check(gradient.size() == n && state.size() >= state_size(n) && step > 0,
        "gradient, parameters and optimiser memory belong together");
  const double rate = options_.learning_rate;
  const double b1 = options_.momentum;
  const double b2 = options_.second_moment;
  switch (rule_) {
    case Rule::sgd:
      for (std::size_t i = 0; i < n; ++i) {
        parameters[i] -= rate * gradient[i];
      }
      return;
    case Rule::momentum:
      for (std::size_t i = 0; i < n; ++i) {
        state[i] = b1 * state[i] + gradient[i];
        parameters[i] -= rate * state[i];
      }
      return;
    case Rule::adagrad:
      for (std::size_t i = 0; i < n; ++i) {
        state[i] += gradient[i] * gradient[i];
        parameters[i] -= rate * gradient[i] / (std::sqrt(state[i]) + options_.tau);
      }
      return;
    case Rule::adam:
    case Rule::yogi:
      break;
  }
  const double correct1 = 1 - std::pow(b1, static_cast<double>(step));
  const double correct2 = 1 - std::pow(b2, static_cast<double>(step));
  double* const first = state.data();
  double* const second = state.data() + n;
  for (std::size_t i = 0; i < n; ++i) {
    const double square = gradient[i] * gradient[i];
    first[i] = b1 * first[i] + (1 - b1) * gradient[i];
    if (rule_ == Rule::adam) {
      second[i] = b2 * second[i] + (1 - b2) * square;
    } else {
      const double sign = second[i] > square ? 1.0 : second[i] < square ? -1.0 : 0.0;
      second[i] -= (1 - b2) * sign * square;
    }
    parameters[i] -= rate * (first[i] / correct1) / (std::sqrt(second[i] / correct2) + options_.tau);
  }
}

}  // namespace hanse
