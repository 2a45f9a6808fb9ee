// The constants of a sum as START holds them, and the set of merchants behind them.

#include <algorithm>

#include "privacy/protocol/context.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const ByteView bytes = fuzz::input(data, size);
  const fuzz::Allocations allocations;
  ByteReader reader(bytes);
  const SumParameters parameters = read_parameters(reader);
  const MerchantSet participants = MerchantSet::read(reader);
  allocations.must_be_within(size, 8);
  if (reader.finished()) {
    ByteWriter writer;
    write_parameters(writer, parameters);
    participants.write(writer);
    check(std::ranges::equal(writer.bytes(), bytes), "parameters have one encoding");
    check(parameters.step() > 0 && parameters.noise_multiplier() >= 0, "accepted parameters have a meaning");
    check(participants.ids().size() == participants.count(), "a set counts its merchants");
    (void)digest_of(RoundContext{.parameters = parameters, .participants = participants});
  }
  return 0;
}
