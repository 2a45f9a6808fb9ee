// What privacy costs on the wire: bytes from a merchant to the coordinator beyond its vector.

#include "tests/support/test_federation.h"

namespace hanse {
namespace {

constexpr std::size_t kBoxOverhead = 8 + 16;  ///< Sequence number and tag of a link's box.
constexpr std::size_t kBytesPerNeighbour = 256;

struct Size {
  std::uint32_t merchants = 0;
};
void PrintTo(const Size& size, std::ostream* out) {
  *out << size.merchants << " merchants";
}

class Overhead : public testing::TestWithParam<Size> {};

TEST_P(Overhead, OfARoundIsAtMost256BytesANeighbour) {
  TestFederation federation({.seed = 31, .merchants = GetParam().merchants, .workers = 2});
  ASSERT_TRUE(federation.join());
  std::size_t sent = 0;
  std::size_t residues = 0;
  federation.tamper_from_worker = [&](FromWorker& message) {
    const auto envelope = open_envelope(message.message);
    if (envelope->merchant == 0) {
      sent += kBoxOverhead + message.message.size();
      if (envelope->type == MessageType::upload) {
        residues = 4 * TestFederation::kLength;
      }
    }
    return true;
  };

  SimulatedNetwork network;
  federation.attach(network);
  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.summed(), nullptr);
  ASSERT_GT(residues, 0u);
  EXPECT_LE(sent - residues, kBytesPerNeighbour * (GetParam().merchants - 1));
}

INSTANTIATE_TEST_SUITE_P(Federations, Overhead, testing::Values(Size{32}, Size{64}));

}  // namespace
}  // namespace hanse
