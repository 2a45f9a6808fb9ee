#include "coordinator/preflight.h"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/failure.h"
#include "common/data/feature_space.h"
#include "common/workloads/task.h"
#include "coordinator/start_model.h"
#include "privacy/accounting/noise_schedule.h"
#include "privacy/secure_sum/graph_parameters.h"
#include "privacy/sum_parameters.h"

namespace hanse {
namespace {

/// How many merchants data.partition deals the rows to; nothing when the data says who they are.
std::optional<std::uint32_t> merchants_dealt_to(std::string_view partition) {
  const std::size_t colon = partition.find(':');
  std::uint32_t merchants = 0;
  if (colon == std::string_view::npos ||
      std::from_chars(partition.data() + colon + 1, partition.data() + partition.size(), merchants).ec !=
          std::errc()) {
    return std::nullopt;
  }
  return merchants;
}

/// The rest is asked once the merchants are there: by the coordinator of all HELLOs, and by every worker.
void check_graph(const Configuration& configuration) {
  if (configuration.aggregation.encryption != "masked") {
    return;
  }
  const GraphWishes wishes = graph_wishes(configuration);
  if (const auto fault = fault_of(wishes)) {
    throw bad_input(fault->what);
  }
  const auto merchants = merchants_dealt_to(configuration.data.partition);
  if (merchants && *merchants >= 3 && *merchants <= kMerchantsMax) {
    if (const auto graph = plan_graph(*merchants, wishes); !graph) {
      throw bad_input(graph.what());
    }
  }
}

}  // namespace

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
  check_graph(configuration);
  if (!configuration.federation.resume) {
    check_start_model(configuration);
  }
}

}  // namespace hanse
