#include "privacy/protocol/link.h"

#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

struct Pair {
  Link worker;
  Link coordinator;
};

Pair linked(SecureRandom& random) {
  const SigningKey identity = SigningKey::generate(random);
  const LinkRequest request(1, random);
  auto answer = answer_link(request.message(), 1, identity, random);
  auto worker = request.finish(answer->message, identity.public_key());
  return {std::move(*worker), std::move(answer->link)};
}

std::string text(const Result<Bytes>& message) {
  return message.ok() ? text_of(*message) : "refused: " + message.what();
}

TEST(Link, CarriesMessagesBothWays) {
  DeterministicSecureRandom random(1);
  Pair pair = linked(random);

  const Bytes up = pair.worker.seal(bytes_of("twelve apples"));
  const Bytes down = pair.coordinator.seal(bytes_of("thank you"));

  EXPECT_EQ(text(pair.coordinator.open(up)), "twelve apples");
  EXPECT_EQ(text(pair.worker.open(down)), "thank you");
  EXPECT_EQ(text_of(up).find("apples"), std::string::npos);
}

TEST(Link, RefusesReplayedAndOvertakenBoxesAndLosesLostOnes) {
  DeterministicSecureRandom random(2);
  Pair pair = linked(random);
  const Bytes first = pair.worker.seal(bytes_of("first"));
  const Bytes second = pair.worker.seal(bytes_of("second"));
  const Bytes third = pair.worker.seal(bytes_of("third"));

  EXPECT_EQ(text(pair.coordinator.open(second)), "second");
  EXPECT_NE(text(pair.coordinator.open(second)).find("replayed"), std::string::npos);
  EXPECT_NE(text(pair.coordinator.open(first)).find("overtaken"), std::string::npos);
  EXPECT_EQ(text(pair.coordinator.open(third)), "third");
}

TEST(Link, RefusesEveryChangedByteAndStaysUsable) {
  DeterministicSecureRandom random(3);
  Pair pair = linked(random);
  const Bytes box = pair.worker.seal(bytes_of("ab"));

  for (std::size_t i = 0; i < box.size(); ++i) {
    Bytes changed = box;
    changed[i] ^= std::byte{0x40};
    EXPECT_FALSE(pair.coordinator.open(changed).ok()) << "byte " << i;
  }
  EXPECT_FALSE(pair.coordinator.open(ByteView(box).first(10)).ok());
  EXPECT_FALSE(pair.worker.open(box).ok()) << "a box turned round does not open";
  EXPECT_EQ(text(pair.coordinator.open(box)), "ab");
}

TEST(Link, RefusesEveryChangedByteOfTheHandshake) {
  DeterministicSecureRandom random(4);
  const SigningKey identity = SigningKey::generate(random);
  const LinkRequest request(1, random);
  const auto answer = answer_link(request.message(), 1, identity, random);

  for (std::size_t i = 0; i < answer->message.size(); ++i) {
    Bytes changed = answer->message;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(request.finish(changed, std::nullopt).ok()) << "byte " << i;
  }
  EXPECT_TRUE(request.finish(answer->message, std::nullopt).ok());
}

TEST(Link, RefusesACoordinatorThatIsNotThePinnedOne) {
  DeterministicSecureRandom random(5);
  const SigningKey known = SigningKey::generate(random);
  const SigningKey other = SigningKey::generate(random);
  const LinkRequest request(1, random);
  const auto answer = answer_link(request.message(), 1, other, random);

  const auto link = request.finish(answer->message, known.public_key());

  ASSERT_FALSE(link.ok());
  EXPECT_NE(link.what().find("pinned"), std::string::npos);
}

TEST(Link, RefusesHailsOfAnotherRankOrALowOrderKey) {
  DeterministicSecureRandom random(6);
  const SigningKey identity = SigningKey::generate(random);
  const LinkRequest request(2, random);
  Bytes zero_key = request.message();
  std::fill(zero_key.begin() + 6, zero_key.begin() + 38, std::byte{0});

  EXPECT_FALSE(answer_link(request.message(), 3, identity, random).ok());
  EXPECT_FALSE(answer_link(zero_key, 2, identity, random).ok());
  EXPECT_FALSE(answer_link(bytes_of("hello"), 2, identity, random).ok());
}

}  // namespace
}  // namespace hanse
