#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/signature.h"
#include "privacy/protocol/merchant_set.h"
#include "privacy/protocol/refusal.h"
#include "privacy/secure_sum/graph_parameters.h"
#include "privacy/secure_sum/shamir.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// The messages of a session and of a round. C is the coordinator, W a worker, who speaks for its merchants.
/// What is the same for all merchants of a worker travels once.
///
///   ledger    C: PERMIT   W: COSIGN, or ABORT: after READY for the plan, before each round for its intent, at the end for
///             the claim
///             C: RECALL   W: RECALLED, or ABORT: after READY, when a run is continued
///   session   C: PARAMS   W: HELLO   C: ROSTER   [W: SEEDS   C: GRAPH]   W: CONFIRM   C: READY
///   round r   C: START    W: UPLOAD*   C: SET   W: AGREE*   C: AGREED   W: REVEAL*, SHARE* of round r + 1
///             C: RESULT
///   tree      C: REDUCE, to every worker, between the last UPLOAD and SET; W: its part of a sum
///             (common/transport/channel.h), and ABORT if it is not what REDUCE asks for
///   any time  W: FAIL (a fault of its own user)   W: ABORT (a merchant leaves the round)   C: STOP
///
/// A round is three exchanges. The shares it needs came with the end of the round before, to which AGREED
/// invited; merchants without any (in the first round, after a round that failed, back from an absence) are
/// asked for them before START: C: OPEN   W: SHARE*.
///
/// Without masks a round is C: OPEN   W: SHARE* (empty)   C: START   W: UPLOAD*   C: RESULT, and with an arbiter the
/// coordinator asks it to open the sum before RESULT (privacy/protocol/arbiter_messages.h).
///
/// Messages with a star come one for each merchant. All travel inside a Link (privacy/protocol/link.h),
/// behind a fixed header of 16 bytes; the session is bound by the link's keys and by the session id inside
/// every key, tag and digest, so the header need not repeat it:
///
///   version u8, type u8, zero u16, merchant u32 (kNoMerchant: the worker as a whole), round u64
///
/// Layouts are fixed and little-endian, counts are compared with the bytes that are there, and a body must
/// end exactly where its message ends.
enum class MessageType : std::uint8_t {
  params = 1,
  hello,
  roster,
  seeds,
  graph,
  confirm,
  ready,
  open,
  share,
  start,
  upload,
  set,
  agree,
  agreed,
  reveal,
  result,
  fail,
  abort,
  stop,
  arbiter,  // These three: privacy/protocol/arbiter_messages.h.
  decrypt,
  decrypted,
  reduce,
  permit,
  cosign,
  recall,
  recalled,
};
std::string_view name_of(MessageType type);

inline constexpr std::uint32_t kNoMerchant = 0xFFFFFFFFu;
inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::size_t kHeaderSize = 16;

using Bytes16 = std::array<std::byte, 16>;
using Bytes32 = std::array<std::byte, 32>;

/// A received message: its header, and a view of its body.
struct Envelope {
  MessageType type{};
  std::uint32_t merchant = kNoMerchant;
  std::uint64_t round = 0;
  ByteView body;
};
Result<Envelope> open_envelope(ByteView message);

// --- session ---

/// How uploads are hidden from the coordinator (aggregation.encryption): under masks, under the key of an arbiter, or
/// not at all.
enum class Encryption : std::uint8_t { none = 0, masked = 1, paillier = 2 };
/// "masked"; the words of the configuration.
std::string_view name_of(Encryption encryption);
/// The one of that name, which is one.
Encryption encryption_named(std::string_view name);

/// PARAMS: the constants of a session, chosen by the coordinator. Its digest is in every HELLO's signature.
struct SessionParameters {
  static constexpr MessageType kType = MessageType::params;
  Encryption encryption = Encryption::masked;
  std::uint32_t paillier_bits = 0;  ///< Of the arbiter's modulus; 0 without one.
  GraphWishes graph;                ///< A worker takes only its own.
  Digest plan{};                    ///< Digest of the effective configuration.
  Bytes32 nonce{};                  ///< Fresh from the coordinator: no HELLO fits two sessions.

  bool masked() const { return encryption == Encryption::masked; }
  Digest digest() const;
  void write(ByteWriter& writer) const;
  static SessionParameters read(ByteReader& reader);
};

inline constexpr std::size_t kNameSizeMax = 255;

