#include "coordinator/preflight.h"

#include <string>

#include "common/base/failure.h"
#include "common/data/feature_space.h"
#include "common/workloads/task.h"
#include "privacy/accounting/noise_schedule.h"

namespace hanse {

void check_run(const Configuration& configuration) {
  check_task(configuration);
  const Configuration::Privacy& privacy = configuration.privacy;
  if (privacy.unit != Unit::none && privacy.epsilon == 0 && privacy.noise_multiplier == 0) {
    throw bad_input("privacy.unit=" + std::string(name_of(privacy.unit)) +
                    " needs privacy.epsilon and privacy.delta; set privacy.unit=none for a run that protects "
                    "nobody");
  }
  constexpr std::uint32_t kSomeMerchants = 3;  // How many there are is not known yet, and changes no rule.
  schedule_noise(privacy, count_sums(configuration, feature_space(configuration), row_kind(configuration),
                                     kSomeMerchants));
}

}  // namespace hanse
