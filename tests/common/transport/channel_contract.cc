#include "channel_contract.h"

#include <map>

namespace hanse {

std::vector<Bytes> contract_peer(ByteView message) {
  ByteReader reader(message);
  const auto command = reader.get<char>();
  if (command == 'e') {
    return {Bytes(message.begin(), message.end())};
  }
  if (command == 'z') {
    return {Bytes()};
  }
  std::vector<Bytes> answers;
  if (command == 'b') {
    const auto count = reader.get<std::uint32_t>();
    const auto size = reader.get<std::uint32_t>();
    for (std::uint32_t i = 0; i < count; ++i) {
      Bytes answer = ByteWriter().put(i).take();
      answer.resize(size);
      answers.push_back(std::move(answer));
    }
  }
  return answers;
}

Bytes pattern(std::size_t size, std::uint32_t salt) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>((i * 2654435761u + salt) >> 11);
  }
  if (size > 0) {
    bytes[0] = static_cast<std::byte>('e');
  }
  return bytes;
}

namespace {

class ChannelContract : public testing::Test {
 protected:
  ContractChannel end_ = contract_channel();
  Channel& channel_ = *end_.channel;

  Instant in(int milliseconds) const { return end_.clock->now() + Milliseconds(milliseconds); }
  std::optional<Incoming> receive() { return channel_.receive(in(20'000)); }
  Bytes burst(std::uint32_t count, std::uint32_t size) const {
    return ByteWriter().put('b').put(count).put(size).take();
  }
};

TEST_F(ChannelContract, CoordinatorIsRankZeroOfAtLeastTwo) {
  EXPECT_EQ(channel_.self(), 0u);
  EXPECT_GE(channel_.size(), 2u);
}

TEST_F(ChannelContract, GivesNothingAtTheDeadlineWhenNothingWasSent) {
  const Instant deadline = in(30);

  EXPECT_FALSE(channel_.receive(deadline));

  EXPECT_GE(end_.clock->now(), deadline);
  EXPECT_LT(end_.clock->now(), deadline + Milliseconds(2000));
}

TEST_F(ChannelContract, ReturnsAtOnceForADeadlineInThePast) {
  EXPECT_FALSE(channel_.receive(end_.clock->now() - Milliseconds(1000)));
}

TEST_F(ChannelContract, CarriesMessagesOfEverySizeWhole) {
  std::uint32_t salt = 0;
  for (const std::size_t size :
       std::vector<std::size_t>{1, 2, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 64 * 1024, 5 * 1024 * 1024}) {
    const Bytes message = pattern(size, ++salt);

    channel_.send(1, message);
    const auto answer = receive();

    ASSERT_TRUE(answer) << size;
    EXPECT_EQ(answer->from, 1u);
    EXPECT_TRUE(answer->message == message) << size;
  }
}

TEST_F(ChannelContract, CarriesTheEmptyMessage) {
  channel_.send(1, {});  // The peer answers nothing to it, but must get the next one.
  channel_.send(1, Bytes{static_cast<std::byte>('z')});

  const auto answer = receive();

  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->message.empty());
}

TEST_F(ChannelContract, KeepsTheOrderOfEachPeerInABurst) {
  constexpr std::uint32_t kCount = 1000;
  for (Peer peer = 1; peer < channel_.size(); ++peer) {
    channel_.send(peer, burst(kCount, 12));
  }

  std::map<Peer, std::uint32_t> next;
  for (std::uint32_t i = 0; i < kCount * (channel_.size() - 1); ++i) {
    const auto answer = receive();
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->message.size(), 12u);
    ASSERT_EQ(ByteReader(answer->message).get<std::uint32_t>(), next[answer->from]++);
  }

  EXPECT_FALSE(channel_.receive(in(5)));
}

TEST_F(ChannelContract, KeepsTheOrderOfABurstOfItsOwn) {
  constexpr std::uint32_t kCount = 1000;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    channel_.send(1, ByteWriter().put('e').put(i).take());
  }

  for (std::uint32_t i = 0; i < kCount; ++i) {
    const auto answer = receive();
    ASSERT_TRUE(answer);
    ByteReader reader(ByteView(answer->message).subspan(1));
    ASSERT_EQ(reader.get<std::uint32_t>(), i);
  }
}

TEST_F(ChannelContract, CarriesLongMessagesInBothDirectionsAtOnce) {
  const Bytes message = pattern(3'000'000, 9);
  for (int repeat = 0; repeat < 3; ++repeat) {
    for (Peer peer = 1; peer < channel_.size(); ++peer) {
      channel_.send(peer, message);
    }
  }

  for (Peer i = 0; i < 3 * (channel_.size() - 1); ++i) {
    const auto answer = receive();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->message == message);
  }
}

TEST_F(ChannelContract, FlushesWhatIsQueued) {
  const std::uint64_t before = channel_.bytes_sent();
  channel_.send(1, Bytes(1'000'000, static_cast<std::byte>('s')));

  channel_.flush(in(20'000));

  EXPECT_EQ(channel_.bytes_sent(), before + 1'000'000);
}

TEST_F(ChannelContract, GivesUpNobodyWhoBehaves) {
  EXPECT_TRUE(channel_.given_up().empty());
}

}  // namespace
}  // namespace hanse
