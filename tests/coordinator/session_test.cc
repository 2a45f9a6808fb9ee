#include "coordinator/coordinator_session.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "privacy/protocol/link.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/protocol/session.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/known_answers.h"
#include "worker/worker_node.h"

namespace hanse {
namespace {

/// A coordinator and workers whose messages are handed over at once.
struct Meeting {
  DeterministicSecureRandom random{1};
  SigningKey identity = SigningKey::generate(random);
  SessionOptions options;
  std::optional<CoordinatorSession> session;
  std::vector<WorkerNode> nodes;

  static WorkerHooks hooks() {
    WorkerHooks hooks;
    hooks.accept_round = [](const StartView& start) -> Result<SumParameters> { return start.parameters; };
    hooks.prepare = [](std::uint32_t, const Seal&) -> SealedSum { std::abort(); };
    return hooks;
  }
  /// Merchants' messages as `change` leaves them; false keeps one back.
  using Change = std::function<bool(Bytes&)>;
  void add_worker(
      const std::vector<std::string>& names, WorkerOptions worker_options = {},
      Change before_sealing = [](Bytes&) { return true; }) {
    std::vector<HostedMerchant> merchants;
    for (const std::string& name : names) {
      merchants.push_back({name, SigningKey::generate(random)});
    }
    worker_options.rank = static_cast<std::uint32_t>(nodes.size() + 1);
    WorkerHooks changed = hooks();
    changed.before_sealing = std::move(before_sealing);
    nodes.emplace_back(worker_options, std::move(merchants), std::move(changed), random);
  }
  void add_failing_worker(const std::string& sentence) {
    WorkerOptions worker_options;
    worker_options.rank = static_cast<std::uint32_t>(nodes.size() + 1);
    nodes.emplace_back(worker_options, bad_input(sentence), random);
  }
  /// `change` may alter each message before the coordinator (to = 0) or a worker gets it.
  void meet(const std::function<void(Peer to, Bytes&)>& change = [](Peer, Bytes&) {}) {
    options.workers = static_cast<std::uint32_t>(nodes.size());
    session.emplace(options, identity, random);
    std::vector<std::pair<Peer, Bytes>> queue;
    for (Peer rank = 1; rank <= nodes.size(); ++rank) {
      queue.emplace_back(rank, nodes[rank - 1].hail());
    }
    while (!queue.empty()) {
      auto [from, message] = std::move(queue.front());
      queue.erase(queue.begin());
      change(0, message);
      for (Outgoing& out : session->handle(from, message)) {
        change(out.to, out.message);
        for (Bytes& answer : nodes[out.to - 1].handle(out.message)) {
          queue.emplace_back(out.to, std::move(answer));
        }
      }
    }
  }
  /// All ranks end with the same code and a sentence with `words`.
  void expect_refused(ExitCode code, const std::string& words) {
    ASSERT_TRUE(session->refused().has_value());
    EXPECT_EQ(session->refused()->code, code);
    EXPECT_NE(session->refused()->sentence.find(words), std::string::npos) << session->refused()->sentence;
    for (const WorkerNode& node : nodes) {
      ASSERT_TRUE(node.ended().has_value());
      EXPECT_EQ(node.ended()->code, code);
      EXPECT_EQ(node.ended()->sentence, session->refused()->sentence);
    }
  }
};

TEST(Session, GivesMerchantsIdsByTheirNamesAcrossWorkers) {
  Meeting meeting;
  meeting.add_worker({"dora", "anna"});
  meeting.add_worker({"carl", "bernd"});

  meeting.meet();

  ASSERT_TRUE(meeting.session->ready());
  EXPECT_TRUE(meeting.nodes[0].ready());
  EXPECT_EQ(meeting.session->names(), (std::vector<std::string>{"anna", "bernd", "carl", "dora"}));
  EXPECT_EQ(meeting.session->hosts(), (std::vector<Peer>{1, 2, 2, 1}));
}

TEST(Session, RefusesAMerchantAtTwoWorkersNamingBoth) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd"});
  meeting.add_worker({"carl", "anna"});

  meeting.meet();

  meeting.expect_refused(ExitCode::bad_input, "merchant anna is at rank 1 and at rank 2");
}

TEST(Session, RefusesMoreWorkersThanMerchants) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"});
  meeting.add_worker({});

