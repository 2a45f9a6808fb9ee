#include "privacy/crypto/secret.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <ostream>
#include <type_traits>
#include <vector>

#include "common/base/bytes.h"
#include "privacy/crypto/signature.h"
#include "privacy/crypto/system_random.h"

namespace hanse {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!std::is_copy_constructible_v<Secret<32>> && !std::is_copy_assignable_v<Secret<32>>);
static_assert(std::is_nothrow_move_constructible_v<Secret<32>> &&
              std::is_nothrow_move_assignable_v<Secret<32>>);
static_assert(!Streamable<Secret<32>>);
static_assert(!std::is_convertible_v<Secret<32>, ByteView>);
static_assert(!std::is_copy_constructible_v<SigningKey> && !std::is_copy_constructible_v<SystemRandom>);

Secret<32> secret_of(unsigned value) {
  Secret<32> secret;
  std::ranges::fill(secret.expose_for_writing(), static_cast<std::byte>(value));
  return secret;
}

/// Counts through a volatile pointer: the compiler may not reason about memory whose object is dead.
int count_in(const volatile std::byte* memory, std::byte wanted) {
  int count = 0;
  for (std::size_t i = 0; i < sizeof(Secret<32>); ++i) count += memory[i] == wanted ? 1 : 0;
  return count;
}

TEST(Secret, LeavesNothingInItsMemory) {
  alignas(Secret<32>) std::array<std::byte, sizeof(Secret<32>)> memory{};
  auto* secret = new (memory.data()) Secret<32>(secret_of(0xA5));
  ASSERT_EQ(count_in(memory.data(), std::byte{0xA5}), 32);

  std::destroy_at(secret);

  EXPECT_EQ(count_in(memory.data(), std::byte{0}), 32);
}

TEST(Secret, IsZeroAfterItMoved) {
  Secret<32> first = secret_of(1);
  Secret<32> second = std::move(first);
  Secret<32> third = secret_of(3);
  third = std::move(second);

  EXPECT_EQ(first, Secret<32>());   // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second, Secret<32>());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third, secret_of(1));
}

TEST(Secret, SurvivesMovingOntoItself) {
  Secret<32> secret = secret_of(7);
  Secret<32>& same = secret;
  secret = std::move(same);

  EXPECT_EQ(secret, secret_of(7));
}

TEST(Secret, DuplicatesOnlyOnPurpose) {
  const Secret<32> secret = secret_of(9);

  EXPECT_EQ(secret.duplicate(), secret);
}

TEST(Secret, ComparesAllBytes) {
  for (std::size_t i = 0; i < 32; ++i) {
    Secret<32> other = secret_of(0);
    other.expose_for_writing()[i] = std::byte{1};

    EXPECT_FALSE(other == Secret<32>()) << "byte " << i;
  }
  EXPECT_FALSE(equal_in_constant_time(Bytes(3), Bytes(4)));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

TEST(SystemRandom, TwoNeverAgree) {
  SystemRandom one;
  SystemRandom other;
  std::array<std::byte, 32> first{};
  std::array<std::byte, 32> second{};

  one.fill(first);
  other.fill(second);

  EXPECT_NE(first, second);
}

TEST(SystemRandom, SmallRequestsNeverRepeat) {
  SystemRandom random;
  std::vector<std::uint64_t> drawn(10000);

  for (std::uint64_t& value : drawn) random.fill(std::as_writable_bytes(std::span(&value, 1)));

  // Two of 10^4 random words of 64 bits are equal with probability 3e-12.
  std::ranges::sort(drawn);
  EXPECT_EQ(std::ranges::adjacent_find(drawn), drawn.end());
}

TEST(SystemRandom, FillsRequestsOfEverySizeToTheLastByte) {
  SystemRandom random;
  for (const std::size_t size : {0u, 1u, 7u, 1023u, 1024u, 1025u, 4095u, 4096u, 4097u, (1u << 20) + 3}) {
    Bytes either(size);
    // A byte that is zero five times in a row was never written (probability 2^-40 a byte).
    for (int i = 0; i < 5; ++i) {
      Bytes bytes(size);
      random.fill(bytes);
      for (std::size_t j = 0; j < size; ++j) either[j] |= bytes[j];
    }

    EXPECT_EQ(std::ranges::count(either, std::byte{0}), 0) << size << " bytes";
  }
}

TEST(SystemRandom, AForkedChildDrawsOtherBytesThanItsParent) {
  SystemRandom random;
  std::array<std::byte, 16> before{};
  random.fill(before);  // The buffer is full of bytes that parent and child now share.
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);

  const pid_t child = fork();
  std::array<std::byte, 16> drawn{};
  random.fill(drawn);
  if (child == 0) {
    const bool written = write(ends[1], drawn.data(), drawn.size()) == 16;
    _exit(written ? 0 : 1);
  }
  std::array<std::byte, 16> of_child{};
  ASSERT_EQ(read(ends[0], of_child.data(), of_child.size()), 16);
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);

  EXPECT_NE(drawn, of_child);
}

}  // namespace
}  // namespace hanse
