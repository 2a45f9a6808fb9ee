// The channel's contract over MPI, run by mpirun with 2, 3 and 5 ranks. Rank 0 runs the tests; the others are
// contract peers, which also know these commands:
//   'h'  sends a raw MPI message of a million bytes: a hostile rank, gone a second later
//   'x'  leaves without a word: a rank that exits
//   'w'  closes the window: acknowledges nothing for a second
//   'q'  leaves in peace
#include "common/transport/mpi_channel.h"

#include <mpi.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "channel_contract.h"

namespace hanse {
namespace {

const SteadyClock steady_clock;
Channel* coordinator_end = nullptr;

Bytes command(char letter) {
  return ByteWriter().put(letter).take();
}
Instant in(int milliseconds) {
  return steady_clock.now() + Milliseconds(milliseconds);
}

void send_raw_message() {
  static std::vector<char> raw(1'000'000, 'x');
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Isend(raw.data(), static_cast<int>(raw.size()), MPI_BYTE, 0, 7, MPI_COMM_WORLD, &request);
  MPI_Request_free(&request);
}

int serve(MpiChannel& channel) {
  while (const auto incoming = channel.receive(in(60'000))) {
    switch (incoming->message.empty() ? '\0' : static_cast<char>(incoming->message[0])) {
      case 'q':
        return 0;
      case 'x':
        ::_exit(0);
      case 'h':
        send_raw_message();
        ::sleep(1);
        ::_exit(0);
      case 'w':
        ::sleep(1);
        break;
      default:
        for (Bytes& answer : contract_peer(incoming->message)) {
          channel.send(0, std::move(answer));
        }
    }
  }
  return 1;
}

bool echoes(Peer peer) {
  coordinator_end->send(peer, pattern(100'000, 3));
  const auto answer = coordinator_end->receive(in(20'000));
  return answer && answer->from == peer && answer->message == pattern(100'000, 3);
}

TEST(MpiChannel, SleepsWhileItWaits) {
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_FALSE(coordinator_end->receive(in(1000)));
  ::getrusage(RUSAGE_SELF, &after);

  const auto used_us = [](const rusage& usage) {
    return 1'000'000 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
  };
  EXPECT_LT(used_us(after) - used_us(before), 150'000);  // Near 3 % on an idle machine.
}

TEST(MpiChannel, DoesNotWaitForAPeerThatStandsStill) {
  coordinator_end->send(1, command('w'));
  coordinator_end->flush(in(5000));
  const Instant begin = steady_clock.now();
  coordinator_end->send(1, pattern(4'000'000, 5));
  if (coordinator_end->size() > 2) {
    EXPECT_TRUE(echoes(2));
  }
  coordinator_end->flush(begin + Milliseconds(50));
  EXPECT_LT(steady_clock.now() - begin, Milliseconds(900));

  const auto answer = coordinator_end->receive(in(20'000));
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->message == pattern(4'000'000, 5));
}

TEST(MpiChannel, GoesOnWhenARankExits) {
  const Peer last = coordinator_end->size() - 1;
  if (last < 3) {
    GTEST_SKIP() << "needs a rank to lose";
  }
  coordinator_end->send(last, command('x'));
  coordinator_end->flush(in(200));
  for (int i = 0; i < 20; ++i) {
    coordinator_end->send(last, pattern(1'000'000, 1));
  }

  for (Peer peer = 1; peer < last; ++peer) {
    EXPECT_TRUE(echoes(peer)) << peer;
  }
}

TEST(MpiChannel, NamesAHostileRankAndGoesOnWithTheOthers) {
  const Peer hostile =
      coordinator_end->size() > 3 ? coordinator_end->size() - 2 : coordinator_end->size() - 1;
  coordinator_end->send(hostile, command('h'));
  coordinator_end->flush(in(2000));
  EXPECT_FALSE(coordinator_end->receive(in(300)));

  ASSERT_EQ(coordinator_end->given_up().size(), 1u);
  EXPECT_EQ(coordinator_end->given_up().front().first, hostile);
  EXPECT_EQ(
      coordinator_end->given_up().front().second,
      "rank " + std::to_string(hostile) + " sent a frame of 1000000 bytes, which must have 32 to 32800");
  for (Peer peer = 1; peer < hostile; ++peer) {
    EXPECT_TRUE(echoes(peer)) << peer;
  }
}

}  // namespace

ContractChannel contract_channel() {
  return {coordinator_end, &steady_clock};
}

}  // namespace hanse

int main(int argc, char** argv) {
  hanse::MpiEnvironment environment(&argc, &argv);
  hanse::MpiChannel channel(environment);
  if (environment.rank() != 0) {
    return hanse::serve(channel);
  }
  hanse::coordinator_end = &channel;
  testing::InitGoogleTest(&argc, argv);
  // The contract first: the tests of this file lose ranks.
  int code = 0;
  for (const char* filter : {"ChannelContract.*", "MpiChannel.*"}) {
    testing::GTEST_FLAG(filter) = filter;
    code = std::max(code, RUN_ALL_TESTS());
  }
  // mpirun's exit code says nothing once the death of a rank is survived.
  std::puts(code == 0 ? "CONTRACT KEPT" : "CONTRACT BROKEN");
  for (hanse::Peer peer = 1; peer < channel.size(); ++peer) {
    channel.send(peer, hanse::command('q'));
  }
  channel.flush(hanse::in(1000));
  return code;
}