  meeting.meet();

  meeting.expect_refused(ExitCode::bad_input, "more workers than merchants");
}

TEST(Session, RefusesMasksForFewerThanThreeMerchants) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd"});

  meeting.meet();

  meeting.expect_refused(ExitCode::bad_input, "at least 3");
}

TEST(Session, CarriesAWorkersOwnFaultToAllRanks) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"});
  meeting.add_failing_worker("sales.csv:17: column price: expected a number, got 'n/a'");

  meeting.meet();

  meeting.expect_refused(ExitCode::bad_input, "sales.csv:17");
}

TEST(Session, NamesTheWorkersThatDoNotCome) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"});
  meeting.meet();
  meeting.options.workers = 3;
  CoordinatorSession session(meeting.options, meeting.identity, meeting.random);

  (void)session.deadline_passed();

  ASSERT_TRUE(session.refused().has_value());
  EXPECT_EQ(session.refused()->code, ExitCode::could_not_finish);
  EXPECT_NE(session.refused()->sentence.find("rank 1, rank 2, rank 3"), std::string::npos);
}

TEST(Session, RefusesAnIdentityThatIsNotThePinnedOne) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"});
  for (const char* name : {"anna", "bernd", "carl"}) {
    meeting.options.identities[name] = SigningKey::generate(meeting.random).public_key();
  }

  meeting.meet();

  meeting.expect_refused(ExitCode::refused, "merchant anna: its identity is not the one");
}

TEST(Session, AWorkerRefusesMerchantsThatItDoesNotKnow) {
  Meeting meeting;
  WorkerOptions careful;
  careful.identities["somebody else"] = meeting.identity.public_key();
  meeting.add_worker({"anna"}, careful);
  meeting.add_worker({"bernd", "carl"});

  meeting.meet();

  meeting.expect_refused(ExitCode::refused, "merchant bernd: it is not in the roster of identities");
}

TEST(Session, AWorkerRefusesARosterBelowItsOwnMinimum) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"}, {.merchants_min = 4});

  meeting.meet();

  meeting.expect_refused(ExitCode::refused, "own minimum is 4");
}

TEST(Session, AWorkerRefusesSumsWithoutMasksUnlessItAllowsThem) {
  Meeting meeting;
  meeting.options.encryption = Encryption::none;
  meeting.add_worker({"anna"});

  meeting.meet();

  meeting.expect_refused(ExitCode::refused, "encryption=none");
}

TEST(Session, IgnoresGarbageAndStrangersAndNotesThem) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"});
  meeting.options.workers = 1;
  CoordinatorSession session(meeting.options, meeting.identity, meeting.random);

  EXPECT_TRUE(session.handle(7, bytes_of("let me in")).empty());
  EXPECT_TRUE(session.handle(1, bytes_of("let me in")).empty());

  EXPECT_EQ(session.refusals().size(), 2u);
  EXPECT_FALSE(session.refused().has_value());
}

TEST(Session, AnAlteredBoxIsRefusedAndTheSessionDoesNotComeAboutOnIt) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"});
  int boxes = 0;

  meeting.meet([&](Peer to, Bytes& message) {
    if (to == 0 && ++boxes == 2) {  // The HELLO.
      message.back() ^= std::byte{1};
    }
  });

  EXPECT_FALSE(meeting.session->ready());
  EXPECT_EQ(meeting.session->refusals().size(), 1u);
}

TEST(Session, WhoComesLateToARefusedSessionLearnsWhy) {
  Meeting meeting;
  meeting.add_worker({"anna"});
  meeting.options.workers = 1;
  CoordinatorSession session(meeting.options, meeting.identity, meeting.random);
  (void)session.deadline_passed();

  for (const Outgoing& out : session.handle(1, meeting.nodes[0].hail())) {
    (void)meeting.nodes[0].handle(out.message);
  }

  ASSERT_TRUE(meeting.nodes[0].ended().has_value());
  EXPECT_EQ(meeting.nodes[0].ended()->code, ExitCode::could_not_finish);
}

// --- attacks on the set-up: a coordinator that the test plays, with colluding merchants of its own ---

