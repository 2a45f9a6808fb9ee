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

Bytes Hail::wire() const {
  ByteWriter writer;
  writer.put(kHail).put(kProtocolVersion).put(rank).put_bytes(key).put_bytes(nonce);
  return writer.take();
}

Result<Hail> Hail::read(ByteView bytes) {
  ByteReader reader(bytes);
  const auto kind = reader.get<std::uint8_t>();
  const auto version = reader.get<std::uint8_t>();
  Hail hail;
  hail.rank = reader.get<std::uint32_t>();
  hail.key = get_array<32>(reader);
  hail.nonce = get_array<32>(reader);
  if (!reader.finished() || kind != kHail) {
    return Error{"a first message that is no hail"};
  }
  if (version != kProtocolVersion) {
    return Error{"a hail of protocol version " + std::to_string(version) + " instead of " +
                 std::to_string(kProtocolVersion) + ": all programs of a run must be of one release"};
  }
  return hail;
}

Bytes Answer::unsigned_wire() const {
  ByteWriter writer;
  writer.put(kAnswer).put(kProtocolVersion).put_bytes(key).put_bytes(nonce).put_bytes(identity);
  return writer.take();
}

Bytes Answer::wire() const {
  Bytes bytes = unsigned_wire();
  bytes.insert(bytes.end(), signature.begin(), signature.end());
  return bytes;
}

Result<Answer> Answer::read(ByteView bytes) {
  ByteReader reader(bytes);
  const auto kind = reader.get<std::uint8_t>();
  const auto version = reader.get<std::uint8_t>();
  Answer answer;
  answer.key = get_array<32>(reader);
  answer.nonce = get_array<32>(reader);
  answer.identity = get_array<32>(reader);
  answer.signature = get_array<64>(reader);
  if (!reader.finished() || kind != kAnswer || version != kProtocolVersion) {
    return Error{"the coordinator's first message is no answer to a hail"};
  }
  return answer;
}

LinkRequest::LinkRequest(std::uint32_t rank, SecureRandom& random) : key_(X25519Key::generate(random)) {
  Hail hail{.rank = rank, .key = key_.public_key()};
  random.fill(hail.nonce);
  hail_ = hail.wire();
}

Result<LinkAnswer> answer_link(ByteView hail, std::uint32_t rank, const SigningKey& identity,
                               SecureRandom& random) {
  const auto read = Hail::read(hail);
  if (!read) {
    return read.error();
  }
  if (read->rank != rank) {
    return Error{"a hail that says it comes from rank " + std::to_string(read->rank)};
  }
  const X25519Key key = X25519Key::generate(random);
  const auto agreed = key.agree(read->key);
  if (!agreed) {
    return agreed.error();
  }
  Answer answer{.key = key.public_key(), .identity = identity.public_key()};
  random.fill(answer.nonce);
  const Digest transcript = transcript_of(hail, answer.unsigned_wire());
  answer.signature = identity.sign(transcript);
  return LinkAnswer{Link(Link::Side::coordinator, *agreed, transcript, answer.identity), answer.wire()};
}

Result<Link> LinkRequest::finish(ByteView answer, const std::optional<PublicKey>& pinned) const {
  const auto read = Answer::read(answer);
  if (!read) {
    return read.error();
  }
  if (pinned && *pinned != read->identity) {
    return Error{"the coordinator is not the one whose identity is pinned"};
  }
  const Digest transcript = transcript_of(hail_, read->unsigned_wire());
  if (!verify(read->identity, transcript, read->signature)) {
    return Error{"the coordinator's signature of the link does not hold"};
  }
  const auto agreed = key_.agree(read->key);
  if (!agreed) {
    return agreed.error();
  }
  return Link(Link::Side::worker, *agreed, transcript, read->identity);
}

}  // namespace hanse
