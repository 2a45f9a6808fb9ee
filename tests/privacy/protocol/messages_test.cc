#include "privacy/protocol/messages.h"

#include <limits>

#include "common/base/seeded_generator.h"
#include "privacy/protocol/context.h"

namespace hanse {
namespace {

template <std::size_t N>
std::array<std::byte, N> filled(int value) {
  std::array<std::byte, N> bytes;
  bytes.fill(static_cast<std::byte>(value));
  return bytes;
}

MerchantHello hello_of(const std::string& name) {
  return {.name = name,
          .identity = filled<32>(1),
          .key = filled<32>(2),
          .nonce = filled<32>(3),
          .graph_commitment = filled<32>(5),
          .signature = filled<64>(4)};
}

SumParameters parameters() {
  return {.length = 5,
          .clip_norm = 1.5,
          .grid_bits = 20,
          .ring = Ring::bits64,
          .units_max = 7,
          .share_variance = 11,
          .shares_min = 3,
          .merchants_max = 4};
}

/// Round trip of the message, then each of its shorter forms and one longer: all of those must be refused, but for the
/// one of `shorter` bytes, which is a message of its own.
template <class Message>
void expect_exact(const Message& message, std::size_t shorter = 0) {
  const Bytes bytes = encode(message, 9, 2);

  const auto envelope = open_envelope(bytes);
  ASSERT_TRUE(envelope.ok());
  EXPECT_EQ(envelope->type, Message::kType);
  EXPECT_EQ(envelope->round, 9u);
  EXPECT_EQ(envelope->merchant, 2u);
  const auto decoded = decode<Message>(*envelope);
  ASSERT_TRUE(decoded.ok()) << decoded.what();
  EXPECT_EQ(encode(*decoded, 9, 2), bytes);

  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  const auto too_long = open_envelope(longer);
  EXPECT_FALSE(decode<Message>(*too_long).ok());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = open_envelope(ByteView(bytes).first(size));
    EXPECT_EQ(cut.ok() && decode<Message>(*cut).ok(), shorter != 0 && size == shorter)
        << name_of(Message::kType) << " of " << size << " bytes";
  }
}

TEST(Messages, AreReadAsTheyWereWrittenAndRefusedAtEveryOtherLength) {
  const MerchantSet two = MerchantSet::of(9, {0, 8});
  expect_exact(SessionParameters{.encryption = Encryption::paillier,
                                 .paillier_bits = 3072,
                                 .graph = {.neighbours = 6, .threshold = 4},
                                 .plan = filled<32>(1),
                                 .nonce = filled<32>(2)});
  expect_exact(Hello{filled<32>(5), {hello_of("anna"), hello_of("bernd")}});
  expect_exact(RosterMessage{{hello_of("anna")}});
  expect_exact(Seeds{{filled<32>(1), filled<32>(2)}});
  expect_exact(GraphMessage{{filled<32>(1)}});
  expect_exact(Confirm{{{1, 2, filled<16>(3)}}});
  expect_exact(Ready{{}});
  expect_exact(Open{two});
  expect_exact(ShareMessage{{filled<16>(7), filled<16>(8)},
                            {filled<16>(1), filled<16>(2)},
                            {{filled<96>(3), {filled<16>(4), filled<16>(5)}, filled<32>(6)}}});
  expect_exact(Start{
      parameters(), two, {{1, 2, filled<96>(3), {filled<16>(8), filled<16>(9)}}}, Bytes(10, std::byte{7})});
  expect_exact(Reduce{Ring::bits32, 1000, two});
  expect_exact(SetMessage{filled<32>(1), two});
  expect_exact(Agree{{filled<16>(3), filled<16>(4)}});
  expect_exact(AgreedMessage{{{1, 2, filled<16>(3)}}, std::nullopt});
  expect_exact(AgreedMessage{{{1, 2, filled<16>(3)}}, Invitation{8, two}});
  expect_exact(Reveal{{SelfMaskShare{filled<40>(2)}, EscrowShare{filled<40>(4)}}});
  expect_exact(RoundResult{true, two, Bytes(3, std::byte{1})});
  expect_exact(Permit{two, {"{}", "a line"}});
  expect_exact(Recall{7, filled<32>(3)});
  expect_exact(Recalled{{"{}", "a line"}});
  expect_exact(Cosign{7, filled<32>(3), {filled<64>(4), filled<64>(5)}});
  expect_exact(Fail{2, "market.csv:7: column price: expected a number"});
  expect_exact(Stop{4, ""});
  expect_exact(Abort{Refusal::split_view, 3, "merchant 3 does not confirm"});
}

SurplusShares surplus(std::size_t rungs) {
  return {Bytes(40 * rungs + 16, std::byte{1}), std::vector<Bytes16>(rungs, filled<16>(2))};
}

TEST(Messages, OfSurplusNoiseAreThoseWithoutItAndASectionAtTheirEnd) {
  const Commitments commitments{filled<16>(4), filled<16>(5)};
  const MerchantSet two = MerchantSet::of(9, {0, 8});
  for (const std::size_t rungs : {std::size_t{1}, std::size_t{3}}) {
    ShareMessage share{commitments, commitments, {{filled<96>(3), commitments, filled<32>(6)}}};
    Start start{parameters(), two, {{1, 2, filled<96>(3), commitments}}, Bytes(10, std::byte{7})};
    Reveal reveal{{SelfMaskShare{filled<40>(2)}, EscrowShare{filled<40>(4)}, SelfMaskShare{filled<40>(5)}}};
    const std::size_t share_size = encode(share).size();
    const std::size_t start_size = encode(start).size();
    const std::size_t reveal_size = encode(reveal).size();
    share.surplus_secrets = std::vector<Bytes16>(rungs, filled<16>(7));
    share.surplus_own = std::vector<Bytes16>(rungs, filled<16>(8));
    share.parts[0].surplus = surplus(rungs);
    start.boxes[0].surplus = surplus(rungs);
    std::get<SelfMaskShare>(reveal.shares[0]).rung = filled<40>(1);
    std::get<SelfMaskShare>(reveal.shares[2]).rung = filled<40>(3);

    expect_exact(share, share_size);
    expect_exact(start, start_size);
    expect_exact(reveal, reveal_size);

    EXPECT_EQ(decode<ShareMessage>(*open_envelope(encode(share)))->parts[0].surplus, surplus(rungs));
    EXPECT_EQ(decode<Start>(*open_envelope(encode(start)))->boxes[0].surplus, surplus(rungs));
    const auto revealed = decode<Reveal>(*open_envelope(encode(reveal)));
    EXPECT_EQ(std::get<SelfMaskShare>(revealed->shares[2]).rung, filled<40>(3));
  }
}

TEST(Messages, OfSurplusNoiseWithoutARungOrWithCountsThatAreNotThereAreRefused) {
  const ShareMessage share{{}, {}, {{}}};
  for (const std::uint32_t rungs : {0u, 2u, 0xFFFFFFFFu}) {
    ByteWriter writer;
    writer.put_bytes(encode(share)).put(rungs);
    writer.put_bytes(Bytes(rungs == 0 ? 16 : 144, std::byte{0}));  // As for none; as for one rung.

    EXPECT_FALSE(decode<ShareMessage>(*open_envelope(writer.bytes())).ok()) << rungs;
  }
}

TEST(Messages, AnUploadIsFingerprintsAndThenResiduesToItsEnd) {
  const Bytes residues(12, std::byte{9});
  const Bytes bytes = encode(Upload{{filled<16>(1), filled<16>(2)}, residues}, 1, 0);

  const auto upload = decode<Upload>(*open_envelope(bytes));

  ASSERT_TRUE(upload.ok());
  EXPECT_EQ(upload->fingerprints.size(), 2u);
  EXPECT_EQ(Bytes(upload->residues.begin(), upload->residues.end()), residues);
}

TEST(Messages, AReduceAsksForARingAndALengthThatExist) {
  const auto read = [](const Reduce& reduce) { return decode<Reduce>(*open_envelope(encode(reduce))).ok(); };
  const MerchantSet two = MerchantSet::of(2, {0, 1});

  EXPECT_TRUE(read({Ring::bits64, Reduce::kLengthMax, two}));
  EXPECT_FALSE(read({Ring::bits64, Reduce::kLengthMax + 1, two}));
  EXPECT_FALSE(read({Ring::bits64, 0, two}));
  EXPECT_FALSE(read({static_cast<Ring>(16), 10, two}));
}

TEST(Messages, CountsThatTheBytesDoNotCarryAreRefusedBeforeAnythingIsAllocated) {
  ByteWriter writer;
  write_header(writer, MessageType::reveal, 0, 1);
  writer.put(std::uint32_t{0xFFFFFFFF});
  const Bytes reveal = writer.take();
  ByteWriter start;
  write_header(start, MessageType::result, 0, 1);
  start.put(std::uint8_t{1});
  MerchantSet(3).write(start);
  start.put(std::uint64_t{1} << 63);  // A payload of 8 EiB.
  const Bytes result = start.take();
  ByteWriter set;
  write_header(set, MessageType::open, kNoMerchant, 1);
  set.put(std::uint32_t{0xFFFFFFFF});
  const Bytes open = set.take();

  EXPECT_FALSE(decode<Reveal>(*open_envelope(reveal)).ok());
  EXPECT_FALSE(decode<RoundResult>(*open_envelope(result)).ok());
  EXPECT_FALSE(decode<Open>(*open_envelope(open)).ok());
}

TEST(Messages, RandomBytesNeverPassAsMoreThanTheyAre) {
  SeededGenerator random{1};
  for (int i = 0; i < 20000; ++i) {
    ByteWriter writer;
    const auto type = static_cast<MessageType>(1 + random.below(20));
    write_header(writer, type, 0, 1);
    for (std::uint64_t n = random.below(120); n > 0; --n) {
      writer.put(static_cast<std::uint8_t>(random.below(3) == 0 ? random.below(256) : 0));
    }
    const Bytes bytes = writer.take();
    const auto envelope = open_envelope(bytes);
    ASSERT_TRUE(envelope.ok());

    // What is taken is written back as the same bytes: one message has one encoding.
    const auto same = [&]<class Message>(const Result<Message>& message) {
      EXPECT_TRUE(!message.ok() || encode(*message, 1, 0) == bytes) << name_of(type);
    };
    same(decode<SessionParameters>(*envelope));
    same(decode<Hello>(*envelope));
    same(decode<RosterMessage>(*envelope));
    same(decode<Seeds>(*envelope));
    same(decode<GraphMessage>(*envelope));
    same(decode<Confirm>(*envelope));
    same(decode<Open>(*envelope));
    same(decode<ShareMessage>(*envelope));
    same(decode<Start>(*envelope));
    same(decode<Upload>(*envelope));
    same(decode<SetMessage>(*envelope));
    same(decode<Agree>(*envelope));
    same(decode<AgreedMessage>(*envelope));
    same(decode<Reveal>(*envelope));
    same(decode<RoundResult>(*envelope));
    same(decode<Fail>(*envelope));
    same(decode<Abort>(*envelope));
  }
}

TEST(Messages, HeadersOfAnotherVersionOrTypeAreRefused) {
  Bytes version = encode(Stop{0, ""});
  version[0] = std::byte{2};
  Bytes type = encode(Stop{0, ""});
  type[1] = std::byte{99};

  EXPECT_FALSE(open_envelope(version).ok());
  EXPECT_NE(open_envelope(version).what().find("one release"), std::string::npos);
  EXPECT_FALSE(open_envelope(type).ok());
  EXPECT_FALSE(decode<Fail>(*open_envelope(encode(Stop{0, ""}))).ok());
}

TEST(MerchantSet, HasOneEncodingAndRefusesBitsBeyondTheRoster) {
  ByteWriter writer;
  MerchantSet::of(3, {1}).write(writer);
  Bytes bytes = writer.take();
  ASSERT_EQ(bytes.size(), 5u);
  EXPECT_EQ(bytes[4], std::byte{2});
  bytes[4] = std::byte{2 + 8};  // Merchant 3 of a roster of 3.

  ByteReader reader(bytes);
  (void)MerchantSet::read(reader);

  EXPECT_FALSE(reader.finished());
}

// With the smallest of doubles the step of the grid would be zero.
TEST(RoundContext, ParametersOfAPeerHaveAClipNormThatAGridCanStandOn) {
  for (const double clip_norm :
       {0.0, -1.0, 2.8e-322, 9e-101, 1.1e100, std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    SumParameters refused = parameters();
    refused.clip_norm = clip_norm;
    ByteWriter writer;
    write_parameters(writer, refused);
    ByteReader reader(writer.bytes());
    (void)read_parameters(reader);
    EXPECT_TRUE(reader.failed()) << clip_norm;
  }
}

TEST(RoundContext, ChangesWithEverythingThatParticipantsMustShare) {
  const RoundContext context{.session = filled<32>(1),
                             .round = 2,
                             .payload = filled<32>(3),
                             .parameters = parameters(),
                             .participants = MerchantSet::of(4, {0, 1, 2})};
  const Digest digest = digest_of(context);
  std::vector<RoundContext> others(10, context);
  others[0].session = filled<32>(9);
  others[1].round = 3;
  others[2].payload = filled<32>(4);
  others[3].parameters.length = 6;
  others[4].parameters.clip_norm = 1.25;
  others[5].parameters.ring = Ring::bits32;
  others[6].parameters.share_variance = 12;
  others[7].parameters.shares_min = 2;
  others[8].participants = MerchantSet::of(4, {0, 1, 3});
  others[9].parameters.gain = 2;

  for (const RoundContext& other : others) {
    EXPECT_NE(digest_of(other), digest);
  }
  EXPECT_EQ(digest_of(context), digest);
}

}  // namespace
}  // namespace hanse
