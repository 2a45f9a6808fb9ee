#include "worker/arbiter_node.h"

#include "privacy/encrypted_total.h"
#include "privacy/protocol/arbiter_messages.h"
#include "privacy/protocol/link.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

constexpr std::uint32_t kMerchants = 4;
constexpr std::uint32_t kBits = 512;

/// An arbiter, and a coordinator's end of its link that can say anything.
struct Court {
  DeterministicSecureRandom random{1};
  SigningKey coordinator = SigningKey::generate(random);
  SigningKey identity = SigningKey::generate(random);
  PaillierSize size = PaillierSize::for_tests(kBits);
  ArbiterNode node;
  std::optional<Link> link;
  SessionParameters parameters{
      .encryption = Encryption::paillier, .paillier_bits = kBits, .graph = {}, .plan = {}, .nonce = {}};
  std::optional<PaillierEncryptor> encryptor;
  SumParameters sum{
      .length = 40, .grid_bits = 10, .units_max = 1, .shares_min = 3, .merchants_max = kMerchants};

  explicit Court(ArbiterOptions options = {.size = PaillierSize::for_tests(kBits), .merchants_min = 3})
      : node(options, SigningKey::from_seed(identity.seed().duplicate()), random) {
    connect();
  }
  explicit Court(const Failure& failure) : node({.size = PaillierSize::for_tests(kBits)}, failure, random) {
    connect();
  }

  void connect() {
    auto answer = answer_link(node.hail(), 1, coordinator, random);
    check(answer.ok(), "the arbiter's hail is one");
    link.emplace(std::move(answer->link));
    node.handle(answer->message);
  }

  /// The arbiter's answers to a message, opened.
  std::vector<Bytes> tell(const Bytes& message) {
    std::vector<Bytes> answers;
    for (const Bytes& box : node.handle(link->seal(message))) {
      answers.push_back(*link->open(box));
    }
    return answers;
  }

  RosterMessage roster(std::uint32_t merchants = kMerchants) {
    RosterMessage message;
    for (std::uint32_t i = 0; i < merchants; ++i) {
      const SigningKey key = SigningKey::generate(random);
      MerchantHello hello{.name = {static_cast<char>('a' + i)},
                          .identity = key.public_key(),
                          .key = {},
                          .nonce = {},
                          .graph_commitment = {},
                          .signature = {}};
      random.fill(hello.key);
      hello.signature = key.sign(hello.signed_bytes(parameters.digest()));
      message.merchants.push_back(hello);
    }
    return message;
  }

  /// Sets up the session; the arbiter's key is then known.
  Court& join() {
    const Bytes answer = tell(encode(parameters)).at(0);
    const auto hello = decode<ArbiterHello>(*open_envelope(answer));
    encryptor.emplace(*PaillierPublicKey::from_wire(hello->key, size));
    tell(encode(roster()));
    tell(encode(Ready{}));
    check(node.ready(), "the session is ready");
    return *this;
  }

  /// Merchant i's entries are all i + 1.
  Bytes sealed(std::uint32_t merchant) {
    const std::vector<std::int64_t> entries(sum.length, merchant + 1);
    return encrypt_entries(entries, sum, *encryptor, random);
  }
  Bytes total(std::uint32_t merchants) {
    EncryptedTotal all(sum, encryptor->key());
    for (std::uint32_t i = 0; i < merchants; ++i) {
      check(!all.add(sealed(i)), "uploads are well formed");
    }
    return all.take(*encryptor, random);
  }
  std::vector<Bytes> ask(std::uint64_t round, const Bytes& ciphertexts) {
    return tell(encode(DecryptRequest{sum, ciphertexts}, round));
  }
  /// The reason of the one answer, which is an ABORT.
  Refusal refusal(const std::vector<Bytes>& answers) {
    const auto envelope = open_envelope(answers.at(0));
    const auto abort = decode<Abort>(*envelope);
    check(answers.size() == 1 && abort.ok(), "the arbiter refuses");
    return abort->reason;
  }
  /// The exit code and the sentence of the one answer, which is a FAIL.
  std::string failure(const std::vector<Bytes>& answers) {
    const auto envelope = open_envelope(answers.at(0));
    const auto fail = decode<Fail>(*envelope);
    check(answers.size() == 1 && fail.ok(), "the arbiter fails");
    return std::to_string(fail->exit_code) + ": " + fail->sentence;
  }
};

