#include "privacy/protocol/messages.h"

#include <cmath>

#include "privacy/protocol/context.h"
#include "privacy/protocol/wire.h"

namespace hanse {

std::string_view name_of(MessageType type) {
  constexpr std::string_view names[] = {
      "?",       "PARAMS",  "HELLO",     "ROSTER", "SEEDS",  "GRAPH",  "CONFIRM", "READY",   "OPEN",  "SHARE",
      "START",   "UPLOAD",  "SET",       "AGREE",  "AGREED", "REVEAL", "RESULT",  "FAIL",    "ABORT", "STOP",
      "ARBITER", "DECRYPT", "DECRYPTED", "REDUCE", "PERMIT", "COSIGN", "RECALL",  "RECALLED"};
  const auto index = static_cast<std::size_t>(type);
  return index < std::size(names) ? names[index] : names[0];
}

void write_header(ByteWriter& writer, MessageType type, std::uint32_t merchant, std::uint64_t round) {
  writer.put(kProtocolVersion)
      .put(static_cast<std::uint8_t>(type))
      .put(std::uint16_t{0})
      .put(merchant)
      .put(round);
}

Result<Envelope> open_envelope(ByteView message) {
  ByteReader reader(message);
  const auto version = reader.get<std::uint8_t>();
  const auto type = reader.get<std::uint8_t>();
  const auto zero = reader.get<std::uint16_t>();
  Envelope envelope;
  envelope.merchant = reader.get<std::uint32_t>();
  envelope.round = reader.get<std::uint64_t>();
  if (reader.failed()) {
    return Error{"a message is shorter than its header"};
  }
  if (version != kProtocolVersion) {
    return Error{"a message has protocol version " + std::to_string(version) + " instead of " +
                 std::to_string(kProtocolVersion) + ": all programs of a run must be of one release"};
  }
  if (zero != 0 || type < static_cast<std::uint8_t>(MessageType::params) ||
      type > static_cast<std::uint8_t>(MessageType::recalled)) {
    return Error{"a message has a header that is none of ours"};
  }
  envelope.type = static_cast<MessageType>(type);
  envelope.body = message.subspan(kHeaderSize);
  return envelope;
}

namespace {

/// Reads `count` elements of `T`, whose smallest size is `element_size`.
template <class T>
std::vector<T> get_list(ByteReader& reader, std::size_t element_size) {
  const std::size_t count = get_count(reader, element_size);
  std::vector<T> list;
  list.reserve(count);
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    list.push_back(T::read(reader));
  }
  return list;
}

template <class T>
void put_list(ByteWriter& writer, const std::vector<T>& list) {
  writer.put(static_cast<std::uint32_t>(list.size()));
  for (const T& element : list) {
    element.write(writer);
  }
}

bool get_flag(ByteReader& reader) {
  const auto flag = reader.get<std::uint8_t>();
  if (flag > 1) {
    reject(reader);
  }
  return flag == 1;
}

Bytes get_payload(ByteReader& reader) {
  const auto size = reader.get<std::uint64_t>();
  if (size > reader.remaining()) {
    reject(reader);
    return {};
  }
  const ByteView payload = reader.get_bytes(size);
  return {payload.begin(), payload.end()};
}

void put_payload(ByteWriter& writer, ByteView payload) {
  writer.put(static_cast<std::uint64_t>(payload.size())).put_bytes(payload);
}

}  // namespace

// --- session ---

std::string_view name_of(Encryption encryption) {
  constexpr std::string_view names[] = {"none", "masked", "paillier"};
  return names[static_cast<std::size_t>(encryption)];
}

Encryption encryption_named(std::string_view name) {
  for (const Encryption one : {Encryption::none, Encryption::masked, Encryption::paillier}) {
    if (name == name_of(one)) {
      return one;
    }
  }
  check(false, "a configuration names an encryption that there is");
  return Encryption::masked;
}

void SessionParameters::write(ByteWriter& writer) const {
  writer.put(static_cast<std::uint8_t>(encryption))
      .put(paillier_bits)
      .put(graph.corrupt)
      .put(graph.dropouts)
      .put(graph.cohort)
      .put(graph.neighbours)
      .put(graph.threshold)
      .put_bytes(plan)
      .put_bytes(nonce);
}

