// What the coordinator sees: a test that only checks the sum would pass on a protocol that hides nothing.

#include <algorithm>
#include <cstring>
#include <map>

#include "tests/support/test_federation.h"

namespace hanse {
namespace {

/// Everything the coordinator reads in rounds 1 to `rounds`, decrypted.
std::vector<Bytes> seen_by_coordinator(TestFederation::Plan plan, std::uint64_t rounds) {
  TestFederation federation(plan);
  EXPECT_TRUE(federation.join());
  std::vector<Bytes> seen;
  federation.tamper_from_worker = [&](FromWorker& message) {
    seen.push_back(message.message);
    return true;
  };
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    SimulatedNetwork network;
    federation.attach(network);
    EXPECT_NE(federation.run(network, federation.request(round)).summed(), nullptr);
  }
  return seen;
}

std::vector<Bytes> uploads_of(const std::vector<Bytes>& messages) {
  std::vector<Bytes> uploads;
  for (const Bytes& message : messages) {
    const auto envelope = open_envelope(message);
    if (envelope->type == MessageType::upload) {
      const ByteView residues = decode<Upload>(*envelope)->residues;
      uploads.emplace_back(residues.begin(), residues.end());
    }
  }
  return uploads;
}

TEST(WireSecrecy, NoUpdateIsInAnythingTheCoordinatorReads) {
  const TestFederation::Plan plan{.seed = 5, .merchants = 5, .workers = 2};
  const TestFederation values(plan);

  const std::vector<Bytes> seen = seen_by_coordinator(plan, 4);

  ASSERT_FALSE(uploads_of(seen).empty());
  for (const Bytes& message : seen) {
    for (std::uint64_t round = 1; round <= 4; ++round) {
      for (std::uint32_t id = 0; id < 5; ++id) {
        // Two neighbouring entries as they stand in the ring: no chance of meeting them by accident.
        for (std::size_t entry = 0; entry + 1 < TestFederation::kLength; ++entry) {
          ByteWriter sentinel;
          sentinel.put(static_cast<std::int32_t>(values.value(round, id, entry)))
              .put(static_cast<std::int32_t>(values.value(round, id, entry + 1)));
          EXPECT_EQ(
              std::search(message.begin(), message.end(), sentinel.bytes().begin(), sentinel.bytes().end()),
              message.end());
        }
      }
    }
  }
}

TEST(WireSecrecy, MaskedZerosAreUniformBytes) {
  const auto uploads =
      uploads_of(seen_by_coordinator({.seed = 6, .merchants = 8, .workers = 2, .all_zero = true}, 200));
  std::array<double, 256> counts{};
  double total = 0;

  for (const Bytes& upload : uploads) {
    for (const std::byte byte : upload) {
      counts[static_cast<std::size_t>(byte)] += 1;
      total += 1;
    }
  }

  double chi_square = 0;
  for (const double count : counts) {
    chi_square += (count - total / 256) * (count - total / 256) / (total / 256);
  }
  EXPECT_EQ(uploads.size(), 1600u);
  // 255 degrees of freedom: mean 255, standard deviation 22.6; both bounds are beyond 5 of them (seeded:
  // never flaky).
  EXPECT_LT(chi_square, 370);
  EXPECT_GT(chi_square, 140);
}

TEST(WireSecrecy, TheSameInputsNeverLookTheSameTwice) {
  const auto first =
      uploads_of(seen_by_coordinator({.seed = 7, .merchants = 3, .workers = 1, .all_zero = true}, 3));
  const auto second =
      uploads_of(seen_by_coordinator({.seed = 8, .merchants = 3, .workers = 1, .all_zero = true}, 3));
  std::vector<Bytes> all = first;
  all.insert(all.end(), second.begin(), second.end());
  std::map<std::uint32_t, int> seen;

  for (const Bytes& upload : all) {
    for (std::size_t i = 0; i + 4 <= upload.size(); i += 4) {
      std::uint32_t residue = 0;
      std::memcpy(&residue, upload.data() + i, 4);
      ++seen[residue];
    }
  }

  EXPECT_EQ(seen.size(), 18u * 10u) << "18 uploads of 6 entries and 4 canaries, all different";
}

TEST(WireSecrecy, ThePlainBytesOfTheNetworkHoldNoMessageOfTheProtocol) {
  TestFederation federation({.merchants = 3, .workers = 1});
  ASSERT_TRUE(federation.join());
  SimulatedNetwork network;
  federation.attach(network);
  std::vector<Bytes> wire;
  network.set_tap([&](Peer, Peer, ByteView message) { wire.emplace_back(message.begin(), message.end()); });

  ASSERT_NE(federation.run(network, federation.request(1)).summed(), nullptr);

  ASSERT_GT(wire.size(), 10u);
  const ByteView model = bytes_of("a model");
  for (const Bytes& message : wire) {
    EXPECT_EQ(std::search(message.begin(), message.end(), model.begin(), model.end()), message.end());
  }
}

}  // namespace
}  // namespace hanse