TEST(Arbiter, OpensTheSumOfEnoughMerchants) {
  Court court;
  court.join();

  const std::vector<Bytes> answers = court.ask(1, court.total(3));

  ASSERT_EQ(answers.size(), 1u);
  const auto envelope = open_envelope(answers[0]);
  const auto decrypted = decode<Decrypted>(*envelope);
  ASSERT_TRUE(decrypted) << decrypted.what();
  const auto opened = open_plaintexts(decrypted->plaintexts, court.sum, court.size, {0, 1, 2});
  ASSERT_TRUE(opened) << opened.what();
  EXPECT_EQ(opened->entries, std::vector<std::int64_t>(court.sum.length, 1 + 2 + 3));
}

TEST(Arbiter, RefusesASumOfFewerMerchantsThanItsOwnMinimum) {
  Court court;
  court.join();
  court.sum.shares_min = 1;  // What the coordinator says does not lower it.

  EXPECT_EQ(court.refusal(court.ask(1, court.total(1))), Refusal::cohort);
  EXPECT_EQ(court.refusal(court.ask(2, court.total(2))), Refusal::cohort);
  EXPECT_EQ(court.node.refusals().size(), 2u);
}

TEST(Arbiter, RefusesASumOfFewerMerchantsThanTheSumPromises) {
  Court court;
  court.join();
  court.sum.shares_min = 4;

  EXPECT_EQ(court.refusal(court.ask(1, court.total(3))), Refusal::cohort);
}

TEST(Arbiter, WithoutAMinimumOfItsOwnAsksForTwoThirdsOfTheRoster) {
  Court court({.size = PaillierSize::for_tests(kBits)});
  court.join();

  EXPECT_EQ(court.refusal(court.ask(1, court.total(2))), Refusal::cohort);
}

TEST(Arbiter, OpensOneSumARound) {
  Court court;
  court.join();
  const Bytes sum = court.total(3);

  EXPECT_EQ(open_envelope(court.ask(5, sum).at(0))->type, MessageType::decrypted);
  EXPECT_EQ(court.refusal(court.ask(5, sum)), Refusal::wrong_round);
  EXPECT_EQ(court.refusal(court.ask(4, court.total(4))), Refusal::wrong_round);
  EXPECT_EQ(open_envelope(court.ask(6, court.total(4)).at(0))->type, MessageType::decrypted);
}

TEST(Arbiter, GivesARoundNoSecondChanceAfterARefusedSum) {
  Court court;
  court.join();

  EXPECT_EQ(court.refusal(court.ask(1, court.total(2))), Refusal::cohort);
  EXPECT_EQ(court.refusal(court.ask(1, court.total(3))), Refusal::wrong_round);
}

TEST(Arbiter, RefusesPlaintextsWhoseCanariesDoNotAgree) {
  Court court;
  court.join();
  const std::size_t size = court.size.ciphertext_bytes();
  Bytes mixed = court.total(4);
  const Bytes other = court.total(3);
  ASSERT_GT(mixed.size(), size);
  std::copy(other.begin() + static_cast<std::ptrdiff_t>(size), other.end(),
            mixed.begin() + static_cast<std::ptrdiff_t>(size));

  EXPECT_EQ(court.refusal(court.ask(1, mixed)), Refusal::sum_invalid);
}

TEST(Arbiter, RefusesPlaintextsThatAreNoSum) {
  Court court;
  court.join();
  Bytes plaintext(court.size.plaintext_bytes());
  court.random.fill(plaintext);
  plaintext.back() = {};
  Bytes garbage = court.total(3);
  court.encryptor->encrypt(plaintext, court.random, std::span(garbage).first(court.size.ciphertext_bytes()));

  EXPECT_EQ(court.refusal(court.ask(1, garbage)), Refusal::sum_invalid);
}

TEST(Arbiter, RefusesCiphertextsOfAnotherLength) {
  Court court;
  court.join();
  Bytes sum = court.total(3);
  const Bytes shorter(sum.begin(), sum.begin() + static_cast<std::ptrdiff_t>(court.size.ciphertext_bytes()));
  sum.resize(sum.size() + 1);

  EXPECT_EQ(court.refusal(court.ask(1, sum)), Refusal::malformed);
  EXPECT_EQ(court.refusal(court.ask(2, shorter)), Refusal::malformed);
  EXPECT_EQ(court.refusal(court.ask(3, {})), Refusal::malformed);
}

