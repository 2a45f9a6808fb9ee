// A round at the coordinator, fed with whatever workers send in whatever order: records of rank u8 (0: the deadline
// passes) and a message behind its length u16.

#include "coordinator/coordinator_round.h"

#include "tests/fuzz/fixed_federation.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static TestFederation federation(fuzz::fixed_plan());
  static const bool joined = federation.join();
  check(joined, "the session stands");
  CoordinatorRound round(federation.session(), federation.request(1));
  (void)round.begin();
  ByteReader reader(fuzz::input(data, size));
  while (!reader.failed() && reader.remaining() > 0) {
    const auto rank = reader.get<std::uint8_t>();
    if (rank == 0) {
      (void)round.deadline_passed();
      continue;
    }
    const ByteView message = reader.get_bytes(reader.get<std::uint16_t>());
    (void)round.step({1 + static_cast<Peer>(rank % fuzz::kFixedWorkers), {message.begin(), message.end()}});
  }
  check(!round.summed() || round.summed()->merchants.size() >= 3,
        "a sum is of as many merchants as it needs");
  if (round.ended()) {
    (void)round.announce({});
  }
  return 0;
}