/// A merchant that the test plays.
struct Colluder {
  SigningKey identity;
  X25519Key key;
  Secret<32> seed;
  MerchantHello hello;
};

/// A coordinator that has a link to one honest worker with merchant "mia" and makes up the rest as it likes.
struct CrookedCoordinator {
  DeterministicSecureRandom random{7};
  SigningKey identity = SigningKey::generate(random);
  SessionParameters parameters{.graph = {}, .plan = {}, .nonce = {std::byte{9}}};
  WorkerNode node;
  std::optional<Link> link;
  MerchantHello mia;
  std::vector<Colluder> colluders;

  explicit CrookedCoordinator(WorkerOptions options = {}) : node(make_node(options)) {
    auto answer = answer_link(node.hail(), 1, identity, random);
    (void)node.handle(answer->message);
    link.emplace(std::move(answer->link));
  }
  WorkerNode make_node(const WorkerOptions& options) {
    std::vector<HostedMerchant> merchants;
    merchants.push_back({"mia", SigningKey::generate(random)});
    return {options, std::move(merchants), Meeting::hooks(), random};
  }
  /// Tells the worker, and gives its answers.
  template <class Message>
  std::vector<Bytes> tell(const Message& message) {
    std::vector<Bytes> opened;
    for (const Bytes& box : node.handle(link->seal(encode(message)))) {
      opened.push_back(*link->open(box));
    }
    return opened;
  }
  void greet() {
    const std::vector<Bytes> hello = tell(parameters);
    mia = decode<Hello>(*open_envelope(hello.at(0)))->merchants.at(0);
  }
  void sign(Colluder& colluder) {
    colluder.hello.signature = colluder.identity.sign(colluder.hello.signed_bytes(parameters.digest()));
  }
  /// Names sort behind "mia".
  void add_colluder(const std::string& name) {
    Colluder one{.identity = SigningKey::generate(random),
                 .key = X25519Key::generate(random),
                 .seed = {},
                 .hello = {}};
    random.fill(one.seed.expose_for_writing());
    one.hello = {.name = name,
                 .identity = one.identity.public_key(),
                 .key = one.key.public_key(),
                 .graph_commitment = commit_to_seed(one.identity.public_key(), one.seed)};
    sign(one);
    colluders.push_back(std::move(one));
  }
  void add_colluders(int count) {
    for (int i = 0; i < count; ++i) {
      add_colluder(std::string("n") + std::to_string(1000 + i));
    }
  }
  RosterMessage roster() const {
    RosterMessage message{{mia}};
    for (const Colluder& one : colluders) {
      message.merchants.push_back(one.hello);
    }
    return message;
  }
  /// The seeds of all, once the worker opened that of "mia".
  std::vector<Bytes32> openings(const std::vector<Bytes>& answer) const {
    std::vector<Bytes32> seeds = decode<Seeds>(*open_envelope(answer.at(0)))->seeds;
    for (const Colluder& one : colluders) {
      std::ranges::copy(one.seed.expose(), seeds.emplace_back().begin());
    }
    return seeds;
  }
};

MessageType type_of(const Bytes& message) {
  return open_envelope(message)->type;
}

/// The worker's answer is a refusal with `words` and nothing else.
void expect_refusal(const std::vector<Bytes>& answers, const std::string& words) {
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(type_of(answers[0]), MessageType::fail);
  const auto fail = decode<Fail>(*open_envelope(answers[0]));
  EXPECT_EQ(fail->exit_code, static_cast<std::uint8_t>(ExitCode::refused));
  EXPECT_NE(fail->sentence.find(words), std::string::npos) << fail->sentence;
}

TEST(SetUpAttack, NothingWrongIsAccepted) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(3);

  const std::vector<Bytes> answers = crook.tell(crook.roster());

  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(type_of(answers[0]), MessageType::confirm);
}