/// One merchant's entry to a session.
struct MerchantHello {
  std::string name;      ///< Not empty, at most kNameSizeMax bytes.
  PublicKey identity{};  ///< Ed25519.
  Bytes32 key{};         ///< X25519, fresh for this session.
  Bytes32 nonce{};
  Digest graph_commitment{};  ///< To a seed of the graph: commit_to_seed() (privacy/protocol/session.h).
  Signature signature{};      ///< Of signed_bytes() by `identity`.

  /// What is signed: a label, the digest of the session's parameters and everything above.
  Bytes signed_bytes(const Digest& parameters) const;
  void write(ByteWriter& writer) const;
  static MerchantHello read(ByteReader& reader);
  friend bool operator==(const MerchantHello&, const MerchantHello&) = default;
};

/// HELLO: all merchants of one worker.
struct Hello {
  static constexpr MessageType kType = MessageType::hello;
  Digest parameters{};  ///< Of the PARAMS the worker saw.
  std::vector<MerchantHello> merchants;

  void write(ByteWriter& writer) const;
  static Hello read(ByteReader& reader);
};

/// ROSTER: all merchants of the session by increasing name; a merchant's place is its id.
struct RosterMessage {
  static constexpr MessageType kType = MessageType::roster;
  std::vector<MerchantHello> merchants;

  void write(ByteWriter& writer) const;
  static RosterMessage read(ByteReader& reader);
};

/// SEEDS (from a worker): the graph seeds of its merchants, opened, by increasing id. GRAPH (to a worker): those
/// of all merchants. Only when not everyone masks with everyone.
template <MessageType Type>
struct OpenedSeeds {
  static constexpr MessageType kType = Type;
  std::vector<Bytes32> seeds;

  void write(ByteWriter& writer) const;
  static OpenedSeeds read(ByteReader& reader);
};
using Seeds = OpenedSeeds<MessageType::seeds>;
using GraphMessage = OpenedSeeds<MessageType::graph>;

/// A message code from `sender`, meant for `receiver`.
struct EdgeCode {
  std::uint32_t sender = 0;
  std::uint32_t receiver = 0;
  Bytes16 code{};

  void write(ByteWriter& writer) const;
  static EdgeCode read(ByteReader& reader);
  friend bool operator==(const EdgeCode&, const EdgeCode&) = default;
};

/// CONFIRM (from a worker), READY (to a worker): codes of the session id under the keys of each pair of
/// neighbours. Empty without masks.
template <MessageType Type>
struct EdgeCodes {
  static constexpr MessageType kType = Type;
  std::vector<EdgeCode> codes;

  void write(ByteWriter& writer) const;
  static EdgeCodes read(ByteReader& reader);
};
using Confirm = EdgeCodes<MessageType::confirm>;
using Ready = EdgeCodes<MessageType::ready>;

// --- round ---

/// OPEN: the merchants invited to a round.
struct Open {
  static constexpr MessageType kType = MessageType::open;
  MerchantSet invited;

  void write(ByteWriter& writer) const { invited.write(writer); }
  static Open read(ByteReader& reader) { return {MerchantSet::read(reader)}; }
};

using ShareBox = std::array<std::byte, 96>;  ///< Two shares in AES-256-GCM, for one holder's eyes.

/// What a merchant publishes about two things that it keeps to itself: truncated SHA-256 of each.
struct Commitments {
  Bytes16 self_mask{};  ///< Of b, or of one holder's share of it.
  Bytes16 escrow{};     ///< Of u, or of one holder's share of it.
  friend bool operator==(const Commitments&, const Commitments&) = default;
};

/// With privacy.remove_surplus_noise: one holder's shares of a dealer's rung keys (privacy/surplus_noise.h), by increasing
/// rung. The lowest rung is the dealer's threshold of holders, the highest one below the number of those invited. Empty
/// without.
struct SurplusShares {
  Bytes box;                         ///< 40 bytes a rung in AES-256-GCM, for the holder's eyes.
  std::vector<Bytes16> commitments;  ///< Truncated SHA-256 of each share.
  friend bool operator==(const SurplusShares&, const SurplusShares&) = default;
};

/// One neighbour's part of a SHARE.
struct SharePart {
  ShareBox box{};
  Commitments commitments;
  Bytes32
      wrapped_seed{};  ///< The pair's seed of this round under the escrow key u: opens if the dealer drops.
  SurplusShares surplus = {};
};

