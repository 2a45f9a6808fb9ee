#include "coordinator/coordinator_session.h"

#include "tests/support/deterministic_random.h"
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
  void add_worker(const std::vector<std::string>& names, WorkerOptions worker_options = {}) {
    std::vector<HostedMerchant> merchants;
    for (const std::string& name : names) {
      merchants.push_back({name, SigningKey::generate(random)});
    }
    worker_options.rank = static_cast<std::uint32_t>(nodes.size() + 1);
    nodes.emplace_back(worker_options, std::move(merchants), hooks(), random);
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

}  // namespace
}  // namespace hanse