// Row "man in the middle": every bit that a merchant signs counts, of each field at both ends.
TEST(SetUpAttack, ABitFlippedInAnySignedFieldOfAnotherMerchantIsRefused) {
  const std::vector<std::pair<std::string, std::function<void(MerchantHello&, int)>>> fields = {
      {"name",
       [](MerchantHello& hello, int bit) { hello.name.back() ^= static_cast<char>(bit == 1 ? 4 : 1); }},
      {"identity",
       [](MerchantHello& hello, int bit) { hello.identity[bit ? 31 : 0] ^= std::byte(1 << bit); }},
      {"key", [](MerchantHello& hello, int bit) { hello.key[bit ? 31 : 0] ^= std::byte(1 << bit); }},
      {"nonce", [](MerchantHello& hello, int bit) { hello.nonce[bit ? 31 : 0] ^= std::byte(1 << bit); }},
      {"commitment",
       [](MerchantHello& hello, int bit) { hello.graph_commitment[bit ? 31 : 0] ^= std::byte(1 << bit); }},
      {"signature",
       [](MerchantHello& hello, int bit) { hello.signature[bit ? 63 : 0] ^= std::byte(1 << bit); }},
  };
  for (const auto& [field, flip] : fields) {
    for (const int bit : {0, 1, 6}) {
      CrookedCoordinator crook;
      crook.greet();
      crook.add_colluders(3);
      RosterMessage roster = crook.roster();
      flip(roster.merchants[3], bit);

      SCOPED_TRACE(field);
      expect_refusal(crook.tell(roster), "its signature does not hold");
    }
  }
}

TEST(SetUpAttack, AnyChangeOfTheWorkersOwnEntryIsRefused) {
  const std::vector<std::function<void(MerchantHello&)>> changes = {
      [](MerchantHello& hello) { hello.identity[0] ^= std::byte{1}; },
      [](MerchantHello& hello) { hello.key[0] ^= std::byte{1}; },
      [](MerchantHello& hello) { hello.nonce[0] ^= std::byte{1}; },
      [](MerchantHello& hello) { hello.graph_commitment[0] ^= std::byte{1}; },
      [](MerchantHello& hello) { hello.signature[0] ^= std::byte{1}; }};
  for (const auto& change : changes) {
    CrookedCoordinator crook;
    crook.greet();
    crook.add_colluders(3);
    RosterMessage roster = crook.roster();
    change(roster.merchants[0]);

    expect_refusal(crook.tell(roster), "merchant mia: its entry in the roster is not the one it sent");
  }
}

TEST(SetUpAttack, ARosterWithoutTheWorkersOwnMerchantIsRefused) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(4);
  RosterMessage roster = crook.roster();
  roster.merchants.erase(roster.merchants.begin());

  expect_refusal(crook.tell(roster), "lacks merchants of this worker");
}

TEST(SetUpAttack, KeysSwappedBetweenTwoMerchantsAreRefused) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(3);
  RosterMessage roster = crook.roster();
  std::swap(roster.merchants[1].key, roster.merchants[2].key);

  expect_refusal(crook.tell(roster), "merchant n1000: its signature does not hold");
}

// A Sybil attack: one party in the place of two.
TEST(SetUpAttack, TwoMerchantsOfOneIdentityAreRefused) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(2);
  crook.add_colluder("n2000");
  Colluder& twin = crook.colluders.back();
  twin.identity = SigningKey::from_seed(crook.colluders[0].identity.seed().duplicate());
  twin.hello.identity = twin.identity.public_key();
  crook.sign(twin);

  expect_refusal(crook.tell(crook.roster()), "merchant n2000 has the key of another merchant");
}

TEST(SetUpAttack, TwoMerchantsOfOneKeyAreRefused) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(3);
  crook.colluders[2].hello.key = crook.colluders[0].hello.key;
  crook.sign(crook.colluders[2]);

  expect_refusal(crook.tell(crook.roster()), "merchant n1002 has the key of another merchant");
}

TEST(SetUpAttack, TheWorkersOwnKeyEchoedAsAnothersIsRefused) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(3);
  crook.colluders[1].hello.key = crook.mia.key;
  crook.sign(crook.colluders[1]);

  expect_refusal(crook.tell(crook.roster()), "merchant n1001 has the key of another merchant");
}

TEST(SetUpAttack, AMerchantTwiceOrOutOfOrderIsRefused) {
  CrookedCoordinator twice;
  twice.greet();
  twice.add_colluders(3);
  RosterMessage doubled = twice.roster();
  doubled.merchants.push_back(doubled.merchants.back());
  CrookedCoordinator turned;
  turned.greet();
  turned.add_colluders(3);
  RosterMessage swapped = turned.roster();
  std::swap(swapped.merchants[1], swapped.merchants[2]);

  expect_refusal(twice.tell(doubled), "out of order or twice");
  expect_refusal(turned.tell(swapped), "out of order or twice");
}

