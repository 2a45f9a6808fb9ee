#pragma once

#include "tests/support/test_federation.h"

namespace hanse::fuzz {

/// The federation whose session is the same in every process: what one recorded, another understands.
inline constexpr std::uint32_t kFixedWorkers = 2;
inline TestFederation::Plan fixed_plan() {
  return {.seed = 26, .merchants = 4, .workers = kFixedWorkers};
}

/// The same with surplus noise: one merchant may drop out.
inline TestFederation::Plan fixed_surplus_plan() {
  TestFederation::Plan plan = fixed_plan();
  plan.remove_surplus = true;
  return plan;
}

inline RoundRequest noisy_request(const TestFederation& federation) {
  RoundRequest request = federation.request(1);
  request.parameters.share_variance = 1000;
  return request;
}

}  // namespace hanse::fuzz
