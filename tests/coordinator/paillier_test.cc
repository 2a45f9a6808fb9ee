// Sums under an arbiter's key, from the merchants to the opened sum and back, in one process.
#include "coordinator/coordinator_session.h"
#include "privacy/protocol/arbiter_messages.h"
#include "privacy/protocol/link.h"
#include "tests/support/test_federation.h"

namespace hanse {
namespace {

using Ids = std::vector<std::uint32_t>;

TestFederation::Plan plan(std::uint32_t merchants, std::uint32_t workers) {
  return {.merchants = merchants, .workers = workers, .encryption = Encryption::paillier};
}

TEST(Paillier, ARoundGivesTheSumOfAllMerchantsAndTellsThemSo) {
  TestFederation federation(plan(5, 2));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);

  for (std::uint64_t number = 1; number <= 3; ++number) {
    const CoordinatorRound round = federation.run(network, federation.request(number));

    ASSERT_NE(round.summed(), nullptr) << (round.failed() ? round.failed()->sentence : "");
    EXPECT_EQ(round.summed()->merchants, (Ids{0, 1, 2, 3, 4}));
    EXPECT_EQ(round.summed()->entries, federation.exact_sum(number, {0, 1, 2, 3, 4}));
    EXPECT_TRUE(round.dropped().empty());
  }
  EXPECT_EQ(federation.deadlines(), 0);
  EXPECT_EQ(federation.released(), std::vector<bool>(6, true));
}

TEST(Paillier, TheSumIsTheOneThatMasksGive) {
  for (const Ring ring : {Ring::bits32, Ring::bits64}) {
    std::vector<std::int64_t> sums[2];
    for (const Encryption encryption : {Encryption::masked, Encryption::paillier}) {
      TestFederation federation({.merchants = 7, .workers = 3, .encryption = encryption});
      SimulatedNetwork network;
      ASSERT_TRUE(federation.join());
      federation.attach(network);

      const CoordinatorRound round = federation.run(network, federation.request(1, ring));

      ASSERT_NE(round.summed(), nullptr);
      sums[encryption == Encryption::masked] = round.summed()->entries;
    }
    EXPECT_EQ(sums[0], sums[1]);
  }
}

TEST(Paillier, WhoeverUploadsInTimeIsInTheSum) {
  TestFederation federation(plan(5, 5));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  federation.tamper_from_worker = [](FromWorker& message) {
    return open_envelope(message.message)->type != MessageType::upload || message.worker != 2;
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.summed(), nullptr);
  EXPECT_EQ(round.summed()->merchants, (Ids{0, 2, 3, 4}));
  EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 2, 3, 4}));
  EXPECT_EQ(round.dropped().at(0).merchant, 1u);
  EXPECT_EQ(federation.deadlines(), 1);
}

TEST(Paillier, AnUploadThatIsNoCiphertextCostsItsMerchantTheRound) {
  for (const bool cut : {false, true}) {
    TestFederation federation(plan(4, 4));
    SimulatedNetwork network;
    ASSERT_TRUE(federation.join());
    federation.attach(network);
    federation.tamper_from_worker = [cut](FromWorker& message) {
      if (message.worker == 3 && open_envelope(message.message)->type == MessageType::upload) {
        if (cut) {
          message.message.resize(message.message.size() - 1);
        } else {
          std::fill(message.message.end() - 128, message.message.end(), std::byte{0});
        }
      }
      return true;
    };

    const CoordinatorRound round = federation.run(network, federation.request(1));

    ASSERT_NE(round.summed(), nullptr);
    EXPECT_EQ(round.summed()->merchants, (Ids{0, 1, 3}));
    EXPECT_EQ(round.summed()->entries, federation.exact_sum(1, {0, 1, 3}));
    EXPECT_FALSE(round.refusals().empty());
  }
}

