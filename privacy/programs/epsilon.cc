// hanse-epsilon: the epsilon of a noisy sum released many times.

#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "common/base/failure.h"
#include "common/base/program.h"
#include "privacy/accounting/rdp.h"
#include "privacy/programs/report.h"

namespace {

int run(int argc, char** argv) {
  using namespace hanse;
  Arguments arguments("hanse-epsilon", "Computes the epsilon of a noisy sum released many times.");
  arguments.option("noise-multiplier", "Noise standard deviation over the L2 bound of one unit.");
  declare_mechanism_options(arguments);
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const MechanismOptions options = read_mechanism_options(arguments);
  const double z = read_positive(arguments, "noise-multiplier");
  const DpEvent event = options.event_at(z);
  const Figures figures = std::isfinite(epsilon(std::vector{event}, options.delta).epsilon)
                              ? figures_of(event, options.delta)
                              : Figures{.rdp = {.epsilon = std::numeric_limits<double>::infinity()}};
  if (!std::isfinite(figures.answer(options.accountant))) {
    throw bad_input("--noise-multiplier " + arguments.text("noise-multiplier") +
                    " is too small for any finite epsilon; choose a larger one.");
  }
  std::fputs(describe(options, z, figures, arguments.flag_given("json")).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-epsilon", [&] { return run(argc, argv); });
}
