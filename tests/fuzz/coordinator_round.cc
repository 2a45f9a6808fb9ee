// A round at the coordinator, fed with whatever workers send in whatever order: records of rank u8 (0: the deadline
// passes) and a message behind its length u16.

#include "coordinator/coordinator_round.h"

#include "tests/fuzz/fixed_federation.h"
#include "tests/fuzz/fuzz.h"

namespace hanse::fuzz {
namespace {

void run_round(TestFederation& federation, RoundRequest request, ByteView input) {
  CoordinatorRound round(federation.session(), std::move(request));
  (void)round.begin();
  ByteReader reader(input);
  while (!reader.failed() && reader.remaining() > 0) {
    const auto rank = reader.get<std::uint8_t>();
    if (rank == 0) {
      (void)round.deadline_passed();
      continue;
    }
    const ByteView message = reader.get_bytes(reader.get<std::uint16_t>());
    (void)round.step({1 + static_cast<Peer>(rank % kFixedWorkers), {message.begin(), message.end()}});
  }
  check(!round.summed() || round.summed()->merchants.size() >= 3,
        "a sum is of as many merchants as it needs");
  check(!round.surplus() || round.surplus()->merchants.size() <= round.summed()->merchants.size(),
        "noise is taken out of those that are in the sum");
  if (round.ended()) {
    (void)round.announce({});
  }
}

}  // namespace
}  // namespace hanse::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static TestFederation federation(fuzz::fixed_plan());
  static TestFederation with_surplus(fuzz::fixed_surplus_plan());
  static const bool joined = federation.join() && with_surplus.join();
  check(joined, "the sessions stand");
  fuzz::run_round(federation, federation.request(1), fuzz::input(data, size));
  fuzz::run_round(with_surplus, fuzz::noisy_request(with_surplus), fuzz::input(data, size));
  return 0;
}
