#include "privacy/programs/mechanism_options.h"

#include <cstdint>

#include "common/base/failure.h"

namespace hanse {
namespace {

constexpr std::int64_t kMostSteps = 1'000'000'000'000;

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

}  // namespace

void declare_mechanism_options(Arguments& arguments) {
  arguments.option("sampling-rate", "Poisson sampling rate of the units, in (0, 1]; 1: every unit.", "1")
      .option("steps", "Number of releases composed.")
      .option("delta", "Probability of the exception, in (0, 1).")
      .option("mechanism", "gaussian (the reference) or discrete-gaussian (what Hanse releases).", "gaussian")
      .option("accountant", "rdp, the only one in this version.", "rdp")
      .flag("json", "Prints one JSON object.");
}

MechanismOptions read_mechanism_options(const Arguments& arguments) {
  if (arguments.text("accountant") == "pld") {
    throw bad_input("--accountant pld does not exist in this version; only rdp does.");
  }
  arguments.choice("accountant", {"rdp"});
  const bool discrete =
      arguments.choice("mechanism", {"gaussian", "discrete-gaussian"}) == "discrete-gaussian";
  MechanismOptions options;
  options.event.noise = discrete ? NoiseLaw::discrete_gaussian : NoiseLaw::gaussian;
  options.event.sampling_rate = read_sampling_rate(arguments);
  options.event.count = static_cast<std::uint64_t>(arguments.integer("steps", 1, kMostSteps));
  options.delta = read_delta(arguments);
  return options;
}

double read_positive(const Arguments& arguments, const std::string& name) {
  const double value = arguments.number(name);
  if (value <= 0) {
    throw bad_input("--" + name + " must be positive; got " + arguments.text(name) + ".");
  }
  return value;
}

std::string name_of(NoiseLaw law) {
  return law == NoiseLaw::gaussian ? "gaussian" : "discrete-gaussian";
}

}  // namespace hanse