TEST(Paillier, GarbageInACiphertextIsFoundByItsCanaryAndOpensNothing) {
  TestFederation federation(plan(4, 4));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  federation.tamper_from_worker = [](FromWorker& message) {
    if (message.worker == 3 && open_envelope(message.message)->type == MessageType::upload) {
      *(message.message.end() - 40) ^=
          std::byte{1};  // Still a number below n^2, and no longer this plaintext.
    }
    return true;
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_NE(round.failed()->sentence.find("the arbiter (rank 5) refuses the sum"), std::string::npos)
      << round.failed()->sentence;
  federation.tamper_from_worker = [](FromWorker&) { return true; };
  EXPECT_NE(federation.run(network, federation.request(2)).summed(), nullptr);
}

TEST(Paillier, TooFewUploadsNeverReachTheArbiter) {
  TestFederation federation(plan(4, 4));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  bool asked = false;
  federation.tamper_to_worker = [&](ToWorker& message) {
    asked = asked || open_envelope(message.message)->type == MessageType::decrypt;
    return true;
  };
  federation.tamper_from_worker = [](FromWorker& message) {
    return open_envelope(message.message)->type != MessageType::upload || message.worker > 2;
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::cohort);
  EXPECT_FALSE(asked);
}

TEST(Paillier, TheArbiterKeepsItsOwnMinimumAgainstTheCoordinator) {
  TestFederation::Plan strict = plan(4, 4);
  strict.merchants_min = 4;
  TestFederation federation(strict);
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  federation.tamper_from_worker = [](FromWorker& message) {
    return open_envelope(message.message)->type != MessageType::upload || message.worker != 2;
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_NE(round.failed()->sentence.find("holds 3 merchants"), std::string::npos)
      << round.failed()->sentence;
  EXPECT_TRUE(round.failed()->merchants.empty());
}

TEST(Paillier, ASilentArbiterCostsTheRound) {
  TestFederation federation(plan(3, 3));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  federation.tamper_from_worker = [](FromWorker& message) {
    return open_envelope(message.message)->type != MessageType::decrypted;
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_NE(round.failed()->sentence.find("did not open the sum"), std::string::npos);
}

TEST(Paillier, AnAnswerThatIsNotTheSumIsRefused) {
  TestFederation federation(plan(3, 3));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  federation.tamper_from_worker = [](FromWorker& message) {
    if (open_envelope(message.message)->type == MessageType::decrypted) {
      message.message[kHeaderSize] ^= std::byte{1};  // The canary of the first plaintext.
    }
    return true;
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_EQ(round.failed()->reason, Refusal::sum_invalid);
}

TEST(Paillier, AWorkerCannotAnswerForTheArbiter) {
  TestFederation federation(plan(3, 3));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  federation.tamper_from_worker = [](FromWorker& message) {
    if (open_envelope(message.message)->type == MessageType::decrypted) {
      message.worker = 2;
    }
    return true;
  };

  const CoordinatorRound round = federation.run(network, federation.request(1));

  ASSERT_NE(round.failed(), nullptr);
  EXPECT_FALSE(round.refusals().empty());
}

TEST(Paillier, TheArbiterIsShownNoCiphertextThatAMerchantSent) {
  TestFederation federation(plan(3, 3));
  SimulatedNetwork network;
  ASSERT_TRUE(federation.join());
  federation.attach(network);
  std::vector<Bytes> uploads;
  Bytes asked;
  federation.tamper_from_worker = [&](FromWorker& message) {
    if (open_envelope(message.message)->type == MessageType::upload) {
      uploads.push_back(message.message);
    }
    return true;
  };
  federation.tamper_to_worker = [&](ToWorker& message) {
    if (open_envelope(message.message)->type == MessageType::decrypt) {
      asked = message.message;
    }
    return true;
  };

  ASSERT_NE(federation.run(network, federation.request(1)).summed(), nullptr);

  ASSERT_EQ(uploads.size(), 3u);
  for (const Bytes& upload : uploads) {
    const auto ciphertext = ByteView(upload).last(128);
    EXPECT_TRUE(std::search(asked.begin(), asked.end(), ciphertext.begin(), ciphertext.end()) == asked.end());
  }
}

TEST(Paillier, LossDuplicatesAndGarbledMessagesNeverChangeASum) {
  int summed = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    TestFederation::Plan one = plan(6, 3);
    one.seed = seed;
    TestFederation federation(one);
    SimulatedNetwork network({.seed = seed,
                              .loss = 0.05,
                              .duplication = 0.1,
                              .reordering = 0.1,
                              .garbling = 0.05,
                              .delay_max = Milliseconds{20}});
    ASSERT_TRUE(federation.join());
    federation.attach(network);
    for (std::uint64_t number = 1; number <= 2; ++number) {
      const CoordinatorRound round = federation.run(network, federation.request(number));
      if (const OpenedSum* sum = round.summed()) {
        EXPECT_EQ(sum->entries, federation.exact_sum(number, sum->merchants)) << seed;
        ++summed;
      }
    }
  }
  EXPECT_GT(summed, 10);
}

// --- what a worker insists on ---

/// A worker with three merchants, a coordinator's end of its link, and an arbiter's key that can be anything.
struct Audience {
  DeterministicSecureRandom random{3};
  SigningKey coordinator = SigningKey::generate(random);
  SigningKey arbiter = SigningKey::generate(random);
  PaillierSize size = PaillierSize::for_tests(512);
  PaillierPrivateKey key = PaillierPrivateKey::generate(size, random);
  SessionParameters parameters{.encryption = Encryption::paillier, .paillier_bits = 512, .graph = {}};
  std::optional<WorkerNode> node;
  std::optional<Link> link;

  explicit Audience(WorkerOptions options = {.encryption = Encryption::paillier,
                                             .paillier = PaillierSize::for_tests(512)}) {
    std::vector<HostedMerchant> merchants;
    for (const char* name : {"anna", "bernd", "carl"}) {
      merchants.push_back({name, SigningKey::generate(random)});
    }
    WorkerHooks hooks;
    hooks.accept_round = [](const StartView& start) -> Result<SumParameters> { return start.parameters; };
    hooks.prepare = [](std::uint32_t, const Seal&) -> SealedSum { std::abort(); };
    node.emplace(options, std::move(merchants), std::move(hooks), random);
    auto answer = answer_link(node->hail(), 1, coordinator, random);
    link.emplace(std::move(answer->link));
    (void)node->handle(answer->message);
  }

  std::vector<Bytes> tell(const Bytes& message) {
    std::vector<Bytes> answers;
    for (const Bytes& box : node->handle(link->seal(message))) {
      answers.push_back(*link->open(box));
    }
    return answers;
  }
  /// PARAMS; gives the roster that the worker's HELLO makes.
  RosterMessage greet() {
    const Bytes answer = tell(encode(parameters)).at(0);
    return {decode<Hello>(*open_envelope(answer))->merchants};
  }
  ArbiterHello hello_of(const SigningKey& identity, const Bytes& public_key) {
    ArbiterHello hello{.identity = identity.public_key(), .key = public_key, .signature = {}};
    hello.signature = identity.sign(hello.signed_bytes(parameters.digest()));
    return hello;
  }
  ArbiterHello hello() { return hello_of(arbiter, key.public_key().wire()); }
  /// The sentence of the one answer, which is a FAIL with the code of a refusal.
  std::string failure(const std::vector<Bytes>& answers) {
    const auto fail = decode<Fail>(*open_envelope(answers.at(0)));
    check(fail.ok() && fail->exit_code == 4, "the worker refuses");
    return fail->sentence;
  }
};

void expect_contains(const std::string& sentence, const std::string& words) {
  EXPECT_NE(sentence.find(words), std::string::npos) << sentence;
}

TEST(PaillierSession, AWorkerConfirmsARosterUnderASignedKey) {
  Audience audience;
  const RosterMessage roster = audience.greet();

  EXPECT_TRUE(audience.tell(encode(audience.hello())).empty());
  const std::vector<Bytes> answers = audience.tell(encode(roster));

  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(open_envelope(answers[0])->type, MessageType::confirm);
}

TEST(PaillierSession, AWorkerRefusesAKeyThatIsNotSignedForThisSession) {
  Audience unsigned_key;
  unsigned_key.greet();
  ArbiterHello changed = unsigned_key.hello();
  changed.signature[5] ^= std::byte{1};
  Audience replayed;
  const ArbiterHello old = replayed.hello();  // For parameters with another nonce.
  replayed.parameters.nonce[0] = std::byte{1};
  replayed.greet();

  expect_contains(unsigned_key.failure(unsigned_key.tell(encode(changed))),
                  "signature of its key does not hold");
  expect_contains(replayed.failure(replayed.tell(encode(old))), "signature of its key does not hold");
}

TEST(PaillierSession, AWorkerRefusesAnArbiterThatIsNotThePinnedOne) {
  Audience audience(
      {.encryption = Encryption::paillier, .paillier = PaillierSize::for_tests(512), .arbiter = PublicKey{}});
  audience.greet();

  expect_contains(audience.failure(audience.tell(encode(audience.hello()))), "not the one in the roster");
}

TEST(PaillierSession, AWorkerRefusesACoordinatorThatIsTheArbiterToo) {
  Audience audience;
  audience.greet();

  expect_contains(audience.failure(audience.tell(
                      encode(audience.hello_of(audience.coordinator, audience.key.public_key().wire())))),
                  "coordinator's identity");
}

TEST(PaillierSession, AWorkerRefusesAKeyOfAnotherLength) {
  Audience audience;
  audience.greet();
  const PaillierPrivateKey small =
      PaillierPrivateKey::generate(PaillierSize::for_tests(256), audience.random);

  expect_contains(
      audience.failure(audience.tell(encode(audience.hello_of(audience.arbiter, small.public_key().wire())))),
      "512 bits");
}

TEST(PaillierSession, AWorkerRefusesParametersWithAnotherLengthThanItsOwn) {
  Audience audience;
  audience.parameters.paillier_bits = 2048;

  expect_contains(audience.failure(audience.tell(encode(audience.parameters))), "aggregation.paillier_bits");
}

TEST(PaillierSession, AWorkerOfMasksRefusesAnArbitersSession) {
  Audience audience(WorkerOptions{});

  expect_contains(audience.failure(audience.tell(encode(audience.parameters))), "encryption=paillier");
}

TEST(PaillierSession, AWorkerRefusesASecondKey) {
  Audience audience;
  audience.greet();
  const PaillierPrivateKey other = PaillierPrivateKey::generate(audience.size, audience.random);

  EXPECT_TRUE(audience.tell(encode(audience.hello())).empty());

  expect_contains(
      audience.failure(audience.tell(encode(audience.hello_of(audience.arbiter, other.public_key().wire())))),
      "second arbiter's key");
}

TEST(PaillierSession, AWorkerRefusesARosterWithoutAKey) {
  Audience audience;
  const RosterMessage roster = audience.greet();

  expect_contains(audience.failure(audience.tell(encode(roster))), "before an arbiter's key");
}

TEST(PaillierSession, TheCoordinatorWaitsForTheArbiterAndNamesItWhenItIsMissing) {
  DeterministicSecureRandom random(1);
  const SigningKey identity = SigningKey::generate(random);
  CoordinatorSession session(
      {.workers = 1, .encryption = Encryption::paillier, .paillier = PaillierSize::for_tests(512)}, identity,
      random);

  (void)session.deadline_passed();

  expect_contains(session.refused()->sentence, "the arbiter (rank 2)");
}

TEST(PaillierSession, TheCoordinatorRefusesAnArbiterOfAnotherIdentityThanThePinnedOne) {
  DeterministicSecureRandom random(1);
  const SigningKey identity = SigningKey::generate(random);
  const PaillierSize size = PaillierSize::for_tests(512);
  CoordinatorSession session(
      {.workers = 1, .encryption = Encryption::paillier, .paillier = size, .arbiter = PublicKey{}}, identity,
      random);
  ArbiterNode arbiter({.rank = 2, .size = size}, SigningKey::generate(random), random);
  std::vector<Bytes> said{arbiter.hail()};

  for (int turn = 0; turn < 3 && !session.refused(); ++turn) {
    std::vector<Bytes> next;
    for (const Bytes& message : said) {
      for (const Outgoing& out : session.handle(2, message)) {
        for (Bytes& answer : arbiter.handle(out.message)) {
          next.push_back(std::move(answer));
        }
      }
    }
    said = std::move(next);
  }

  ASSERT_TRUE(session.refused());
  EXPECT_EQ(session.refused()->code, ExitCode::refused);
  expect_contains(session.refused()->sentence, "not the one in the roster");
}

}  // namespace
}  // namespace hanse
