// What cannot be written: by the types, no key and no unmasked vector can be copied, printed, compared in variable
// time, serialised or sent. Most of this is checked by the compiler alone.

#include <algorithm>
#include <cereal/archives/binary.hpp>
#include <cereal/types/vector.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "privacy/pipeline.h"
#include "privacy/protocol/messages.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/rows.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/secure_sum/pair_keys.h"
#include "worker/merchant_round.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

template <class T>
concept Copyable = std::is_copy_constructible_v<T> || std::is_copy_assignable_v<T>;

template <class T>
concept Printable = requires(std::ostream& stream, const T& value) {
  stream << value;
};
template <class T>
concept TurnsIntoText = requires(const T& value) {
  std::to_string(value);
}
|| std::is_convertible_v<T, std::string> || std::is_convertible_v<T, std::string_view>;

template <class T>
concept TurnsIntoBytes = std::is_convertible_v<T, ByteView> || std::is_convertible_v<T, Bytes> ||
    std::is_constructible_v<ByteView, const T&> || std::is_constructible_v<Bytes, const T&>;

/// As a field, as bytes, as a body, or as a message of its own.
template <class T>
concept Writable = requires(ByteWriter& writer, const T& value) {
  writer.put(value);
}
|| requires(ByteWriter& writer, const T& value) {
  writer.put_bytes(value);
}
|| requires(ByteWriter& writer, const T& value) {
  value.write(writer);
}
|| requires {
  T::kType;
};

template <class T>
concept CerealTakes = cereal::traits::is_output_serializable<T, cereal::BinaryOutputArchive>::value;

/// memcpy, std::bit_cast and std::as_bytes are for such types; a secret is none.
template <class T>
concept PlainMemory = std::is_trivially_copyable_v<T>;

template <class A, class B = A>
concept Comparable = requires(const A& a, const B& b) {
  a == b;
};

template <class T>
constexpr bool kept_in = !Copyable<T> && !Printable<T> && !TurnsIntoText<T> && !TurnsIntoBytes<T> &&
                         !Writable<T> && !CerealTakes<T> && !PlainMemory<T>;

// Keys and what opens a round.
static_assert(kept_in<Secret<16>> && kept_in<Secret<32>> && kept_in<Secret<40>> && kept_in<Secret<80>>);
static_assert(kept_in<PairKeys> && kept_in<SigningKey> && kept_in<X25519Key>);
static_assert(kept_in<RoundMasks::Mask> && kept_in<OpenedShares> && kept_in<Dealing>);
static_assert(kept_in<SeededEdge> && kept_in<Shared> && kept_in<MerchantRound> && kept_in<RungKey>);

// A secret is compared only with a secret, in constant time; keys not at all.
static_assert(Comparable<Secret<32>>);
static_assert(!Comparable<Secret<32>, std::array<std::byte, 32>> && !Comparable<Secret<32>, Bytes>);
static_assert(!Comparable<PairKeys> && !Comparable<SigningKey> && !Comparable<X25519Key>);

// Vectors on their way out: nothing before the masks has a wire form, and none is built but by the stage before.
template <class T>
constexpr bool stays_home =
    !Printable<T> && !TurnsIntoText<T> && !TurnsIntoBytes<T> && !Writable<T> && !CerealTakes<T>;
static_assert(stays_home<NoiseShare> && stays_home<LocalSum> && stays_home<EncodedSum> &&
              stays_home<NoisedSum> && stays_home<PastSums> && stays_home<RoundMasks>);
template <class T>
concept HasWire = requires(const T& value) {
  { value.wire() } -> std::same_as<ByteView>;
};
static_assert(HasWire<SealedSum> && !HasWire<LocalSum> && !HasWire<EncodedSum> && !HasWire<NoisedSum> &&
              !HasWire<NoiseShare>);
