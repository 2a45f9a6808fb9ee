#include "common/workloads/workload.h"

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

}  // namespace hanse