TEST(SetUpAttack, AnIdentityThatIsNotPinnedIsRefused) {
  WorkerOptions careful;
  CrookedCoordinator unknown([&] {
    DeterministicSecureRandom random{1};
    careful.identities["n1000"] = SigningKey::generate(random).public_key();
    return careful;
  }());
  unknown.greet();
  unknown.add_colluders(3);

  expect_refusal(unknown.tell(unknown.roster()),
                 "merchant n1000: its identity is not the one in the roster of identities");
}

// Row "invalid keys": with any of these the common secret would be zero whoever has the other key.
TEST(SetUpAttack, X25519KeysOfLowOrderAreRefused) {
  for (const char* const point : kLowOrderPoints) {
    CrookedCoordinator crook;
    crook.greet();
    crook.add_colluders(3);
    crook.colluders[1].hello.key = *digest_from_hex(point);
    crook.sign(crook.colluders[1]);

    expect_refusal(crook.tell(crook.roster()), "merchant n1001: an X25519 key is of low order");
  }
}

// Row "replay": what was signed in one session holds in no other.
TEST(SetUpAttack, AHelloOfAnotherSessionIsRefused) {
  CrookedCoordinator before;
  before.greet();
  before.add_colluders(3);
  CrookedCoordinator crook;
  crook.parameters.nonce = {std::byte{10}};
  crook.greet();
  crook.add_colluders(3);
  RosterMessage roster = crook.roster();
  roster.merchants[2] = before.colluders[1].hello;

  expect_refusal(crook.tell(roster), "merchant n1001: its signature does not hold");
}

TEST(SetUpAttack, AHelloForOtherParametersIsNotedByTheCoordinator) {
  Meeting meeting;
  meeting.add_worker({"anna"}, {}, [](Bytes& message) {
    if (type_of(message) == MessageType::hello) {
      message[kHeaderSize] ^= std::byte{1};  // The digest of the parameters comes first.
    }
    return true;
  });
  meeting.add_worker({"bernd", "carl"});

  meeting.meet();

  EXPECT_FALSE(meeting.session->ready());
  EXPECT_NE(meeting.session->refusals().at(0).find("a HELLO for another session"), std::string::npos);
}

TEST(SetUpAttack, ASecondHelloOfOneWorkerIsNoted) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd", "carl"});
  meeting.options.workers = 2;
  CoordinatorSession session(meeting.options, meeting.identity, meeting.random);
  LinkRequest request(1, meeting.random);
  const std::vector<Outgoing> greeting = session.handle(1, request.message());
  auto link = request.finish(greeting.at(0).message, std::nullopt);
  const auto parameters = decode<SessionParameters>(*open_envelope(*link->open(greeting.at(1).message)));
  MerchantHello merchant{.name = "anna"};
  const Hello hello{parameters->digest(), {merchant}};

  (void)session.handle(1, link->seal(encode(hello)));
  (void)session.handle(1, link->seal(encode(hello)));

  EXPECT_NE(session.refusals().at(0).find("a second HELLO"), std::string::npos);
}

TEST(SetUpAttack, ACoordinatorThatTellsAnotherGraphIsRefused) {
  const std::vector<std::function<void(GraphWishes&)>> lies = {
      [](GraphWishes& graph) { graph.neighbours = 2; }, [](GraphWishes& graph) { graph.threshold = 2; },
      [](GraphWishes& graph) { graph.corrupt = 0; },    [](GraphWishes& graph) { graph.dropouts = 0; },
      [](GraphWishes& graph) { graph.cohort = 0.5; },   [](GraphWishes& graph) { graph.corrupt = NAN; }};
  for (const auto& lie : lies) {
    CrookedCoordinator crook;
    lie(crook.parameters.graph);

    expect_refusal(crook.tell(crook.parameters), "was told another aggregation.threshold");
  }
}