static_assert(!std::is_constructible_v<LocalSum, std::vector<std::int64_t>> &&
              !std::is_constructible_v<NoisedSum, std::vector<std::int64_t>> &&
              !std::is_constructible_v<SealedSum, SealedSum::Residues>);

// What may be revealed, and how: a share, of b or of u and never of both, in a REVEAL.
static_assert(Writable<Reveal> && Writable<ShareMessage> && PlainMemory<Share>);
static_assert(!std::is_constructible_v<SelfMaskShare, EscrowShare> &&
              !std::is_constructible_v<EscrowShare, SelfMaskShare>);
static_assert(!std::is_constructible_v<SelfMaskShare, Secret<40>> &&
              !std::is_constructible_v<EscrowShare, Secret<40>>);

// The questions themselves are answered: a plain type fails each of them.
static_assert(Copyable<Bytes> && Printable<std::uint64_t> && TurnsIntoText<std::uint64_t>);
static_assert(TurnsIntoBytes<std::array<std::byte, 32>> && Writable<std::uint64_t> && Writable<Digest>);
static_assert(CerealTakes<std::vector<double>> && PlainMemory<Digest> && Comparable<Digest>);

std::string text_of_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// expose() is the one way from a secret to its bytes. Whoever adds a use of it meets this test, and says here what
/// the bytes are for.
TEST(WireForms, TheBytesOfSecretsAreTakenInNoMorePlacesThanTheseFiles) {
  const std::map<std::string, std::string> reasons = {
      {"privacy/protocol/link.cc", "the link's keys are extracted from what was agreed"},
      {"privacy/protocol/round_secrets.cc",
       "shares are sealed and committed to; codes are cut from keyed digests"},
      {"privacy/protocol/session.cc",
       "a graph seed is opened, which is what it is for; a commitment is public"},
      {"privacy/secure_sum/fused_mask.cc", "AES runs on its key schedule; the last entries are masked aside"},
      {"privacy/secure_sum/key_file.cc", "a signing key goes to its owner's own file"},
      {"privacy/secure_sum/masks.cc", "a piece of mask is added to the entries"},
      {"privacy/secure_sum/pair_keys.cc", "keys are derived; a seed is wrapped under the escrow key"},
      {"privacy/secure_sum/shamir.cc", "a secret is cut into limbs"},
      {"worker/merchant_round.cc", "a share is revealed"},
  };
  std::vector<std::string> found;

  for (const char* room : {"common", "coordinator", "worker", "privacy", "examples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(HANSE_SOURCE_DIR) / room)) {
      const std::string name = fs::relative(entry.path(), HANSE_SOURCE_DIR).string();
      const bool source = name.ends_with(".cc") || name.ends_with(".h");
      if (source && !name.starts_with("privacy/crypto/") &&
          text_of_file(entry.path()).find("expose()") != std::string::npos) {
        found.push_back(name);
      }
    }
  }

  for (const std::string& name : found) {
    EXPECT_TRUE(reasons.contains(name)) << name << " takes the bytes of a secret";
  }
  EXPECT_GE(found.size(), 5u) << "the search is not blind";
}

/// A key of a session or its ratchet never stands beside a writer of messages.
TEST(WireForms, NoLayoutOfAMessageHasAFieldForAKeyOfAPairOrForARatchet) {
  for (const char* file :
       {"privacy/protocol/messages.h", "privacy/protocol/messages.cc", "privacy/protocol/wire.h",
        "privacy/protocol/round_payload.h", "privacy/protocol/round_payload.cc"}) {
    const std::string text = text_of_file(fs::path(HANSE_SOURCE_DIR) / file);
    ASSERT_FALSE(text.empty()) << file;
    for (const char* type : {"Secret<", "PairKeys", "SigningKey", "X25519Key", "RoundMasks", "LocalSum",
                             "EncodedSum", "NoisedSum", "PastSums"}) {
      EXPECT_EQ(text.find(type), std::string::npos) << file << " mentions " << type;
    }
  }
}

}  // namespace
}  // namespace hanse