/// SHARE: a merchant's escrow for the round. Parts in the order of its invited neighbours. What is dealt of rung keys
/// follows behind all parts, and not a byte of it when there are none.
struct ShareMessage {
  static constexpr MessageType kType = MessageType::share;
  Commitments secrets;  ///< Of b and u themselves: who deals shares of anything else is found out.
  Commitments own;      ///< Of the shares the merchant keeps itself.
  std::vector<SharePart> parts;
  std::vector<Bytes16> surplus_secrets = {};  ///< Of the rung keys themselves, by increasing rung.
  std::vector<Bytes16> surplus_own = {};      ///< Of the shares of them that the merchant keeps.

  void write(ByteWriter& writer) const;
  static ShareMessage read(ByteReader& reader);
};

/// A share box on its way to the holder, who compares the shares with the commitments: from then on a share
/// that does not fit is the holder's fault.
struct ForwardedBox {
  std::uint32_t dealer = 0;
  std::uint32_t holder = 0;
  ShareBox box{};
  Commitments commitments;
  SurplusShares surplus = {};
};

/// START: the sum that is asked for. Shares of rung keys follow behind the payload.
struct Start {
  static constexpr MessageType kType = MessageType::start;
  SumParameters parameters;
  MerchantSet participants;         ///< R: those that sent their shares.
  std::vector<ForwardedBox> boxes;  ///< For the merchants of this worker; of each by increasing dealer.
  Bytes payload;                    ///< Of the layer above: the ledger's intent and the model.

  void write(ByteWriter& writer) const;
  static Start read(ByteReader& reader);
};

/// UPLOAD: residues under masks (or the ciphertexts of privacy/encrypted_total.h; none with
/// aggregation.topology=tree), and a fingerprint of the mask of each edge to a participating neighbour, in
/// increasing order of neighbours. `residues` views the message it was read from.
struct Upload {
  static constexpr MessageType kType = MessageType::upload;
  std::vector<Bytes16> fingerprints;
  ByteView residues;

  void write(ByteWriter& writer) const;
  static Upload read(ByteReader& reader);
};

/// REDUCE, with aggregation.topology=tree: the sum that every worker joins, with the sealed sums of exactly its
/// merchants in U, or zeros when it has none. Workers of merchants that are not in the round join as well.
struct Reduce {
  static constexpr MessageType kType = MessageType::reduce;
  /// A worker makes zeros of this length on the coordinator's word alone.
  static constexpr std::uint64_t kLengthMax = std::uint64_t{1} << 27;
  Ring ring = Ring::bits64;
  std::uint64_t length = 0;  ///< Of the sum: SumParameters::length.
  MerchantSet included;      ///< U.

  void write(ByteWriter& writer) const;
  static Reduce read(ByteReader& reader);
};

/// SET: the merchants whose uploads are in the sum.
struct SetMessage {
  static constexpr MessageType kType = MessageType::set;
  Digest context{};
  MerchantSet included;  ///< U.

  void write(ByteWriter& writer) const;
  static SetMessage read(ByteReader& reader);
};

/// AGREE: codes of the context and of U under the keys of each pair, for the merchant's neighbours in U by
/// increasing id. Nothing else: sender and receivers follow.
struct Agree {
  static constexpr MessageType kType = MessageType::agree;
  std::vector<Bytes16> codes;

  void write(ByteWriter& writer) const;
  static Agree read(ByteReader& reader);
  friend bool operator==(const Agree&, const Agree&) = default;
};

/// The round that comes next, and who is invited to it.
struct Invitation {
  std::uint64_t round = 0;
  MerchantSet invited;
  friend bool operator==(const Invitation&, const Invitation&) = default;
};

/// AGREED: the codes for the merchants of a worker. With `next`, they deal their shares of that round now.
struct AgreedMessage {
  static constexpr MessageType kType = MessageType::agreed;
  std::vector<EdgeCode> codes;
  std::optional<Invitation> next;

  void write(ByteWriter& writer) const;
  static AgreedMessage read(ByteReader& reader);
};

/// A share of b (the dealer is in U) or of u (it dropped): never both, by the type. With b may come a share of one rung key,
/// that of rung |U| - 1: the same for all dealers in U.
struct SelfMaskShare {
  Share share{};
  std::optional<Share> rung = {};
};
struct EscrowShare {
  Share share{};
};
using RevealedShare = std::variant<SelfMaskShare, EscrowShare>;
inline const Share& share_of(const RevealedShare& revealed) {
  return std::visit([](const auto& one) -> const Share& { return one.share; }, revealed);
}

