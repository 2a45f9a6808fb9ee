// hanse-calibrate: the least noise that keeps a plan within epsilon.

#include <cstdio>
#include <vector>

#include "common/base/program.h"
#include "privacy/accounting/calibrate.h"
#include "privacy/accounting/rdp.h"
#include "privacy/programs/report.h"

namespace {

int run(int argc, char** argv) {
  using namespace hanse;
  Arguments arguments("hanse-calibrate",
                      "Finds the smallest noise multiplier that keeps a plan within epsilon.");
  arguments.option("epsilon", "The target, which the result never exceeds.");
  declare_mechanism_options(arguments);
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const MechanismOptions options = read_mechanism_options(arguments);
  const double target = read_positive(arguments, "epsilon");
  const auto plan = [&options](double z) { return std::vector{options.event_at(z)}; };
  const double z = options.accountant == AccountantKind::pld
                       ? calibrate_by_pld(plan, target, options.delta)
                       : calibrate_noise_multiplier(plan, target, options.delta);
  const Figures reached = figures_of(options.event_at(z), options.delta);
  std::fputs(describe(options, z, reached, arguments.flag_given("json")).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-calibrate", [&] { return run(argc, argv); });
}