SessionParameters SessionParameters::read(ByteReader& reader) {
  SessionParameters parameters;
  const auto encryption = reader.get<std::uint8_t>();
  if (encryption > static_cast<std::uint8_t>(Encryption::paillier)) {
    reject(reader);
  }
  parameters.encryption = static_cast<Encryption>(encryption);
  parameters.paillier_bits = reader.get<std::uint32_t>();
  parameters.graph.corrupt = reader.get<double>();
  parameters.graph.dropouts = reader.get<double>();
  parameters.graph.cohort = reader.get<double>();
  parameters.graph.neighbours = reader.get<std::uint32_t>();
  parameters.graph.threshold = reader.get<std::uint32_t>();
  parameters.plan = get_array<32>(reader);
  parameters.nonce = get_array<32>(reader);
  return parameters;
}

Digest SessionParameters::digest() const {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 session parameters"));
  write(writer);
  return sha256(writer.bytes());
}

Bytes MerchantHello::signed_bytes(const Digest& parameters) const {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 hello")).put_bytes(parameters);
  put_text(writer, name);
  writer.put_bytes(identity).put_bytes(key).put_bytes(nonce).put_bytes(graph_commitment);
  return writer.take();
}

void MerchantHello::write(ByteWriter& writer) const {
  put_text(writer, name);
  writer.put_bytes(identity).put_bytes(key).put_bytes(nonce).put_bytes(graph_commitment).put_bytes(signature);
}

MerchantHello MerchantHello::read(ByteReader& reader) {
  MerchantHello hello;
  hello.name = get_text(reader, kNameSizeMax);
  if (hello.name.empty()) {
    reject(reader);
  }
  hello.identity = get_array<32>(reader);
  hello.key = get_array<32>(reader);
  hello.nonce = get_array<32>(reader);
  hello.graph_commitment = get_array<32>(reader);
  hello.signature = get_array<64>(reader);
  return hello;
}

namespace {
constexpr std::size_t kHelloSizeMin = 4 + 1 + 32 + 32 + 32 + 32 + 64;
}

void Hello::write(ByteWriter& writer) const {
  writer.put_bytes(parameters);
  put_list(writer, merchants);
}

Hello Hello::read(ByteReader& reader) {
  Hello hello;
  hello.parameters = get_array<32>(reader);
  hello.merchants = get_list<MerchantHello>(reader, kHelloSizeMin);
  return hello;
}

void RosterMessage::write(ByteWriter& writer) const {
  put_list(writer, merchants);
}

RosterMessage RosterMessage::read(ByteReader& reader) {
  RosterMessage roster{get_list<MerchantHello>(reader, kHelloSizeMin)};
  if (roster.merchants.size() > kMerchantsMax) {
    reject(reader);
  }
  return roster;
}

template <MessageType Type>
void OpenedSeeds<Type>::write(ByteWriter& writer) const {
  writer.put(static_cast<std::uint32_t>(seeds.size()));
  for (const Bytes32& seed : seeds) {
    writer.put_bytes(seed);
  }
}

template <MessageType Type>
OpenedSeeds<Type> OpenedSeeds<Type>::read(ByteReader& reader) {
  OpenedSeeds opened;
  opened.seeds.resize(get_count(reader, sizeof(Bytes32)));
  for (Bytes32& seed : opened.seeds) {
    seed = get_array<32>(reader);
  }
  return opened;
}

template struct OpenedSeeds<MessageType::seeds>;
template struct OpenedSeeds<MessageType::graph>;

void EdgeCode::write(ByteWriter& writer) const {
  writer.put(sender).put(receiver).put_bytes(code);
}

EdgeCode EdgeCode::read(ByteReader& reader) {
  EdgeCode edge;
  edge.sender = reader.get<std::uint32_t>();
  edge.receiver = reader.get<std::uint32_t>();
  edge.code = get_array<16>(reader);
  return edge;
}

template <MessageType Type>
void EdgeCodes<Type>::write(ByteWriter& writer) const {
  put_list(writer, codes);
}

template <MessageType Type>
EdgeCodes<Type> EdgeCodes<Type>::read(ByteReader& reader) {
  return {get_list<EdgeCode>(reader, 24)};
}

template struct EdgeCodes<MessageType::confirm>;
template struct EdgeCodes<MessageType::ready>;

// --- round ---