// Row "retry until the session suits": the first refusal is the last word of a worker.
TEST(SetUpAttack, AWorkerJoinsOneSessionHoweverOftenItIsAsked) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(3);
  RosterMessage bad = crook.roster();
  bad.merchants[1].nonce[0] ^= std::byte{1};
  ASSERT_EQ(crook.tell(bad).size(), 1u);

  EXPECT_TRUE(crook.tell(crook.roster()).empty());
  EXPECT_TRUE(crook.tell(crook.parameters).empty());

  EXPECT_EQ(crook.node.refusals().size(), 2u);
  EXPECT_FALSE(crook.node.ready());
}

TEST(SetUpAttack, ASecondRosterIsRefused) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(3);
  ASSERT_EQ(crook.tell(crook.roster()).size(), 1u);
  crook.add_colluder("zora");

  EXPECT_TRUE(crook.tell(crook.roster()).empty());

  EXPECT_NE(crook.node.refusals().at(0).find("ROSTER where none is waited for"), std::string::npos);
}

// --- CONFIRM and READY ---

/// The codes that the colluders owe to "mia", made with their own keys.
Ready codes_for_mia(const CrookedCoordinator& crook) {
  const RosterMessage roster = crook.roster();
  const auto session =
      verify_roster(roster.merchants, {.parameters = crook.parameters, .identities = {}, .own = {}});
  Ready ready;
  for (std::uint32_t id = 1; id < roster.merchants.size(); ++id) {
    const auto pair = PairKeys::derive(crook.colluders[id - 1].key, crook.mia.key, session->id, id, 0);
    ready.codes.push_back({id, 0, confirm_code(*pair, id, session->id)});
  }
  return ready;
}

TEST(SetUpAttack, AWorkerIsReadyWithTheCodeOfEachNeighbourOnly) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(4);
  ASSERT_EQ(type_of(crook.tell(crook.roster()).at(0)), MessageType::confirm);

  EXPECT_TRUE(crook.tell(codes_for_mia(crook)).empty());

  EXPECT_TRUE(crook.node.ready());
}

TEST(SetUpAttack, ACodeMissingDoubledSwappedAlteredOrOfAnotherSessionIsRefused) {
  const std::vector<std::function<void(Ready&)>> changes = {
      [](Ready& ready) { ready.codes.pop_back(); },
      [](Ready& ready) { ready.codes.back() = ready.codes.front(); },
      [](Ready& ready) { std::swap(ready.codes[0].code, ready.codes[1].code); },
      [](Ready& ready) { ready.codes[2].code[15] ^= std::byte{1}; },
      [](Ready& ready) { std::swap(ready.codes[3].sender, ready.codes[3].receiver); },
      [](Ready& ready) { ready.codes[3].receiver = 77; },
      [](Ready& ready) {
        CrookedCoordinator other;
        other.parameters.nonce = {std::byte{10}};
        other.greet();
        other.add_colluders(4);
        ready.codes[1] = codes_for_mia(other).codes[1];
      }};
  for (const auto& change : changes) {
    CrookedCoordinator crook;
    crook.greet();
    crook.add_colluders(4);
    (void)crook.tell(crook.roster());
    Ready ready = codes_for_mia(crook);
    change(ready);

    expect_refusal(crook.tell(ready), "neighbours do not confirm the same roster");
  }
}

TEST(SetUpAttack, CodesForAMerchantThatTheWorkerDoesNotHostAreRefused) {
  Meeting meeting;
  meeting.add_worker({"anna", "bernd"}, {}, [](Bytes& message) {
    if (type_of(message) == MessageType::confirm) {
      auto confirm = *decode<Confirm>(*open_envelope(message));
      confirm.codes[0].sender = 2;
      message = encode(confirm);
    }
    return true;
  });
  meeting.add_worker({"carl"});

  meeting.meet();

  meeting.expect_refused(ExitCode::refused, "confirms for a merchant that it does not host");
}

// --- the graph that nobody chooses ---

std::vector<std::string> many(int first, int last) {
  std::vector<std::string> names;
  for (int i = first; i < last; ++i) {
    names.push_back(std::string("m") + std::to_string(1000 + i));
  }
  return names;
}

