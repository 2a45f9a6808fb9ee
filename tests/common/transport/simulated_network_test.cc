#include "common/transport/simulated_network.h"

#include "channel_contract.h"

namespace hanse {

ContractChannel contract_channel() {
  static std::unique_ptr<SimulatedNetwork> network;
  network = std::make_unique<SimulatedNetwork>();
  for (int i = 0; i < 3; ++i) {
    network->add_worker(contract_peer);
  }
  return {network.get(), network.get()};
}

namespace {

Bytes echo_of(std::uint32_t number) {
  return ByteWriter().put('e').put(number).take();
}

std::uint32_t number_in(const Bytes& message) {
  return ByteReader(ByteView(message).subspan(1)).get<std::uint32_t>();
}

/// Numbers of the answers to `count` echoes sent at once.
std::vector<std::uint32_t> echoes(SimulatedNetworkOptions options, std::uint32_t count) {
  SimulatedNetwork network(options);
  network.add_worker(contract_peer);
  for (std::uint32_t i = 0; i < count; ++i) {
    network.send(1, echo_of(i));
  }
  std::vector<std::uint32_t> numbers;
  while (const auto answer = network.receive(Instant(1'000'000))) {
    numbers.push_back(number_in(answer->message));
  }
  return numbers;
}

TEST(SimulatedNetwork, MovesItsClockToTheDeadlineWhenNothingArrives) {
  SimulatedNetwork network;
  network.add_worker(contract_peer);

  EXPECT_FALSE(network.receive(Instant(60'000)));

  EXPECT_EQ(network.now(), Instant(60'000));
}

TEST(SimulatedNetwork, DeliversAfterTheDelayAndNotBefore) {
  SimulatedNetwork network({.delay_min = Milliseconds(10), .delay_max = Milliseconds(10)});
  network.add_worker(contract_peer);
  network.send(1, echo_of(5));

  EXPECT_FALSE(network.receive(Instant(19)));
  const auto answer = network.receive(Instant(100));

  ASSERT_TRUE(answer);
  EXPECT_EQ(network.now(), Instant(20));
}

TEST(SimulatedNetwork, LosesEverythingOrAboutTheShareItIsToldTo) {
  EXPECT_TRUE(echoes({.loss = 1}, 100).empty());

  const std::size_t arrived = echoes({.seed = 3, .loss = 0.5}, 1000).size();
  EXPECT_GT(arrived, 150u);
  EXPECT_LT(arrived, 350u);
}

TEST(SimulatedNetwork, DuplicatesWhenToldTo) {
  EXPECT_EQ(echoes({.duplication = 1}, 10).size(), 40u);
}

TEST(SimulatedNetwork, KeepsTheOrderUnlessToldOtherwise) {
  const auto kept = echoes({.delay_max = Milliseconds(50)}, 200);
  const auto mixed = echoes({.reordering = 0.5}, 200);

  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  EXPECT_EQ(mixed.size(), 200u);
  EXPECT_FALSE(std::is_sorted(mixed.begin(), mixed.end()));
}

TEST(SimulatedNetwork, GarblesOneByteOfAMessage) {
  SimulatedNetwork network({.garbling = 1});
  network.add_worker([](ByteView) { return std::vector<Bytes>(); });
  network.send_from(1, Bytes(100));

  const auto message = network.receive(Instant(1));

  ASSERT_TRUE(message);
  EXPECT_EQ(std::count(message->message.begin(), message->message.end(), std::byte{0}), 99);
}

TEST(SimulatedNetwork, IsTheSameForTheSameSeed) {
  const SimulatedNetworkOptions options{
      .seed = 11, .loss = 0.2, .duplication = 0.2, .reordering = 0.3, .delay_max = Milliseconds(7)};
  SimulatedNetworkOptions other = options;
  other.seed = 12;

  EXPECT_EQ(echoes(options, 100), echoes(options, 100));
  EXPECT_NE(echoes(options, 100), echoes(other, 100));
}

TEST(SimulatedNetwork, HearsNothingFromAWorkerAfterItsCrash) {
  SimulatedNetwork network(
      {.delay_min = Milliseconds(1), .delay_max = Milliseconds(1), .crash_at = {{2, Instant(5)}}});
  network.add_worker(contract_peer);
  network.add_worker(contract_peer);

  network.send(2, echo_of(1));
  EXPECT_EQ(network.receive(Instant(4))->from, 2u);
  EXPECT_FALSE(network.receive(Instant(6)));
  network.send(2, echo_of(2));
  network.send(1, echo_of(3));
  EXPECT_EQ(network.receive(Instant(50))->from, 1u);
  EXPECT_FALSE(network.receive(Instant(100)));

  network.revive(2, contract_peer);
  network.send(2, echo_of(4));
  EXPECT_EQ(network.receive(Instant(200))->from, 2u);
}

TEST(SimulatedNetwork, ShowsItsTapEveryMessageAsSent) {
  std::vector<std::pair<Peer, Peer>> seen;
  SimulatedNetwork network({.loss = 1});
  network.add_worker(contract_peer);
  network.set_tap([&](Peer from, Peer to, ByteView message) {
    EXPECT_EQ(message.size(), 5u);
    seen.emplace_back(from, to);
  });

  network.send(1, echo_of(1));
  network.send_from(1, echo_of(2));

  EXPECT_EQ(seen, (std::vector<std::pair<Peer, Peer>>{{0, 1}, {1, 0}}));
}

/// A worker whose part of the sum follows the message it gets.
void add_summing_worker(SimulatedNetwork& network) {
  const Peer rank = network.size();
  network.add_worker([&network, rank](ByteView message) {
    const auto base = static_cast<std::uint32_t>(message[0]);
    network.join_sum_from(rank, std::vector<std::uint32_t>{base + rank, 0xFFFFFFFFu});
    return std::vector<Bytes>();
  });
}

TEST(SimulatedNetwork, SumsTheNextPartsOfAllModuloTheRing) {
  SimulatedNetwork network;
  add_summing_worker(network);
  add_summing_worker(network);
  ASSERT_TRUE(network.open_sums(Instant(0)));
  for (const std::byte base : {std::byte{10}, std::byte{20}}) {
    network.send(1, Bytes{base});
    network.send(2, Bytes{base});
    network.join_sum(std::vector<std::uint32_t>{100, 5});
  }

  const auto first = network.take_sum(Instant(10));
  const auto second = network.take_sum(Instant(10));

  ASSERT_TRUE(first && second);
  EXPECT_TRUE(*first == Residues(std::vector<std::uint32_t>{123, 3}));
  EXPECT_TRUE(*second == Residues(std::vector<std::uint32_t>{143, 3}));
}

TEST(SimulatedNetwork, GivesNoSumWhenAWorkerIsGone) {
  SimulatedNetwork network;
  add_summing_worker(network);
  add_summing_worker(network);
  network.crash(2);
  network.send(1, Bytes(1));
  network.send(2, Bytes(1));
  network.join_sum(std::vector<std::uint32_t>{100, 5});

  const auto sum = network.take_sum(Instant(1000));

  EXPECT_FALSE(sum);
  EXPECT_EQ(network.now(), Instant(1000));
}

TEST(SimulatedNetwork, GivesNoSumOfPartsThatDiffer) {
  SimulatedNetwork network;
  network.add_worker(contract_peer);
  network.join_sum(std::vector<std::uint32_t>{1, 2});
  network.join_sum_from(1, std::vector<std::uint64_t>{1, 2});

  EXPECT_FALSE(network.take_sum(Instant(10)));
}

TEST(SimulatedNetwork, ShowsEachPartOfASumToItsTap) {
  SimulatedNetwork network;
  network.add_worker(contract_peer);
  network.set_sum_tap([](Peer from, Residues& part) {
    EXPECT_EQ(from, 1u);
    std::get<0>(part)[0] += 1;
  });
  network.join_sum(std::vector<std::uint32_t>{1});
  network.join_sum_from(1, std::vector<std::uint32_t>{1});

  const auto sum = network.take_sum(Instant(10));

  ASSERT_TRUE(sum);
  EXPECT_TRUE(*sum == Residues(std::vector<std::uint32_t>{3}));
}

}  // namespace
}  // namespace hanse