namespace {

void put_commitments(ByteWriter& writer, const Commitments& commitments) {
  writer.put_bytes(commitments.self_mask).put_bytes(commitments.escrow);
}

Commitments get_commitments(ByteReader& reader) {
  Commitments commitments;
  commitments.self_mask = get_array<16>(reader);
  commitments.escrow = get_array<16>(reader);
  return commitments;
}

void put_bytes16(ByteWriter& writer, const std::vector<Bytes16>& list) {
  for (const Bytes16& one : list) {
    writer.put_bytes(one);
  }
}

std::vector<Bytes16> get_bytes16(ByteReader& reader, std::size_t count) {
  std::vector<Bytes16> list(count);
  for (Bytes16& one : list) {
    one = get_array<16>(reader);
  }
  return list;
}

/// Bytes of one holder's shares of `rungs` keys, in their box and with their commitments.
std::size_t surplus_box_size(std::size_t rungs) {
  return rungs * sizeof(Share) + 16;
}
std::size_t surplus_size(std::size_t rungs) {
  return surplus_box_size(rungs) + rungs * sizeof(Bytes16);
}

void put_surplus(ByteWriter& writer, const SurplusShares& surplus, std::size_t rungs) {
  check(surplus.box.size() == surplus_box_size(rungs) && surplus.commitments.size() == rungs,
        "all holders have shares of as many rung keys");
  writer.put_bytes(surplus.box);
  put_bytes16(writer, surplus.commitments);
}

SurplusShares get_surplus(ByteReader& reader, std::size_t rungs) {
  const ByteView box = reader.get_bytes(surplus_box_size(rungs));
  return {{box.begin(), box.end()}, get_bytes16(reader, rungs)};
}

/// The number of rungs before `holders` times their shares and `more` bytes a rung besides: at least one, and all of the
/// message that is left.
std::size_t get_rungs(ByteReader& reader, std::size_t holders, std::size_t more) {
  const std::size_t rungs = get_count(reader, sizeof(Bytes16));
  const bool fits = rungs > 0 && reader.remaining() / surplus_size(rungs) >= holders &&
                    reader.remaining() == holders * surplus_size(rungs) + rungs * more;
  if (!fits) {
    reject(reader);
  }
  return fits ? rungs : 0;
}

}  // namespace

void ShareMessage::write(ByteWriter& writer) const {
  put_commitments(writer, secrets);
  put_commitments(writer, own);
  writer.put(static_cast<std::uint32_t>(parts.size()));
  for (const SharePart& part : parts) {
    writer.put_bytes(part.box);
    put_commitments(writer, part.commitments);
    writer.put_bytes(part.wrapped_seed);
  }
  if (const std::size_t rungs = surplus_secrets.size(); rungs > 0) {
    check(surplus_own.size() == rungs, "a dealer keeps a share of each of its rung keys");
    writer.put(static_cast<std::uint32_t>(rungs));
    put_bytes16(writer, surplus_secrets);
    put_bytes16(writer, surplus_own);
    for (const SharePart& part : parts) {
      put_surplus(writer, part.surplus, rungs);
    }
  }
}

ShareMessage ShareMessage::read(ByteReader& reader) {
  ShareMessage message;
  message.secrets = get_commitments(reader);
  message.own = get_commitments(reader);
  message.parts.resize(get_count(reader, sizeof(ShareBox) + 64));
  for (SharePart& part : message.parts) {
    part.box = get_array<96>(reader);
    part.commitments = get_commitments(reader);
    part.wrapped_seed = get_array<32>(reader);
  }
  if (reader.remaining() > 0) {
    const std::size_t rungs = get_rungs(reader, message.parts.size(), 2 * sizeof(Bytes16));
    message.surplus_secrets = get_bytes16(reader, rungs);
    message.surplus_own = get_bytes16(reader, rungs);
    for (std::size_t i = 0; rungs > 0 && i < message.parts.size(); ++i) {
      message.parts[i].surplus = get_surplus(reader, rungs);
    }
  }
  return message;
}

void Start::write(ByteWriter& writer) const {
  write_parameters(writer, parameters);
  participants.write(writer);
  writer.put(static_cast<std::uint32_t>(boxes.size()));
  for (const ForwardedBox& forwarded : boxes) {
    writer.put(forwarded.dealer).put(forwarded.holder).put_bytes(forwarded.box);
    put_commitments(writer, forwarded.commitments);
  }
  put_payload(writer, payload);
  if (const std::size_t rungs = boxes.empty() ? 0 : boxes.front().surplus.commitments.size(); rungs > 0) {
    writer.put(static_cast<std::uint32_t>(rungs));
    for (const ForwardedBox& forwarded : boxes) {
      put_surplus(writer, forwarded.surplus, rungs);
    }
  }
}

