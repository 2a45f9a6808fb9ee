#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/secret.h"
#include "privacy/crypto/signature.h"
#include "privacy/crypto/x25519.h"

namespace hanse {

/// One direction of bytes between a worker and the coordinator that nobody else can read, change, replay or
/// turn round.
///
///   hail    worker       clear   version, rank, X25519 key, nonce
///   answer  coordinator  clear   version, X25519 key, nonce, Ed25519 identity, signature of both messages
///   box     either       sealed  sequence u64, AES-256-GCM(key of the direction, nonce = sequence, message)
///
/// Both keys follow from the X25519 agreement and the digest of hail and answer (HKDF), so that a changed
/// handshake gives no common key. Sequence numbers grow strictly: a replayed or overtaken box is refused, a
/// lost one is just lost. The worker knows the coordinator if it pins its identity; otherwise it trusts the
/// first answer. Merchants are not authenticated here, but by their signed HELLOs.
class Link {
 public:
  Bytes seal(ByteView message);
  /// An error changes nothing: the next good box opens.
  Result<Bytes> open(ByteView box);
  /// The identity that the coordinator showed, pinned or not.
  const PublicKey& coordinator() const { return coordinator_; }

 private:
  friend class LinkRequest;
  friend Result<struct LinkAnswer> answer_link(ByteView hail, std::uint32_t rank, const SigningKey& identity,
                                               SecureRandom& random);
  enum class Side { worker, coordinator };
  Link(Side side, const Secret<32>& agreed, const Digest& transcript, const PublicKey& coordinator);

  Secret<32> sending_;
  Secret<32> receiving_;
  PublicKey coordinator_{};
  std::uint64_t sent_ = 0;      ///< Sequence number of the latest box sent; the first is 1.
  std::uint64_t received_ = 0;  ///< Of the latest box opened.
};

/// The worker's first message, 70 bytes: u8 'H', u8 version, u32 rank, key, nonce.
struct Hail {
  std::uint32_t rank = 0;
  std::array<std::byte, 32> key{};    ///< X25519, fresh.
  std::array<std::byte, 32> nonce{};  ///< Counts through the transcript.

  Bytes wire() const;
  /// Refuses what is no hail, or one of another version.
  static Result<Hail> read(ByteView bytes);
};

/// What comes back, 162 bytes: u8 'A', u8 version, key, nonce, identity, signature of both messages up to here.
struct Answer {
  std::array<std::byte, 32> key{};
  std::array<std::byte, 32> nonce{};
  PublicKey identity{};
  Signature signature{};

  Bytes unsigned_wire() const;
  Bytes wire() const;
  static Result<Answer> read(ByteView bytes);
};

/// The worker's half of a handshake.
class LinkRequest {
 public:
  LinkRequest(std::uint32_t rank, SecureRandom& random);
  const Bytes& message() const { return hail_; }
  /// An error leaves the request as it was: another answer may be right.
  Result<Link> finish(ByteView answer, const std::optional<PublicKey>& pinned) const;

 private:
  X25519Key key_;
  Bytes hail_;
};

/// The coordinator's half: refuses hails of another version or of another rank than they came from.
struct LinkAnswer {
  Link link;
  Bytes message;
};
Result<LinkAnswer> answer_link(ByteView hail, std::uint32_t rank, const SigningKey& identity,
                               SecureRandom& random);

}  // namespace hanse
