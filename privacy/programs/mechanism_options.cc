#include "privacy/programs/mechanism_options.h"

#include <cmath>
#include <cstdint>

#include "common/base/failure.h"
#include "privacy/accounting/sensitivity.h"

namespace hanse {
namespace {

constexpr std::int64_t kMostSteps = 1'000'000'000'000;
constexpr std::int64_t kMostLeaves = 10'000'000;
constexpr std::int64_t kMostCoins = 1 << 14;

double read_sampling_rate(const Arguments& arguments) {
  const double rate = arguments.number("sampling-rate");
  if (rate <= 0 || rate > 1) {
    throw bad_input("--sampling-rate must be above 0 and at most 1; got " + arguments.text("sampling-rate") +
                    ".");
  }
  return rate;
}

double read_delta(const Arguments& arguments) {
  const double delta = arguments.number("delta");
  if (delta <= 0 || delta >= 1) {
    throw bad_input("--delta must be above 0 and below 1; got " + arguments.text("delta") + ".");
  }
  return delta;
}

Participation read_participation(const Arguments& arguments, std::int64_t steps) {
  if (steps > kMostLeaves) {
    throw bad_input("--steps must be at most " + std::to_string(kMostLeaves) + " for correlated noise; got " +
                    arguments.text("steps") + ".");
  }
  return {.most = static_cast<std::uint64_t>(arguments.integer("participations", 1, steps)),
          .separation = static_cast<std::uint64_t>(arguments.integer("separation", 0, kMostLeaves)),
          .steps = static_cast<std::uint64_t>(steps)};
}

/// An option that only some mechanisms have.
void refuse_unless(bool fits, const Arguments& arguments, const std::string& option,
                   const std::string& mechanisms) {
  if (!fits && arguments.given(option)) {
    throw bad_input("--" + option + " belongs to --mechanism " + mechanisms + ", not to " +
                    arguments.text("mechanism") + ".");
  }
}

}  // namespace

DpEvent MechanismOptions::event_at(double z) const {
  DpEvent made = event;
  made.noise_multiplier = z / std::sqrt(sensitivity_squared);
  return made;
}

void declare_mechanism_options(Arguments& arguments) {
  arguments
      .option("mechanism",
              "gaussian (the reference), discrete-gaussian (what Hanse releases), discrete-gaussian-1d (one "
              "integer), "
              "tree, tree-restart, square-root or banded (correlated noise).",
              "gaussian")
      .option("sampling-rate", "Poisson sampling rate of the units, in (0, 1]; 1: every unit.", "1")
      .option("steps", "Number of releases composed; of leaves for trees.")
      .option("delta", "Probability of the exception, in (0, 1).")
      .option("coins",
              "Parts of a unit that are sampled by coins of their own (its merchants), of norm C / K each.",
              "1")
      .option("adjacency", "zero-out (same figures as add/remove) or replace-one.", "zero-out")
      .option("sensitivity-steps", "Steps of the integer grid in a clip norm; 0: not known, very fine.", "0")
      .option("participations", "tree, square-root: sums in which a unit may take part; tree-restart: trees.",
              "1")
      .option("separation", "tree, square-root: sums that a unit misses between two of its own.", "0")
      .option(
          "bands",
          "banded: bands of the matrix, a run's privacy.turns with privacy.correlated_noise=banded; a unit "
          "counts in one of so many steps, and the multiplier is of its turn.",
          "1")
      .option("accountant",
              "Which figure to answer with: rdp (what budgets are kept by) or pld (what is tight).", "rdp")
      .flag("json", "Prints one JSON object.");
}

MechanismOptions read_mechanism_options(const Arguments& arguments) {
  MechanismOptions options;
  options.mechanism = arguments.choice("mechanism", {"gaussian", "discrete-gaussian", "discrete-gaussian-1d",
                                                     "tree", "tree-restart", "square-root", "banded"});
  const std::string& mechanism = options.mechanism;
  options.accountant =
      arguments.choice("accountant", {"rdp", "pld"}) == "pld" ? AccountantKind::pld : AccountantKind::rdp;
  options.delta = read_delta(arguments);
  const bool tree = mechanism == "tree" || mechanism == "tree-restart";
  const bool correlated = tree || mechanism == "square-root";
  const bool discrete = mechanism == "discrete-gaussian" || mechanism == "discrete-gaussian-1d";
  refuse_unless(correlated, arguments, "participations", "tree, tree-restart or square-root");
  refuse_unless(correlated && mechanism != "tree-restart", arguments, "separation", "tree or square-root");
  refuse_unless(mechanism == "banded", arguments, "bands", "banded");
  refuse_unless(discrete, arguments, "sensitivity-steps", "discrete-gaussian or discrete-gaussian-1d");
  refuse_unless(!correlated, arguments, "sampling-rate", "gaussian, discrete-gaussian or banded");
  refuse_unless(!correlated && mechanism != "discrete-gaussian-1d", arguments, "coins",
                "gaussian, discrete-gaussian or banded");
  const std::int64_t steps = arguments.integer("steps", 1, kMostSteps);
  options.steps = static_cast<std::uint64_t>(steps);
  DpEvent& event = options.event;
  event.noise = mechanism == "discrete-gaussian"      ? NoiseLaw::discrete_gaussian
                : mechanism == "discrete-gaussian-1d" ? NoiseLaw::discrete_gaussian_1d
                                                      : NoiseLaw::gaussian;
  event.sampling_rate = read_sampling_rate(arguments);
  event.coins = static_cast<std::uint32_t>(arguments.integer("coins", 1, kMostCoins));
  event.adjacency = arguments.choice("adjacency", {"zero-out", "replace-one"}) == "replace-one"
                        ? Adjacency::replace_one
                        : Adjacency::zero_out;
  event.sensitivity_steps = arguments.number("sensitivity-steps", 0, 1e15);
  event.count = correlated ? 1 : options.steps;
  if (mechanism == "discrete-gaussian-1d" && !is_valid(event)) {
    throw bad_input(
        "--mechanism discrete-gaussian-1d needs --sensitivity-steps as a whole number from 1 on, and "
        "--adjacency "
        "zero-out.");
  }
  if (mechanism == "tree") {
    options.sensitivity_squared =
        static_cast<double>(tree_sensitivity_squared(read_participation(arguments, steps)));
  } else if (mechanism == "tree-restart") {
    options.sensitivity_squared = static_cast<double>(tree_depth(options.steps)) *
                                  static_cast<double>(arguments.integer("participations", 1, kMostSteps));
  } else if (mechanism == "square-root") {
    const Participation participation = read_participation(arguments, steps);
    options.sensitivity_squared =
        toeplitz_sensitivity_squared(square_root_column(options.steps), participation);
  } else if (mechanism == "banded") {
    const auto bands = static_cast<std::uint64_t>(arguments.integer("bands", 1, kMostSteps));
    event.count = banded_event(1, event.sampling_rate, bands, options.steps).count;
  }
  return options;
}

double read_positive(const Arguments& arguments, const std::string& name) {
  const double value = arguments.number(name);
  if (value <= 0) {
    throw bad_input("--" + name + " must be positive; got " + arguments.text(name) + ".");
  }
  return value;
}

}  // namespace hanse
