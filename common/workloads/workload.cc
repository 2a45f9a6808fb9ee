#include "common/workloads/workload.h"

#include <string>

#include "common/base/failure.h"

namespace hanse {

std::string_view name_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::statistics:
      return "statistics";
    case Purpose::update:
      return "update";
    case Purpose::evaluation:
      return "evaluation";
  }
  return "unknown";
}

Unit summed_unit(const Workload& workload, const PrivateSum& sum, Unit privacy) {
  if (privacy != Unit::none) {
    return privacy;
  }
  return sum.without_privacy != Unit::none ? sum.without_privacy : workload.natural_unit();
}

void Workload::start_from(const SavedModel&, Model&) const {
  throw bad_input("federation.start: workload.name=" + std::string(name()) +
                  " does not go on from an earlier model: leave it out");
}

}  // namespace hanse