TEST(GraphAttack, ARingOfManyIsDrawnFromTheSeedsOfAll) {
  Meeting meeting;
  std::set<MessageType> sent;
  const auto see = [&](Bytes& message) { return sent.insert(type_of(message)), true; };
  meeting.add_worker(many(0, 60), {}, see);
  meeting.add_worker(many(60, 130), {}, see);

  meeting.meet();

  ASSERT_TRUE(meeting.session->ready());
  EXPECT_TRUE(meeting.nodes[0].ready());
  EXPECT_TRUE(meeting.nodes[1].ready());
  EXPECT_TRUE(sent.contains(MessageType::seeds));
  for (const auto& list : meeting.session->neighbours()) {
    EXPECT_EQ(list.size(), 26u);
  }
}

TEST(GraphAttack, ACompleteGraphNeedsNoSeeds) {
  Meeting meeting;
  std::set<MessageType> sent;
  meeting.add_worker(many(0, 128), {}, [&](Bytes& message) { return sent.insert(type_of(message)), true; });

  meeting.meet();

  EXPECT_TRUE(meeting.session->ready());
  EXPECT_FALSE(sent.contains(MessageType::seeds));
}

// Nobody sees a seed before all commitments are fixed.
TEST(GraphAttack, AWorkerOpensItsSeedsOnlyToARosterThatHolds) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(129);
  RosterMessage altered = crook.roster();
  altered.merchants[80].graph_commitment[0] ^= std::byte{1};

  EXPECT_TRUE(crook.tell(GraphMessage{}).empty()) << "GRAPH before ROSTER";
  expect_refusal(crook.tell(altered), "merchant n1079: its signature does not hold");
  EXPECT_TRUE(crook.tell(crook.roster()).empty()) << "and it gets no second chance";
}

TEST(GraphAttack, OpeningsThatAreMissingAlteredSwappedOrDoubledAreRefused) {
  const std::vector<std::function<void(std::vector<Bytes32>&)>> changes = {
      [](auto& seeds) { seeds[50][31] ^= std::byte{128}; },  // Another opening of a colluder.
      [](auto& seeds) { seeds[0][0] ^= std::byte{1}; },      // The worker's own.
      [](auto& seeds) { std::swap(seeds[10], seeds[11]); },
      [](auto& seeds) { seeds[12] = seeds[13]; },
      [](auto& seeds) { seeds.pop_back(); },
      [](auto& seeds) { seeds.push_back(seeds.back()); },
      [](auto& seeds) { seeds.clear(); }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CrookedCoordinator crook;
    crook.greet();
    crook.add_colluders(129);
    std::vector<Bytes32> seeds = crook.openings(crook.tell(crook.roster()));
    changes[i](seeds);

    SCOPED_TRACE(i);
    expect_refusal(crook.tell(GraphMessage{seeds}),
                   i < 4 ? "not the one it committed to" : "graph seeds are opened for");
  }
}

TEST(GraphAttack, ASecondGraphIsRefused) {
  CrookedCoordinator crook;
  crook.greet();
  crook.add_colluders(129);
  const GraphMessage graph{crook.openings(crook.tell(crook.roster()))};
  ASSERT_EQ(type_of(crook.tell(graph).at(0)), MessageType::confirm);

  EXPECT_TRUE(crook.tell(graph).empty());

  EXPECT_NE(crook.node.refusals().at(0).find("GRAPH where none is waited for"), std::string::npos);
}

// The coordinator has everything but the worker's seed, and tries 50 rosters on 50 workers with the same keys:
// whatever colluders it wishes beside its victim come there by chance alone. 129 colluders, 24 neighbours: each
// of 10 chosen ones is beside the victim with 24 / 129, 93 in all expected, standard deviation 8.7.
TEST(GraphAttack, WhoIsBesideAVictimIsNotTheCoordinatorsChoice) {
  int beside = 0;
  for (int i = 0; i < 50; ++i) {
    VerifiedSession session{
        .id = {}, .graph = {.neighbours = 24, .threshold = {}}, .neighbours = {}, .needs_seeds = true};
    std::vector<MerchantHello> roster(130);
    std::vector<Bytes32> seeds(130);
    seeds[0][0] = static_cast<std::byte>(i);
    for (std::size_t id = 0; id < roster.size(); ++id) {
      Secret<32> seed;
      std::ranges::copy(seeds[id], seed.expose_for_writing().begin());
      roster[id].graph_commitment = commit_to_seed(roster[id].identity, seed);
    }
    const auto drawn = draw_graph(session, roster, seeds);
    ASSERT_TRUE(drawn.ok()) << drawn.what();
    beside += static_cast<int>(std::ranges::count_if(drawn->neighbours[0], [](auto id) { return id <= 10; }));
  }

  EXPECT_NEAR(beside, 93, 45);
}

