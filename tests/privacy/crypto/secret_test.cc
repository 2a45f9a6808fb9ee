#include "privacy/crypto/secret.h"

#include <algorithm>
#include <new>
#include <sstream>
#include <type_traits>

#include "tests/support/known_answers.h"

namespace hanse {
namespace {

static_assert(!std::is_copy_constructible_v<Secret<32>> && !std::is_copy_assignable_v<Secret<32>>);
static_assert(std::is_nothrow_move_constructible_v<Secret<32>> &&
              std::is_nothrow_move_assignable_v<Secret<32>>);
static_assert(!std::is_convertible_v<Secret<32>, ByteView>);

template <class T>
concept Printable = requires(std::ostream& stream, const T& value) {
  stream << value;
};
static_assert(!Printable<Secret<32>>);

/// Room for a secret that stays readable when the secret is gone.
class Room {
 public:
  Secret<32>* make() { return new (memory_) Secret<32>(secret_from_hex(std::string(64, 'a'))); }
  /// Read as volatile: the compiler may not conclude from the end of a life what the memory holds.
  bool only_zeros() const {
    const volatile std::byte* memory = memory_;
    bool zeros = true;
    for (std::size_t i = 0; i < sizeof memory_; ++i) {
      zeros = zeros && memory[i] == std::byte{0};
    }
    return zeros;
  }

 private:
  alignas(Secret<32>) std::byte memory_[sizeof(Secret<32>)];
};

TEST(Secret, LeavesNothingInMemoryWhenItDies) {
  Room room;
  Secret<32>* secret = room.make();
  ASSERT_FALSE(room.only_zeros());

  secret->~Secret<32>();

  EXPECT_TRUE(room.only_zeros());
}

TEST(Secret, LeavesNothingWhereItWasMovedFrom) {
  Room room;
  Secret<32>* secret = room.make();

  const Secret<32> moved = std::move(*secret);

  EXPECT_TRUE(room.only_zeros());
  EXPECT_EQ(moved, secret_from_hex(std::string(64, 'a')));
}

TEST(Secret, LeavesNothingWhereItWasAssignedFrom) {
  Room room;
  Secret<32>* secret = room.make();
  Secret<32> other;

  other = std::move(*secret);

  EXPECT_TRUE(room.only_zeros());
  EXPECT_EQ(other, secret_from_hex(std::string(64, 'a')));
}

TEST(Secret, SurvivesBeingAssignedToItself) {
  Secret<32> secret = secret_from_hex(std::string(64, 'a'));
  Secret<32>& same = secret;

  secret = std::move(same);

  EXPECT_EQ(secret, secret_from_hex(std::string(64, 'a')));
}

TEST(Secret, IsDuplicatedOnlyWhenAsked) {
  const Secret<32> secret = secret_from_hex(std::string(64, 'a'));

  const Secret<32> second = secret.duplicate();

  EXPECT_EQ(second, secret);
}

TEST(Comparison, FindsEveryFlippedBit) {
  const Bytes bytes = from_hex("00112233445566778899aabbccddeeff");

  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes other = bytes;
    other[bit / 8] ^= std::byte{1} << (bit % 8);

    EXPECT_FALSE(equal_in_constant_time(bytes, other)) << bit;
  }
  EXPECT_TRUE(equal_in_constant_time(bytes, Bytes(bytes)));
}

TEST(Comparison, OfDifferentLengthsFails) {
  EXPECT_FALSE(equal_in_constant_time(Bytes(3), Bytes(4)));
  EXPECT_TRUE(equal_in_constant_time(Bytes(), Bytes()));
}

TEST(Wipe, TakesEmptyMemory) {
  wipe({});

  SUCCEED();
}

}  // namespace
}  // namespace hanse