Start Start::read(ByteReader& reader) {
  Start start;
  start.parameters = read_parameters(reader);
  start.participants = MerchantSet::read(reader);
  start.boxes.resize(get_count(reader, 8 + sizeof(ShareBox) + 32));
  for (ForwardedBox& forwarded : start.boxes) {
    forwarded.dealer = reader.get<std::uint32_t>();
    forwarded.holder = reader.get<std::uint32_t>();
    forwarded.box = get_array<96>(reader);
    forwarded.commitments = get_commitments(reader);
  }
  start.payload = get_payload(reader);
  if (reader.remaining() > 0 && start.boxes.empty()) {
    reject(reader);  // One message has one encoding.
  }
  if (reader.remaining() > 0) {
    const std::size_t rungs = get_rungs(reader, start.boxes.size(), 0);
    for (std::size_t i = 0; rungs > 0 && i < start.boxes.size(); ++i) {
      start.boxes[i].surplus = get_surplus(reader, rungs);
    }
  }
  return start;
}

namespace {

void put_codes(ByteWriter& writer, const std::vector<Bytes16>& codes) {
  writer.put(static_cast<std::uint32_t>(codes.size()));
  for (const Bytes16& code : codes) {
    writer.put_bytes(code);
  }
}

std::vector<Bytes16> get_codes(ByteReader& reader) {
  std::vector<Bytes16> codes(get_count(reader, sizeof(Bytes16)));
  for (Bytes16& code : codes) {
    code = get_array<16>(reader);
  }
  return codes;
}

}  // namespace

void Upload::write(ByteWriter& writer) const {
  put_codes(writer, fingerprints);
  writer.put_bytes(residues);
}

Upload Upload::read(ByteReader& reader) {
  Upload upload;
  upload.fingerprints = get_codes(reader);
  upload.residues = reader.get_bytes(reader.remaining());
  return upload;
}

void Reduce::write(ByteWriter& writer) const {
  writer.put(static_cast<std::uint8_t>(ring)).put(length);
  included.write(writer);
}

Reduce Reduce::read(ByteReader& reader) {
  Reduce reduce;
  const auto ring = reader.get<std::uint8_t>();
  reduce.ring = ring == 32 ? Ring::bits32 : Ring::bits64;
  reduce.length = reader.get<std::uint64_t>();
  if ((ring != 32 && ring != 64) || reduce.length == 0 || reduce.length > Reduce::kLengthMax) {
    reject(reader);
  }
  reduce.included = MerchantSet::read(reader);
  return reduce;
}

void SetMessage::write(ByteWriter& writer) const {
  writer.put_bytes(context);
  included.write(writer);
}

SetMessage SetMessage::read(ByteReader& reader) {
  SetMessage set;
  set.context = get_array<32>(reader);
  set.included = MerchantSet::read(reader);
  return set;
}

void Agree::write(ByteWriter& writer) const {
  put_codes(writer, codes);
}

Agree Agree::read(ByteReader& reader) {
  return {get_codes(reader)};
}

void AgreedMessage::write(ByteWriter& writer) const {
  put_list(writer, codes);
  writer.put(static_cast<std::uint8_t>(next.has_value()));
  if (next) {
    writer.put(next->round);
    next->invited.write(writer);
  }
}

AgreedMessage AgreedMessage::read(ByteReader& reader) {
  AgreedMessage agreed{get_list<EdgeCode>(reader, 24), std::nullopt};
  if (get_flag(reader)) {
    agreed.next.emplace();
    agreed.next->round = reader.get<std::uint64_t>();
    agreed.next->invited = MerchantSet::read(reader);
  }
  return agreed;
}

void Reveal::write(ByteWriter& writer) const {
  Bytes kinds((shares.size() + 7) / 8);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (std::holds_alternative<EscrowShare>(shares[i])) {
      kinds[i / 8] |= std::byte{1} << (i % 8);
    }
  }
  writer.put(static_cast<std::uint32_t>(shares.size())).put_bytes(kinds);
  for (const RevealedShare& revealed : shares) {
    writer.put_bytes(share_of(revealed));
  }
  for (const RevealedShare& revealed : shares) {
    if (const auto* of_b = std::get_if<SelfMaskShare>(&revealed); of_b != nullptr && of_b->rung) {
      writer.put_bytes(*of_b->rung);
    }
  }
}

Reveal Reveal::read(ByteReader& reader) {
  const std::size_t count = get_count(reader, sizeof(Share));
  const ByteView kinds = reader.get_bytes((count + 7) / 8);
  Reveal reveal;
  for (std::size_t i = 0; i < kinds.size() * 8; ++i) {
    const bool escrow = (kinds[i / 8] >> (i % 8) & std::byte{1}) != std::byte{0};
    if (i < count) {
      const Share share = get_array<sizeof(Share)>(reader);
      reveal.shares.push_back(escrow ? RevealedShare(EscrowShare{share}) : SelfMaskShare{share});
    } else if (escrow) {  // One message has one encoding.
      reject(reader);
    }
  }
  if (reader.remaining() > 0) {
    for (RevealedShare& revealed : reveal.shares) {
      if (auto* of_b = std::get_if<SelfMaskShare>(&revealed)) {
        of_b->rung = get_array<sizeof(Share)>(reader);
      }
    }
  }
  return reveal;
}