/// Two workers of 65 merchants each; the second one's SEEDS as `change` leaves them.
void expect_seeds_refused(const std::function<void(Seeds&)>& change, const std::string& words) {
  Meeting meeting;
  meeting.add_worker(many(0, 65));
  meeting.add_worker(many(65, 130), {}, [&](Bytes& message) {
    if (type_of(message) == MessageType::seeds) {
      Seeds seeds = *decode<Seeds>(*open_envelope(message));
      change(seeds);
      message = encode(seeds);
    }
    return true;
  });

  meeting.meet();

  meeting.expect_refused(ExitCode::refused, words);
}

TEST(GraphAttack, AWorkerThatDoesNotOpenItsCommitmentsIsNamed) {
  expect_seeds_refused([](Seeds& seeds) { seeds.seeds[3][0] ^= std::byte{1}; },
                       "rank 2: merchant m1068 does not open the graph seed that it committed to");
  expect_seeds_refused([](Seeds& seeds) { std::swap(seeds.seeds[0], seeds.seeds[1]); }, "merchant m1065");
  expect_seeds_refused([](Seeds& seeds) { seeds.seeds.pop_back(); }, "merchant m1129");
  expect_seeds_refused([](Seeds& seeds) { seeds.seeds.push_back({}); },
                       "rank 2 opens graph seeds of merchants that it does not host");
}

// Whoever opens last can only let the set-up fail, for all and by name.
TEST(GraphAttack, AWorkerThatKeepsItsSeedsBackEndsTheSessionByName) {
  Meeting meeting;
  meeting.add_worker(many(0, 65));
  meeting.add_worker(many(65, 130), {},
                     [](Bytes& message) { return type_of(message) != MessageType::seeds; });
  meeting.meet();
  ASSERT_FALSE(meeting.session->ready());

  const std::vector<Outgoing> last = meeting.session->deadline_passed();

  ASSERT_TRUE(meeting.session->refused().has_value());
  EXPECT_TRUE(meeting.session->refused()->sentence.starts_with("rank 2 did not join"));
  for (const Outgoing& out : last) {
    (void)meeting.nodes[out.to - 1].handle(out.message);
    EXPECT_TRUE(meeting.nodes[out.to - 1].ended().has_value());
  }
}

TEST(GraphAttack, SeedsThatComeLateAreNotedAndChangeNothing) {
  Meeting meeting;
  Bytes seeds;
  meeting.add_worker(many(0, 130), {}, [&](Bytes& message) {
    seeds = type_of(message) == MessageType::seeds ? message : seeds;
    message = type_of(message) == MessageType::confirm ? seeds : message;
    return true;
  });

  meeting.meet();

  EXPECT_FALSE(meeting.session->ready());
  EXPECT_NE(meeting.session->refusals().at(0).find("SEEDS where none is waited for"), std::string::npos);
}

TEST(GraphAttack, WishesBelowTheAssumptionsEndTheSessionWithTheNearestThatHold) {
  Meeting meeting;
  meeting.options.graph.neighbours = 12;
  meeting.add_worker(many(0, 130), {.graph = {.neighbours = 12}});

  meeting.meet();

  meeting.expect_refused(ExitCode::bad_input, "aggregation.neighbours=12 is too few for 130 merchants");
  meeting.expect_refused(ExitCode::bad_input, "the nearest that holds is aggregation.neighbours=");
}

// The same from a coordinator that looks away.
TEST(GraphAttack, AWorkerRefusesAGraphBelowItsAssumptionsItself) {
  CrookedCoordinator crook({.graph = {.neighbours = 12}});
  crook.parameters.graph.neighbours = 12;
  crook.greet();
  crook.add_colluders(129);

  expect_refusal(crook.tell(crook.roster()), "aggregation.neighbours=12 is too few for 130 merchants");
}

}  // namespace
}  // namespace hanse