/// REVEAL: one share for each participating merchant whose shares this merchant holds, itself included, by
/// increasing dealer. On the wire a bitmap of kinds (1: of u), then the shares; then those of rung keys, of all dealers in
/// U or of none.
struct Reveal {
  static constexpr MessageType kType = MessageType::reveal;
  std::vector<RevealedShare> shares;

  void write(ByteWriter& writer) const;
  static Reveal read(ByteReader& reader);
};

/// RESULT: how the round ended.
struct RoundResult {
  static constexpr MessageType kType = MessageType::result;
  bool released = false;
  MerchantSet included;
  Bytes payload;  ///< Released: of the layer above (the ledger's release). Otherwise a sentence.

  void write(ByteWriter& writer) const;
  static RoundResult read(ByteReader& reader);
};

// --- the ledger ---

/// PERMIT: the ledger's lines that a worker may lack, in their order, the last one being what its merchants are asked to
/// agree to: the plan, the intent of the round in the header, or the claim.
struct Permit {
  static constexpr MessageType kType = MessageType::permit;
  MerchantSet asked;
  std::vector<std::string> lines;  ///< Without newlines.

  void write(ByteWriter& writer) const;
  static Permit read(ByteReader& reader);
};

/// COSIGN: the worker has verified the lines and has them on its own disk, and the signatures of its merchants that were
/// asked, by increasing id, over the head of what it has (cosigned_bytes() of privacy/ledger/record.h). A worker whose head
/// is another one was shown another ledger.
struct Cosign {
  static constexpr MessageType kType = MessageType::cosign;
  std::uint64_t size = 0;
  Digest root{};
  std::vector<Signature> signatures;

  void write(ByteWriter& writer) const;
  static Cosign read(ByteReader& reader);
};

/// RECALL: a continued run's ledger as the coordinator found it. A worker with another one of that length ABORTs: nothing
/// may follow on a ledger that takes back what merchants have seen.
struct Recall {
  static constexpr MessageType kType = MessageType::recall;
  std::uint64_t size = 0;  ///< Lines.
  Digest tip{};            ///< SHA-256 of the last one; zero without lines.

  void write(ByteWriter& writer) const;
  static Recall read(ByteReader& reader);
};

/// RECALLED: the lines that the worker has on its own disk behind those, in their order: the coordinator's disk lost them.
struct Recalled {
  static constexpr MessageType kType = MessageType::recalled;
  std::vector<std::string> lines;  ///< Without newlines.

  void write(ByteWriter& writer) const;
  static Recalled read(ByteReader& reader);
};

// --- any time ---

inline constexpr std::size_t kSentenceSizeMax = 4096;

/// FAIL: a fault that a worker's user must mend, found by the worker. STOP: the run ends, for all.
template <MessageType Type>
struct Ending {
  static constexpr MessageType kType = Type;
  std::uint8_t exit_code = 0;  ///< ExitCode (common/base/failure.h), 0 to 4.
  std::string sentence;

  void write(ByteWriter& writer) const;
  static Ending read(ByteReader& reader);
};
using Fail = Ending<MessageType::fail>;
using Stop = Ending<MessageType::stop>;

/// ABORT: the merchant of the header (or all of the worker) leaves the round and reveals nothing more in it.
struct Abort {
  static constexpr MessageType kType = MessageType::abort;
  Refusal reason{};
  std::uint32_t about = kNoMerchant;  ///< The merchant it holds responsible, if one.
  std::string sentence;

  void write(ByteWriter& writer) const;
  static Abort read(ByteReader& reader);
};

// --- both ways ---

void write_header(ByteWriter& writer, MessageType type, std::uint32_t merchant, std::uint64_t round);

/// Header and body of a message.
template <class Message>
Bytes encode(const Message& message, std::uint64_t round = 0, std::uint32_t merchant = kNoMerchant) {
  ByteWriter writer;
  write_header(writer, Message::kType, merchant, round);
  message.write(writer);
  return writer.take();
}

/// The body of an envelope whose type is Message::kType.
template <class Message>
Result<Message> decode(const Envelope& envelope) {
  ByteReader reader(envelope.body);
  Message message = Message::read(reader);
  if (envelope.type != Message::kType || !reader.finished()) {
    return Error{"a " + std::string(name_of(Message::kType)) + " message does not follow its layout"};
  }
  return message;
}

}  // namespace hanse