void RoundResult::write(ByteWriter& writer) const {
  writer.put(static_cast<std::uint8_t>(released));
  included.write(writer);
  put_payload(writer, payload);
}

RoundResult RoundResult::read(ByteReader& reader) {
  RoundResult result;
  result.released = get_flag(reader);
  result.included = MerchantSet::read(reader);
  result.payload = get_payload(reader);
  return result;
}

// --- the ledger ---

namespace {

/// As long as the longest line of a ledger, a plan of all merchants there can be.
constexpr std::size_t kLineSizeMax = std::size_t{1} << 23;

void put_lines(ByteWriter& writer, const std::vector<std::string>& lines) {
  writer.put(static_cast<std::uint32_t>(lines.size()));
  for (const std::string& line : lines) {
    put_text(writer, line);
  }
}

std::vector<std::string> get_lines(ByteReader& reader) {
  std::vector<std::string> lines;
  const std::size_t count = get_count(reader, sizeof(std::uint32_t));
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    lines.push_back(get_text(reader, kLineSizeMax));
  }
  return lines;
}

}  // namespace

void Permit::write(ByteWriter& writer) const {
  asked.write(writer);
  put_lines(writer, lines);
}

Permit Permit::read(ByteReader& reader) {
  Permit permit;
  permit.asked = MerchantSet::read(reader);
  permit.lines = get_lines(reader);
  return permit;
}

void Recall::write(ByteWriter& writer) const {
  writer.put(size).put_bytes(tip);
}

Recall Recall::read(ByteReader& reader) {
  Recall recall;
  recall.size = reader.get<std::uint64_t>();
  recall.tip = get_array<32>(reader);
  return recall;
}

void Recalled::write(ByteWriter& writer) const {
  put_lines(writer, lines);
}

Recalled Recalled::read(ByteReader& reader) {
  return {get_lines(reader)};
}

void Cosign::write(ByteWriter& writer) const {
  writer.put(size).put_bytes(root).put(static_cast<std::uint32_t>(signatures.size()));
  for (const Signature& signature : signatures) {
    writer.put_bytes(signature);
  }
}

Cosign Cosign::read(ByteReader& reader) {
  Cosign cosign;
  cosign.size = reader.get<std::uint64_t>();
  cosign.root = get_array<32>(reader);
  cosign.signatures.resize(get_count(reader, sizeof(Signature)));
  for (Signature& signature : cosign.signatures) {
    signature = get_array<64>(reader);
  }
  return cosign;
}

// --- any time ---

namespace {

std::string_view shortened(const std::string& sentence) {
  return std::string_view(sentence).substr(0, kSentenceSizeMax);
}

/// A peer's sentence as it may be shown and logged: printable ASCII and line ends, anything else as '?'.
std::string get_sentence(ByteReader& reader) {
  std::string sentence = get_text(reader, kSentenceSizeMax);
  std::replace_if(
      sentence.begin(), sentence.end(),
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\n') || byte >= 0x7F;
      },
      '?');
  return sentence;
}

}  // namespace

template <MessageType Type>
void Ending<Type>::write(ByteWriter& writer) const {
  writer.put(exit_code);
  put_text(writer, shortened(sentence));
}

template <MessageType Type>
Ending<Type> Ending<Type>::read(ByteReader& reader) {
  Ending ending;
  ending.exit_code = reader.get<std::uint8_t>();
  ending.sentence = Type == MessageType::fail ? get_sentence(reader) : get_text(reader, kSentenceSizeMax);
  // A worker that fails cannot say that all is well.
  const std::uint8_t least = Type == MessageType::fail ? 2 : 0;
  if (ending.exit_code < least || ending.exit_code > 4) {
    reject(reader);
  }
  return ending;
}

template struct Ending<MessageType::fail>;
template struct Ending<MessageType::stop>;

void Abort::write(ByteWriter& writer) const {
  writer.put(static_cast<std::uint8_t>(reason)).put(about);
  put_text(writer, shortened(sentence));
}

Abort Abort::read(ByteReader& reader) {
  const auto value = reader.get<std::uint8_t>();
  Abort abort{static_cast<Refusal>(value), reader.get<std::uint32_t>(), {}};
  abort.sentence = get_sentence(reader);
  if (!is_refusal(value)) {
    reject(reader);
  }
  return abort;
}

}  // namespace hanse
