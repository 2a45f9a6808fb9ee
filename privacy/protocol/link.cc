#include "privacy/protocol/link.h"

#include "privacy/crypto/aead.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/hkdf.h"
#include "privacy/protocol/messages.h"
#include "privacy/protocol/wire.h"

namespace hanse {

namespace {

constexpr std::uint8_t kHail = 'H';
constexpr std::uint8_t kAnswer = 'A';
constexpr std::size_t kTagSize = 16;

Digest transcript_of(ByteView hail, ByteView unsigned_answer) {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 link"))
      .put(static_cast<std::uint64_t>(hail.size()))
      .put_bytes(hail)
      .put_bytes(unsigned_answer);
  return sha256(writer.bytes());
}

}  // namespace

Link::Link(Side side, const Secret<32>& agreed, const Digest& transcript, const PublicKey& coordinator)
    : coordinator_(coordinator) {
  const Secret<32> key = hkdf_extract(transcript, agreed.expose());
  Secret<32> to_coordinator = hkdf_expand(key, bytes_of("to coordinator"));
  Secret<32> to_worker = hkdf_expand(key, bytes_of("to worker"));
  sending_ = std::move(side == Side::worker ? to_coordinator : to_worker);
  receiving_ = std::move(side == Side::worker ? to_worker : to_coordinator);
}

Bytes Link::seal(ByteView message) {
  ++sent_;
  ByteWriter writer;
  writer.put(sent_);
  const Bytes sealed = aead_seal(sending_, sent_, writer.bytes(), message);
  writer.put_bytes(sealed);
  return writer.take();
}

Result<Bytes> Link::open(ByteView box) {
  if (box.size() < sizeof(std::uint64_t) + kTagSize) {
    return Error{"a box is shorter than an empty one"};
  }
  ByteReader reader(box);
  const auto sequence = reader.get<std::uint64_t>();
  if (sequence <= received_) {
    return Error{"a box was replayed or overtaken: number " + std::to_string(sequence) + " after number " +
                 std::to_string(received_)};
  }
  auto message =
      aead_open(receiving_, sequence, box.first(sizeof(std::uint64_t)), box.subspan(sizeof(std::uint64_t)));
  if (!message) {
    return Error{"a box does not open: it was altered, or sealed for another link"};
  }
  received_ = sequence;
  return std::move(*message);
}

LinkRequest::LinkRequest(std::uint32_t rank, SecureRandom& random) : key_(X25519Key::generate(random)) {
  Bytes32 nonce;
  random.fill(nonce);
  ByteWriter writer;
  writer.put(kHail).put(kProtocolVersion).put(rank).put_bytes(key_.public_key()).put_bytes(nonce);
  hail_ = writer.take();
}

Result<LinkAnswer> answer_link(ByteView hail, std::uint32_t rank, const SigningKey& identity,
                               SecureRandom& random) {
  ByteReader reader(hail);
  const auto kind = reader.get<std::uint8_t>();
  const auto version = reader.get<std::uint8_t>();
  const auto claimed = reader.get<std::uint32_t>();
  const auto peer_key = get_array<32>(reader);
  (void)get_array<32>(reader);  // The worker's nonce: it counts through the transcript.
  if (!reader.finished() || kind != kHail) {
    return Error{"a first message that is no hail"};
  }
  if (version != kProtocolVersion) {
    return Error{"a hail of protocol version " + std::to_string(version) + " instead of " +
                 std::to_string(kProtocolVersion) + ": all programs of a run must be of one release"};
  }
  if (claimed != rank) {
    return Error{"a hail that says it comes from rank " + std::to_string(claimed)};
  }
  const X25519Key key = X25519Key::generate(random);
  const auto agreed = key.agree(peer_key);
  if (!agreed) {
    return agreed.error();
  }
  Bytes32 nonce;
  random.fill(nonce);
  ByteWriter writer;
  writer.put(kAnswer)
      .put(kProtocolVersion)
      .put_bytes(key.public_key())
      .put_bytes(nonce)
      .put_bytes(identity.public_key());
  const Digest transcript = transcript_of(hail, writer.bytes());
  writer.put_bytes(identity.sign(transcript));
  return LinkAnswer{Link(Link::Side::coordinator, *agreed, transcript, identity.public_key()), writer.take()};
}

Result<Link> LinkRequest::finish(ByteView answer, const std::optional<PublicKey>& pinned) const {
  ByteReader reader(answer);
  const auto kind = reader.get<std::uint8_t>();
  const auto version = reader.get<std::uint8_t>();
  const auto peer_key = get_array<32>(reader);
  (void)get_array<32>(reader);
  const PublicKey identity = get_array<32>(reader);
  const Signature signature = get_array<64>(reader);
  if (!reader.finished() || kind != kAnswer || version != kProtocolVersion) {
    return Error{"the coordinator's first message is no answer to a hail"};
  }
  if (pinned && *pinned != identity) {
    return Error{"the coordinator is not the one whose identity is pinned"};
  }
  const Digest transcript = transcript_of(hail_, answer.first(answer.size() - signature.size()));
  if (!verify(identity, transcript, signature)) {
    return Error{"the coordinator's signature of the link does not hold"};
  }
  const auto agreed = key_.agree(peer_key);
  if (!agreed) {
    return agreed.error();
  }
  return Link(Link::Side::worker, *agreed, transcript, identity);
}

}  // namespace hanse