TEST(Arbiter, RefusesNumbersThatAreNoCiphertexts) {
  Court court;
  court.join();
  const Bytes sum = court.total(3);

  EXPECT_EQ(court.refusal(court.ask(1, Bytes(sum.size()))), Refusal::malformed);
  EXPECT_EQ(court.refusal(court.ask(2, Bytes(sum.size(), std::byte{0xFF}))), Refusal::malformed);
}

TEST(Arbiter, RefusesASumOfAnotherRoster) {
  Court court;
  court.join();
  court.sum.merchants_max = kMerchants + 1;

  EXPECT_EQ(court.refusal(court.ask(1, court.total(3))), Refusal::wrong_context);
}

TEST(Arbiter, RefusesParametersThatHoldNoSum) {
  Court court;
  court.join();
  const Bytes sum = court.total(3);
  court.sum.units_max = UINT64_MAX;

  EXPECT_EQ(court.refusal(court.ask(1, sum)), Refusal::malformed);
  court.sum.units_max = 0;
  EXPECT_EQ(court.refusal(court.ask(1, sum)), Refusal::malformed);
  court.sum.units_max = 1;
  EXPECT_EQ(open_envelope(court.ask(1, sum).at(0))->type, MessageType::decrypted);
}

TEST(Arbiter, SaysNothingBeforeTheSessionStands) {
  Court court;

  EXPECT_TRUE(court.ask(1, Bytes(64)).empty());
  EXPECT_TRUE(court.tell(encode(court.roster())).empty());
  EXPECT_EQ(court.node.refusals().size(), 2u);
}

TEST(Arbiter, MakesOneKeyASession) {
  Court court;
  court.join();

  EXPECT_TRUE(court.tell(encode(court.parameters)).empty());
}

TEST(Arbiter, RefusesASessionThatIsNotTheOneOfItsConfiguration) {
  const auto refused = [](auto change) {
    Court court({.size = PaillierSize::for_tests(kBits), .plan = Digest{}});
    change(court.parameters);
    return court.failure(court.tell(encode(court.parameters)));
  };

  EXPECT_NE(refused([](auto& p) { p.encryption = Encryption::masked; }).find("4: the arbiter"),
            std::string::npos);
  EXPECT_NE(refused([](auto& p) { p.paillier_bits = 2048; }).find("paillier_bits"), std::string::npos);
  EXPECT_NE(refused([](auto& p) { p.plan[0] = std::byte{1}; }).find("configuration"), std::string::npos);
}

TEST(Arbiter, RefusesToBeTheCoordinatorToo) {
  Court court;
  court.coordinator = SigningKey::from_seed(court.identity.seed().duplicate());
  court.node = ArbiterNode({.size = court.size}, SigningKey::from_seed(court.identity.seed().duplicate()),
                           court.random);
  court.connect();

  EXPECT_NE(court.failure(court.tell(encode(court.parameters))).find("coordinator's identity"),
            std::string::npos);
}

TEST(Arbiter, RefusesARosterThatIsTooSmallOrForged) {
  Court small;
  small.tell(encode(small.parameters));
  Court forged;
  forged.tell(encode(forged.parameters));
  RosterMessage roster = forged.roster();
  roster.merchants[1].signature[0] ^= std::byte{1};

  EXPECT_NE(small.failure(small.tell(encode(small.roster(2)))).find("at least 3"), std::string::npos);
  EXPECT_NE(forged.failure(forged.tell(encode(roster))).find("signature"), std::string::npos);
}

TEST(Arbiter, RefusesARosterInWhichItIsAMerchant) {
  Court court;
  court.tell(encode(court.parameters));
  RosterMessage roster = court.roster();
  MerchantHello& hello = roster.merchants[2];
  hello.identity = court.identity.public_key();
  hello.signature = court.identity.sign(hello.signed_bytes(court.parameters.digest()));

  EXPECT_NE(court.failure(court.tell(encode(roster))).find("key of another"), std::string::npos);
}

TEST(Arbiter, SaysWhatItsOwnUserMustMend) {
  Court court(bad_input("arbiter.key is not there"));

  EXPECT_EQ(court.failure(court.tell(encode(court.parameters))), "2: arbiter.key is not there");
}

TEST(Arbiter, EndsWithTheRun) {
  Court court;
  court.join();

  court.tell(encode(Stop{0, "done"}));

  ASSERT_TRUE(court.node.ended());
  EXPECT_EQ(court.node.ended()->sentence, "done");
  EXPECT_TRUE(court.node.handle(court.link->seal(encode(DecryptRequest{court.sum, {}}, 1))).empty());
}

}  // namespace
}  // namespace hanse
