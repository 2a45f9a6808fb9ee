#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hanse {

/// How the coordinator moves parameters w along a (noisy) mean gradient g. With step size a, momentum m,
/// second moment v, all element-wise, t counting steps from 1:
///
///   sgd       w -= a g
///   momentum  m = b1 m + g;  w -= a m                                      (Polyak 1964; Hsu et al. 2019)
///   adam      m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
///             w -= a (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + tau)       (Kingma and Ba 2015)
///   yogi      as adam, with v -= (1 - b2) sign(v - g^2) g^2                (Zaheer et al. 2018)
///   adagrad   v = v + g^2;  w -= a g / (sqrt(v) + tau)                     (Duchi et al. 2011)
///
/// The adaptive ones are the server optimisers of Reddi et al. 2021 ("Adaptive federated optimization"), with
/// the bias correction of Kingma and Ba and moments that start at zero.
class ServerOptimizer {
 public:
  struct Options {
    std::string name = "sgd";
    double learning_rate = 1.0;   ///< a.
    double momentum = 0.9;        ///< b1.
    double second_moment = 0.99;  ///< b2.
    double tau = 1e-3;            ///< Keeps the adaptive steps finite.
  };

  /// Throws bad_input naming server.optimizer or server.learning_rate when they make no sense.
  explicit ServerOptimizer(Options options);

  /// Doubles of memory for `parameters` parameters: all zero before the first step.
  std::size_t state_size(std::size_t parameters) const;

  /// How far w moves against a gradient that stays 1, a step: a for sgd, a / (1 - b1) for momentum, which are the two that
  /// proximal steps go with: w has come to rest where l1 is minimal when it is shrunk by l1 times this after each step.
  double steady_rate() const;

  /// One step. `state` is state_size(parameters.size()) long plus anything the caller keeps after it; `step`
  /// is t, from 1.
  void apply(std::uint64_t step, std::span<const double> gradient, std::span<double> parameters,
             std::span<double> state) const;

 private:
  enum class Rule { sgd, momentum, adam, yogi, adagrad };
  Rule rule_ = Rule::sgd;
  Options options_;
};

/// The names that ServerOptimizer knows.
std::vector<std::string> server_optimizer_names();

}  // namespace hanse
