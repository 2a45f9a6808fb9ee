#include "privacy/crypto/system_random.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "privacy/crypto/digest.h"

namespace hanse {
namespace {

TEST(SystemRandom, FillsAllOfEverySize) {
  SystemRandom random;

  for (const std::size_t size : {16u, 100u, 1024u, 1025u, 4096u, 3'000'000u}) {
    Bytes bytes(size);
    random.fill(bytes);

    // Sixteen zeros in a row come with probability 2^-128 a place.
    EXPECT_EQ(std::search_n(bytes.begin(), bytes.end(), 16, std::byte{0}), bytes.end()) << size;
  }
  random.fill({});
}

TEST(SystemRandom, DoesNotTouchItsSurroundings) {
  SystemRandom random;
  Bytes bytes(300, std::byte{0});

  random.fill(std::span(bytes).subspan(100, 100));

  EXPECT_EQ(std::count(bytes.begin(), bytes.begin() + 100, std::byte{0}), 100);
  EXPECT_EQ(std::count(bytes.begin() + 200, bytes.end(), std::byte{0}), 100);
}

TEST(SystemRandom, NeverRepeatsItself) {
  SystemRandom first;
  SystemRandom second;
  std::set<Bytes> seen;

  for (int i = 0; i < 2000; ++i) {
    Bytes bytes(32);
    (i % 2 == 0 ? first : second).fill(bytes);
    seen.insert(bytes);
  }

  EXPECT_EQ(seen.size(), 2000u);
}

// The number of ones among 2^23 bits is binomial with standard deviation 1448; eight of them are missed with
// probability 10^-15.
TEST(SystemRandom, HasAsManyOnesAsZeros) {
  SystemRandom random;
  Bytes bytes(1u << 20);

  random.fill(bytes);

  std::int64_t ones = 0;
  for (const std::byte byte : bytes) {
    ones += std::popcount(std::to_integer<unsigned>(byte));
  }
  EXPECT_LT(std::abs(ones - (1 << 22)), 8 * 1448);
}

TEST(SystemRandom, GivesAForkedChildOtherNumbersThanItsParent) {
  SystemRandom random;
  Bytes warm(16);
  random.fill(warm);  // The buffer is filled before the fork, so that both have it.
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  Bytes drawn(32);
  random.fill(drawn);
  if (child == 0) {
    const bool written = write(pipe_ends[1], drawn.data(), drawn.size()) == 32;
    _exit(written ? 0 : 1);
  }
  Bytes of_child(32);
  ASSERT_EQ(read(pipe_ends[0], of_child.data(), of_child.size()), 32);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  close(pipe_ends[0]);
  close(pipe_ends[1]);

  EXPECT_EQ(status, 0);
  EXPECT_NE(hex(of_child), hex(drawn));
}

}  // namespace
}  // namespace hanse
