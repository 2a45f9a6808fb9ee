// What a worker insists on, whatever a coordinator signs: sums are those of its own configuration, and new.

#include "worker/local_work.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <functional>
#include <set>

#include "common/base/durable_file.h"
#include "common/data/feature_space.h"
#include "common/data/read_dataset.h"
#include "privacy/ledger/ledger_writer.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/secure_sum/masks.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/ledger_fixture.h"
#include "worker/run_identities.h"

namespace hanse {
namespace {

/// A worker with three merchants of two rows each, and a coordinator that announces what a test tells it to.
class LocalWorkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_.path() / "rows.csv") << "shop,x,bought\n"
                                                  "a,0.1,0\na,0.9,1\nb,0.2,0\nb,0.8,1\nc,0.3,1\nc,0.5,0\n";
    configuration_.data.path = (folder_.path() / "rows.csv").string();
    configuration_.data.merchant = "shop";
    configuration_.data.label = "bought";
    configuration_.data.numeric = {"x[0..1]"};
    configuration_.federation.rounds = 2;
    configuration_.privacy.unit = Unit::record;
    configuration_.privacy.epsilon = 4;
    configuration_.privacy.delta = 1e-5;
    configuration_.output.dir = (folder_.path() / "worker").string();
    space_ = feature_space(configuration_);
    plan_.emplace(configuration_, space_, RowKind::record, 3);
    task_.emplace(configuration_, space_, RowKind::record, 3, plan_->noise_multiplier(Purpose::statistics),
                  plan_->noise_multiplier(Purpose::update));
    preparation_ = task_->preparation().initial_model(configuration_.federation.seed);
  }

  void start_worker() {
    const Dataset data = read_dataset(configuration_, 1, 1);
    work_.emplace(configuration_, data, hosted(), std::nullopt, random_);
    hooks_ = work_->hooks();
    hooks_.session_ready({.names = {"a", "b", "c"}, .hosted = {0, 1, 2}, .session_id = {}});
  }
  std::vector<LedgerMerchant> hosted() const {
    std::vector<LedgerMerchant> merchants;
    for (const char* name : {"a", "b", "c"}) {
      merchants.push_back({name, LedgerFixture::key(static_cast<std::byte>(name[0])).public_key()});
    }
    return merchants;
  }

  Plan honest_plan() const {
    Plan plan;
    plan_->describe(plan);
    plan.run_id = "00112233445566778899aabbccddeeff";
    plan.merchants = hosted();
    plan.software = "test";
    return plan;
  }
  void write_ledger(Plan plan) {
    ledger_.emplace(
        LedgerWriter::create(folder_.path() / "ledger.jsonl", LedgerFixture::key(std::byte{1}), plan));
    write_head({"a", "b", "c"});
  }
  /// The head over all lines so far, signed by these merchants.
  void write_head(const std::vector<const char*>& names) {
    std::vector<Cosignature> signatures;
    for (const char* name : names) {
      signatures.push_back(
          {static_cast<std::uint32_t>(name[0] - 'a'),
           LedgerFixture::key(static_cast<std::byte>(name[0])).sign(ledger_->state().to_cosign())});
    }
    ledger_->write_head(signatures, 0);
  }
  SumParameters honest_parameters() const { return plan_->parameters(task_->preparation(), first_sum()); }
  PrivateSum first_sum() const {
    return *task_->preparation().next_sum(task_->preparation().initial_model(1));
  }
  /// Announces the first sum in the ledger, with these parameters.
  void announce(std::uint64_t round, const SumParameters& parameters) {
    write_intent(round, parameters);
    write_head({"a", "b", "c"});
  }
  void write_intent(std::uint64_t round, const SumParameters& parameters) {
    ledger_->write(Intent{.round = round,
                          .name = first_sum().name,
                          .purpose = Purpose::statistics,
                          .population = Population::train,
                          .parameters = parameters,
                          .sampling_rate = 1,
                          .model = digest_of(preparation_, model_),
                          .invited = {0, 1, 2},
                          .unix_time = 0});
  }
  std::vector<std::string> lines() const { return ledger_->lines_from(0); }
  std::vector<std::string> lines_but_the_last() const {
    std::vector<std::string> lines = ledger_->lines_from(0);
    lines.pop_back();
    return lines;
  }
  Result<SumParameters> start(std::uint64_t round, const SumParameters& parameters) {
    const Bytes payload = encode(
        RoundPayload{.ledger_lines = ledger_->lines_from(0), .preparation = preparation_, .model = model_});
    const std::vector<std::uint32_t> merchants = {0, 1, 2};
    return hooks_.accept_round({.round = round,
                                .parameters = parameters,
                                .payload = payload,
                                .merchants = merchants,
                                .participants = participants_});
  }

  /// Why a worker without a past refuses the first sum under an honest plan that was changed; empty when it does not.
  template <class Change>
  std::string refusal_of_plan(const Change& change) {
    Plan plan = honest_plan();
    change(plan);
    std::filesystem::remove_all(folder_.path() / "worker");
    std::filesystem::remove(folder_.path() / "ledger.jsonl");
    start_worker();
    write_ledger(plan);
    announce(1, honest_parameters());
    const auto accepted = start(1, honest_parameters());
    return accepted.ok() ? "" : accepted.what();
  }

  TemporaryFolder folder_;
  Configuration configuration_;
  FeatureSpace space_;
  std::optional<ReleasePlan> plan_;
  std::optional<Task> task_;
  Model preparation_;
  Model model_;
  DeterministicSecureRandom random_{1};
  std::optional<LocalWork> work_;
  WorkerHooks hooks_;
  std::optional<LedgerWriter> ledger_;
  std::vector<std::uint32_t> participants_ = {0, 1, 2};  ///< Of a round.
};

TEST_F(LocalWorkTest, TakesPartInTheSumThatItsOwnConfigurationAsksFor) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());

  const auto accepted = start(1, honest_parameters());

  ASSERT_TRUE(accepted.ok()) << accepted.what();
  EXPECT_EQ(*accepted, honest_parameters());
  EXPECT_EQ(hooks_.prepare(0, RoundMasks()).wire().size(), SealedSum::wire_size(honest_parameters()));
}

TEST_F(LocalWorkTest, RefusesAPlanThatPromisesLessThanItsOwnConfiguration) {
  const auto refused = [&](auto change) { return refusal_of_plan(change).find("plan") != std::string::npos; };

  EXPECT_TRUE(refused([](Plan& plan) { plan.epsilon = 400; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.epsilon = std::nullopt; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.releases[0].noise_multiplier /= 2; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.releases[1].count *= 10; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.configuration = Digest{}; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.coefficients = {1, 0}; }));
}

/// Asked again without the plan it refused, or restarted, it still signs nothing under it.
TEST_F(LocalWorkTest, SignsNoPlanThatItRefusedBefore) {
  Plan plan = honest_plan();
  plan.epsilon = std::nullopt;
  start_worker();
  write_ledger(plan);
  announce(1, honest_parameters());
  const std::vector<std::string> lines = lines_but_the_last();
  const std::vector<std::uint32_t> merchants = {0, 1, 2};

  EXPECT_FALSE(hooks_.permit(std::span(lines).first(1), merchants).ok());
  EXPECT_FALSE(hooks_.permit({}, merchants).ok());
  EXPECT_FALSE(hooks_.permit(std::span(lines).subspan(1), merchants).ok());
  start_worker();
  EXPECT_FALSE(hooks_.permit({}, merchants).ok());
  EXPECT_FALSE(start(1, honest_parameters()).ok());
}

/// A plan of another configuration, which lies in its folder from an earlier start.
TEST_F(LocalWorkTest, SignsNoPlanOfAnotherConfigurationThatIsOnItsDisk) {
  start_worker();
  write_ledger(honest_plan());
  const std::vector<std::string> lines = ledger_->lines_from(0);
  const std::vector<std::uint32_t> merchants = {0, 1, 2};
  ASSERT_TRUE(hooks_.permit(std::span(lines).first(1), merchants).ok());
  configuration_.privacy.epsilon /= 2;

  start_worker();

  EXPECT_FALSE(hooks_.permit({}, merchants).ok());
}

/// The round that its policy forbids goes on without its merchants, or is aborted; the next one is another matter.
TEST_F(LocalWorkTest, SignsALaterIntentAfterOneThatItsPolicyForbids) {
  const std::vector<std::uint32_t> merchants = {0, 1, 2};
  SumParameters noisier = honest_parameters();
  noisier.share_variance *= 10'000;
  configuration_.policy.max_epsilon = 0.05;
  start_worker();
  write_ledger(honest_plan());
  write_intent(1, honest_parameters());

  const auto forbidden = hooks_.permit(lines(), merchants);
  const auto again = hooks_.permit({}, merchants);
  const auto only_kept = hooks_.permit(lines(), {});
  ledger_->abort_open("a test");
  write_intent(2, noisier);
  const auto later = hooks_.permit(lines(), merchants);

  ASSERT_FALSE(forbidden.ok());
  EXPECT_NE(forbidden.what().find("policy.max_epsilon"), std::string::npos) << forbidden.what();
  EXPECT_FALSE(again.ok()) << "it is kept, and still not permitted";
  EXPECT_TRUE(only_kept.ok()) << only_kept.what();
  EXPECT_TRUE(later.ok()) << later.what();
}

TEST_F(LocalWorkTest, TouchesNoDataForARoundThatItsPolicyForbids) {
  configuration_.policy.max_epsilon = 0.05;
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());  // With a head that its merchants have signed, somehow.

  EXPECT_NE(start(1, honest_parameters()).what().find("policy.max_epsilon"), std::string::npos);
}

/// A file may not grow beyond a limit, as if the disk were full.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t size) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit tight = limit_;
    tight.rlim_cur = size;
    setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*before_)(int);
  rlimit limit_{};
};

TEST_F(LocalWorkTest, SignsNothingThatItsDiskDidNotTake) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  const std::vector<std::string> lines = lines_but_the_last();
  const std::vector<std::uint32_t> merchants = {0, 1, 2};
  const std::filesystem::path file = folder_.path() / "worker" / "merchants" / "a" / "ledger.jsonl";
  ASSERT_TRUE(hooks_.permit(std::span(lines).first(2), {}).ok());
  const std::string before = read_file(file);

  bool taken = true;
  bool asked_again = true;
  {
    const FullDisk full(before.size() + 10);
    taken = hooks_.permit(std::span(lines).subspan(2), merchants).ok();
    asked_again = hooks_.permit({}, merchants).ok();
  }
  const bool without_the_line = hooks_.permit({}, merchants).ok();
  const auto with_room = hooks_.permit(std::span(lines).subspan(2), merchants);

  EXPECT_FALSE(taken);
  EXPECT_FALSE(asked_again);
  EXPECT_FALSE(without_the_line) << "the plan was signed already, and the intent is not there";
  ASSERT_TRUE(with_room.ok()) << with_room.what();
  EXPECT_EQ(read_file(file), before + lines[2] + "\n");
}

TEST_F(LocalWorkTest, RefusesASumWithLessNoiseOrAnotherGridThanItsOwnConfigurationGives) {
  Plan plan = honest_plan();
  const auto refused = [&](auto change) {
    SumParameters parameters = honest_parameters();
    change(parameters);
    std::filesystem::remove_all(folder_.path() / "worker");
    std::filesystem::remove(folder_.path() / "ledger.jsonl");
    start_worker();
    write_ledger(plan);
    announce(1, parameters);
    return !start(1, parameters).ok();
  };

  EXPECT_TRUE(refused([](SumParameters& parameters) { parameters.share_variance *= 2; }));
  EXPECT_TRUE(refused([](SumParameters& parameters) { parameters.units_max = 1; }));
  EXPECT_TRUE(refused([](SumParameters& parameters) { parameters.length += 1; }));
}

TEST_F(LocalWorkTest, AnIntentThatWasAnsweredBuysNoSecondSum) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  ASSERT_TRUE(start(1, honest_parameters()).ok());
  ledger_->abort_open("a test");

  EXPECT_FALSE(start(1, honest_parameters()).ok());
  start_worker();  // The same worker after a restart: its copy of the ledger is still there.
  EXPECT_FALSE(start(1, honest_parameters()).ok());
}

/// A coordinator that lets its workers begin anew instead of answering gets no second vector under the same intent.
TEST_F(LocalWorkTest, AnIntentThatMayHaveBeenAnsweredBuysNoSumAfterARestart) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  ASSERT_TRUE(start(1, honest_parameters()).ok());

  start_worker();
  const auto again = start(1, honest_parameters());

  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.what().find("may have been answered before"), std::string::npos) << again.what();
  ledger_->abort_open("the coordinator gives it up, as it must");
  announce(2, honest_parameters());
  EXPECT_TRUE(start(2, honest_parameters()).ok());
}

TEST_F(LocalWorkTest, TouchesNoDataBeforeItsMerchantsSignedTheIntent) {
  start_worker();
  write_ledger(honest_plan());
  write_intent(1, honest_parameters());
  const std::string unsigned_round = start(1, honest_parameters()).what();

  EXPECT_NE(unsigned_round.find("before its intent was signed"), std::string::npos) << unsigned_round;
}

/// Somebody at another worker takes part who did not permit it.
TEST_F(LocalWorkTest, TouchesNoDataWhenAnyWhoTakesPartDidNotSign) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  participants_ = {0, 1, 2, 3};

  EXPECT_NE(start(1, honest_parameters()).what().find("signed by all who take part"), std::string::npos);
}

TEST_F(LocalWorkTest, SignsTheHeadOfWhatItHasOnItsOwnDisk) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  const std::vector<std::string> lines = lines_but_the_last();
  const std::vector<std::uint32_t> merchants = {0, 2};

  const auto head = hooks_.permit(lines, merchants);
  const auto again = hooks_.permit({}, merchants);

  ASSERT_TRUE(head.ok()) << head.what();
  ASSERT_TRUE(again.ok()) << again.what();
  EXPECT_EQ(head->size, lines.size());
  EXPECT_EQ(head->text, again->text);
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  EXPECT_EQ(read_file(folder_.path() / "worker" / "merchants" / "a" / "ledger.jsonl"), text);
}

TEST_F(LocalWorkTest, SignsNothingTwiceUnderAnotherLedger) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  std::vector<std::string> lines = lines_but_the_last();
  const std::vector<std::uint32_t> merchants = {0, 1, 2};
  ASSERT_TRUE(hooks_.permit(lines, merchants).ok());
  Intent other = *ledger_->state().open_intent();
  other.round = 7;
  lines.back() = LedgerFixture::line(other, 2, sha256(bytes_of(lines[1])), LedgerFixture::key(std::byte{1}));

  const auto forked = hooks_.permit(lines, merchants);

  ASSERT_FALSE(forked.ok());
  EXPECT_NE(forked.what().find("the ledger forks"), std::string::npos) << forked.what();
}

TEST_F(LocalWorkTest, SignsNoIntentThatItsOwnPolicyForbids) {
  configuration_.policy.max_epsilon = 0.01;
  configuration_.policy.delta = 1e-5;
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  const std::vector<std::string> lines = lines_but_the_last();
  const std::vector<std::uint32_t> merchants = {0, 1, 2};

  const auto refused = hooks_.permit(lines, merchants);

  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.what().find("policy.max_epsilon"), std::string::npos) << refused.what();
}

TEST_F(LocalWorkTest, RefusesAnotherModelThanTheIntentNames) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  preparation_.parameters[0] += 1;

  EXPECT_FALSE(start(1, honest_parameters()).ok());
}

/// A coordinator that announces one release and goes on with another model. What is not noticed: a release that is a lie
/// from the beginning, as long as the coordinator keeps to it; no merchant can compute the sum of all.
TEST_F(LocalWorkTest, RefusesToGoOnWithAModelThatNoReleaseMade) {
  start_worker();
  write_ledger(honest_plan());
  announce(1, honest_parameters());
  ASSERT_TRUE(start(1, honest_parameters()).ok());
  const Digest announced = sha256(bytes_of("the model that the release is said to have made"));
  const std::string release = ledger_->write(Release{.round = 1,
                                                     .status = Release::Status::released,
                                                     .merchants = {0, 1, 2},
                                                     .opened = sha256(bytes_of("opened")),
                                                     .model = announced,
                                                     .reason = ""});
  hooks_.round_ended(bytes_of(release), true);
  preparation_.parameters[0] += 1;  // What it trains on with.
  const auto next = [&](const Digest& model) {
    return Intent{.round = 2,
                  .name = "moments",
                  .purpose = Purpose::update,
                  .population = Population::train,
                  .parameters = honest_parameters(),
                  .sampling_rate = 1,
                  .model = model,
                  .invited = {0, 1, 2},
                  .unix_time = 0};
  };
  const auto refusal_of = [&](const Intent& intent) {
    LedgerState state = ledger_->state();
    std::vector<std::string> lines = ledger_->lines_from(0);
    const auto add = [&](const Payload& payload) {  // Its own writer would not.
      lines.push_back(
          LedgerFixture::line(payload, state.next_seq(), state.tip(), LedgerFixture::key(std::byte{1})));
      return state.accept(lines.back(), Signatures::trust).ok();
    };
    if (add(intent)) {
      Head head{.size = state.tree().size(), .root = state.tree().root(), .cosignatures = {}, .unix_time = 0};
      for (std::uint32_t id = 0; id < 3; ++id) {
        head.cosignatures.push_back(
            {id, LedgerFixture::key(static_cast<std::byte>('a' + id)).sign(state.to_cosign())});
      }
      add(head);
    }
    const Bytes payload =
        encode(RoundPayload{.ledger_lines = std::move(lines), .preparation = preparation_, .model = {}});
    const std::vector<std::uint32_t> merchants = {0, 1, 2};
    const auto accepted = hooks_.accept_round({.round = 2,
                                               .parameters = honest_parameters(),
                                               .payload = payload,
                                               .merchants = merchants,
                                               .participants = merchants});
    return accepted.ok() ? "none" : accepted.what();
  };

  const std::string of_the_other = refusal_of(next(digest_of(preparation_, {})));
  const std::string of_the_announced = refusal_of(next(announced));

  EXPECT_NE(of_the_other.find("no release of this ledger made"), std::string::npos) << of_the_other;
  EXPECT_NE(of_the_announced.find("the intent is about another model"), std::string::npos)
      << of_the_announced;
}

/// One round from the beginning, with these models: what the worker says against it.
class ReceivedModel : public LocalWorkTest {
 protected:
  std::string refusal_of_first_round() {
    start_worker();
    write_ledger(honest_plan());
    announce(1, honest_parameters());
    const auto accepted = start(1, honest_parameters());
    return accepted.ok() ? "" : accepted.what();
  }
  /// The statistics are released, and then an update is announced of this many parameters, all `value`.
  std::string refusal_of_update(std::size_t size, double value) {
    EXPECT_EQ(refusal_of_first_round(), "");
    task_->preparation().apply(preparation_, first_sum(), std::vector<double>{6, 0, 0, 0});
    model_.parameters.assign(size, value);
    ledger_->write(Release{.round = 1,
                           .status = Release::Status::released,
                           .merchants = {0, 1, 2},
                           .opened = {},
                           .model = digest_of(preparation_, model_),
                           .reason = ""});
    const std::unique_ptr<Workload> training = task_->training(preparation_);
    const PrivateSum sum = *training->next_sum(training->initial_model(1));
    const SumParameters parameters = plan_->parameters(*training, sum);
    ledger_->write(Intent{.round = 2,
                          .name = sum.name,
                          .purpose = sum.purpose,
                          .population = sum.population,
                          .parameters = parameters,
                          .sampling_rate = 1,
                          .model = digest_of(preparation_, model_),
                          .invited = {0, 1, 2},
                          .unix_time = 0});
    write_head({"a", "b", "c"});
    const auto accepted = start(2, parameters);
    return accepted.ok() ? "" : accepted.what();
  }
};

TEST_F(ReceivedModel, OfTheRightShapeAndFiniteIsTrained) {
  EXPECT_EQ(refusal_of_update(2, 0.5), "");  // x and the intercept.
}

TEST_F(ReceivedModel, OfAnotherSizeIsRefused) {
  EXPECT_NE(refusal_of_update(3, 0).find("another shape"), std::string::npos);
}

TEST_F(ReceivedModel, WithoutParametersIsRefused) {
  EXPECT_NE(refusal_of_update(0, 0).find("another shape"), std::string::npos);
}

TEST_F(ReceivedModel, ThatIsNotANumberIsRefused) {
  EXPECT_NE(refusal_of_update(2, std::nan("")).find("not finite"), std::string::npos);
}

TEST_F(ReceivedModel, ThatIsInfiniteIsRefused) {
  EXPECT_NE(refusal_of_update(2, -HUGE_VAL).find("not finite"), std::string::npos);
}

TEST_F(ReceivedModel, ThatIsHugeIsRefused) {
  EXPECT_NE(refusal_of_update(2, 1e31).find("beyond 10^30"), std::string::npos);
}

TEST_F(ReceivedModel, StatisticsThatAreNotFiniteAreRefused) {
  preparation_.parameters[2] = HUGE_VAL;

  EXPECT_NE(refusal_of_first_round().find("not finite"), std::string::npos);
}

TEST_F(ReceivedModel, StatisticsOfAnotherSizeAreRefused) {
  preparation_.parameters.push_back(1);

  EXPECT_NE(refusal_of_first_round().find("another shape"), std::string::npos);
}

TEST_F(ReceivedModel, StatisticsThatNoReleasedSumToldAreRefused) {
  // A coordinator that would rather not ask: it says that all counts were made.
  preparation_.step = 1;
  preparation_.parameters.back() = 6;
  model_.parameters = {0, 0};

  EXPECT_NE(refusal_of_first_round().find("'moments', a sum that the ledger does not show"),
            std::string::npos);
}

TEST_F(ReceivedModel, StatisticsOfMoreSumsThanThereAreAreRefused) {
  preparation_.step = ~std::uint64_t{0};

  EXPECT_NE(refusal_of_first_round(), "");
}

TEST(RunIdentities, AreOnTheDiskBeforeTheCoordinatorHearsThatItsPlanMayBeWritten) {
  const TemporaryFolder run;
  DeterministicSecureRandom random(1);
  RunIdentities made(run.path(), {"bergen"}, false, random);
  const std::filesystem::path file = run.path() / "merchants" / "bergen" / "identity.key";
  WorkerHooks hooks;
  bool there = false;
  hooks.recall = [&](std::uint64_t, const Digest&) -> Result<std::vector<std::string>> {
    there = std::filesystem::exists(file);
    return std::vector<std::string>{};
  };
  save_before_answering(hooks, made);

  const auto lines = hooks.recall(0, {});

  EXPECT_TRUE(lines.ok());
  EXPECT_TRUE(there);
}

TEST(RunIdentities, OverwriteNoKeyOfARunThatIsNotContinued) {
  const TemporaryFolder run;
  DeterministicSecureRandom random(5);
  RunIdentities made(run.path(), {"bergen"}, false, random);
  const PublicKey key = made.keys().front().public_key();
  made.save();

  EXPECT_THROW(RunIdentities(run.path(), {"bergen"}, false, random), Failure);
  EXPECT_EQ(RunIdentities(run.path(), {"bergen"}, true, random).keys().front().public_key(), key);
}

/// Six customers, each at two of the three merchants with a row of either label's side for training and one for testing, and with a
/// badge that nobody else has: a sum shows who is in it. Noise is a thousandth of a clip norm.
class WorkerInTurns : public LocalWorkTest {
 protected:
  static constexpr std::uint32_t kTurns = 3;
  static constexpr std::size_t kCustomers = 6;
  using Vector = std::vector<double>;

  void SetUp() override {
    LocalWorkTest::SetUp();
    std::ofstream file(folder_.path() / "rows.csv");
    file << "shop,who,badge,part,bought\n";
    const std::string shops = "abc";
    for (std::size_t who = 0; who < kCustomers; ++who) {
      const std::string name = std::to_string(who);
      for (const std::size_t shop : {who % 3, (who + 1) % 3}) {
        for (const char* part : {"train", "test"}) {
          file << shops[shop] << ",c" << name << ",b" << name << ',' << part << ',' << who % 2 << '\n';
        }
      }
    }
    file.close();
    configuration_.data.customer = "who";
    configuration_.data.numeric = {};
    configuration_.data.categorical = {"badge{b0|b1|b2|b3|b4|b5}"};
    configuration_.data.test = "column:part";
    configuration_.federation.rounds = 7;
    configuration_.privacy.unit = Unit::customer;
    configuration_.privacy.max_merchants_per_customer = 2;
    configuration_.privacy.epsilon = 0;
    configuration_.privacy.noise_multiplier = 1e-3;
    begin(kTurns);
  }

  /// A run from its plan on.
  void begin(std::uint32_t turns) {
    configuration_.privacy.turns = turns;
    configuration_.privacy.correlated_noise = turns > 1 ? "banded" : "none";
    std::filesystem::remove_all(folder_.path() / "worker");
    std::filesystem::remove(folder_.path() / "ledger.jsonl");
    space_ = feature_space(configuration_);
    plan_.emplace(configuration_, space_, RowKind::record, 3);
    task_.emplace(configuration_, space_, RowKind::record, 3, plan_->noise_multiplier(Purpose::statistics),
                  plan_->noise_multiplier(Purpose::update));
    preparation_ = task_->preparation().initial_model(configuration_.federation.seed);
    model_ = Model();
    training_.reset();
    round_ = 0;
    start_worker();
    write_ledger(honest_plan());
  }

  /// One sum as the worker's merchants upload it, each opened alone.
  std::vector<OpenedSum> uploads_of(const Workload& workload, const PrivateSum& sum) {
    const SumParameters parameters = plan_->parameters(workload, sum);
    ledger_->write(Intent{.round = ++round_,
                          .name = sum.name,
                          .purpose = sum.purpose,
                          .population = sum.population,
                          .parameters = parameters,
                          .row = plan_->row(sum.purpose, ledger_->state().rows()),
                          .sampling_rate = 1,
                          .model = digest_of(preparation_, model_),
                          .invited = {0, 1, 2},
                          .unix_time = 0});
    write_head({"a", "b", "c"});
    const auto accepted = start(round_, parameters);
    EXPECT_TRUE(accepted.ok()) << accepted.what();
    std::vector<OpenedSum> uploads;
    for (std::uint32_t merchant = 0; accepted.ok() && merchant < 3; ++merchant) {
      SealedTotal total(parameters);
      total.add(hooks_.prepare(merchant, RoundMasks()));
      uploads.push_back(*total.open(parameters, {merchant}));
    }
    return uploads;
  }
  void release() {
    ledger_->write(Release{.round = round_,
                           .status = Release::Status::released,
                           .merchants = {0, 1, 2},
                           .opened = {},
                           .model = digest_of(preparation_, model_),
                           .reason = ""});
  }
  static Vector total(const std::vector<Vector>& parts) {
    Vector sum(parts.at(0).size());
    for (const Vector& part : parts) {
      std::ranges::transform(sum, part, sum.begin(), std::plus());
    }
    return sum;
  }
  static std::vector<Vector> values(const std::vector<OpenedSum>& uploads, const SumParameters& parameters) {
    std::vector<Vector> all;
    for (const OpenedSum& upload : uploads) {
      all.push_back(upload.values(parameters));
    }
    return all;
  }

  Vector statistics() {
    const PrivateSum sum = first_sum();
    Vector told =
        total(values(uploads_of(task_->preparation(), sum), plan_->parameters(task_->preparation(), sum)));
    task_->preparation().apply(preparation_, sum, Vector{12});
    training_ = task_->training(preparation_);
    model_ = training_->initial_model(1);
    release();
    return told;
  }
  /// What each merchant's units say in the next training sum, solved for.
  std::vector<Vector> row(std::vector<RowDecoder>& decoders) {
    const PrivateSum sum = *training_->next_sum(model_);
    const SumParameters parameters = plan_->parameters(*training_, sum);
    const std::uint64_t number = ledger_->state().rows();
    const std::vector<OpenedSum> uploads = uploads_of(*training_, sum);
    release();
    std::vector<Vector> all;
    for (std::size_t merchant = 0; merchant < uploads.size(); ++merchant) {
      all.push_back(decoders[merchant].values(number, uploads[merchant], parameters));
    }
    return all;
  }
  Vector evaluation() {
    const PrivateSum sum = *training_->evaluation_sum(model_);
    Vector told = total(values(uploads_of(*training_, sum), plan_->parameters(*training_, sum)));
    release();
    return told;
  }
  std::vector<RowDecoder> decoders() const {
    const auto c = plan_->coefficients();
    const std::vector<std::uint32_t> alone = {1};
    return std::vector<RowDecoder>(3, RowDecoder(c.empty() ? std::span(alone) : c));
  }
  /// Where a customer's badge stands in a gradient.
  std::size_t place_of(std::size_t who) const {
    const std::vector<std::string> names = task_->preparation().encoding(preparation_).names;
    const auto place = std::ranges::find(names, "badge=b" + std::to_string(who));
    EXPECT_NE(place, names.end());
    return static_cast<std::size_t>(place - names.begin());
  }
  static void expect_near(const Vector& a, const Vector& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a[i], b[i], 0.1) << i;
    }
  }

  std::unique_ptr<Workload> training_;
  std::uint64_t round_ = 0;
};

TEST_F(WorkerInTurns, HasEachCustomerInRowsOfOneResidueOnlyTheSameAtAllItsMerchants) {
  statistics();
  std::vector<RowDecoder> decoders = this->decoders();
  std::vector<std::vector<Vector>> rows;
  for (int number = 0; number < 7; ++number) {
    rows.push_back(row(decoders));
  }

  std::set<std::size_t> turns;
  for (std::size_t who = 0; who < kCustomers; ++who) {
    const std::size_t place = place_of(who);
    const auto is_in = [&](std::size_t number, std::size_t shop) {
      return std::abs(rows[number][shop][place]) > 0.1;
    };
    std::size_t turn = 0;
    while (turn < kTurns && !is_in(turn, who % 3)) {
      ++turn;
    }
    turns.insert(turn);
    for (std::size_t number = 0; number < rows.size(); ++number) {
      for (std::size_t shop = 0; shop < 3; ++shop) {
        const bool is_there = shop != (who + 2) % 3;
        EXPECT_EQ(is_in(number, shop), is_there && number % kTurns == turn)
            << "customer " << who << ", row " << number << ", merchant " << shop;
      }
    }
  }
  EXPECT_GT(turns.size(), 1u);
  EXPECT_FALSE(turns.contains(kTurns)) << "somebody never had a turn";
}

/// The rows of one cycle together are the sum in which all take part; an evaluation between them changes nothing.
TEST_F(WorkerInTurns, HasAllUnitsInStatisticsAndEvaluationsWhichRowsKnowNothingOf) {
  const Vector told = statistics();
  std::vector<RowDecoder> decoders = this->decoders();
  std::vector<Vector> cycle;
  cycle.push_back(total(row(decoders)));
  const Vector scores = evaluation();
  cycle.push_back(total(row(decoders)));
  const Vector again = evaluation();
  cycle.push_back(total(row(decoders)));

  begin(1);
  const Vector told_by_all = statistics();
  std::vector<RowDecoder> plain = this->decoders();
  const Vector gradient_of_all = total(row(plain));
  const Vector scores_of_all = evaluation();

  expect_near(told, told_by_all);
  expect_near(scores, scores_of_all);
  expect_near(again, scores_of_all);
  expect_near(total(cycle), gradient_of_all);
  EXPECT_GT(std::abs(gradient_of_all[place_of(0)]), 0.3);
  EXPECT_GT(told[0], 1);
  EXPECT_GT(*std::ranges::max_element(scores), 1);
}

TEST_F(WorkerInTurns, RefusesAPlanWithoutTurnsOrWithOtherOnesOrWithDraws) {
  const auto refused = [&](auto change) {
    begin(kTurns);
    return refusal_of_plan(change);
  };

  EXPECT_EQ(refused([](Plan&) {}), "");
  EXPECT_NE(refused([](Plan& plan) { plan.coefficients.clear(); }).find("number of turns"),
            std::string::npos);
  EXPECT_NE(refused([](Plan& plan) { plan.coefficients.pop_back(); }).find("number of turns"),
            std::string::npos);
  EXPECT_NE(refused([](Plan& plan) {
              plan.coefficients.clear();
              plan.releases[1].sampling_rate = 0.5;
            }).find("plan"),
            std::string::npos);
}

using WorkerInTurnsDeathTest = WorkerInTurns;

TEST_F(WorkerInTurnsDeathTest, PlansNeitherDrawsNorCohorts) {
  const auto plan = [this] { return ReleasePlan(configuration_, space_, RowKind::record, 3); };
  configuration_.privacy.sampling_rate = 0.5;
  EXPECT_DEATH(plan(), "take turns are not drawn");
  configuration_.privacy.sampling_rate = 1;
  configuration_.federation.cohort = 0.9;
  EXPECT_DEATH(plan(), "take turns are not drawn");
}

/// Records are the unit: when one is gone after a restart, the others keep their turns.
TEST_F(WorkerInTurns, GivesNoRecordAnotherTurnWhenARowIsGone) {
  configuration_.privacy.unit = Unit::record;
  configuration_.privacy.max_merchants_per_customer = 1;
  const auto cycle = [&] {
    begin(kTurns);
    statistics();
    std::vector<RowDecoder> decoders = this->decoders();
    return std::vector{row(decoders), row(decoders), row(decoders)};
  };
  const auto before = cycle();
  std::string text = read_file(folder_.path() / "rows.csv");
  const std::string gone = "a,c0,b0,train,0\n";
  text.erase(text.find(gone), gone.size());
  std::ofstream(folder_.path() / "rows.csv") << text;

  const auto after = cycle();

  for (std::size_t number = 0; number < kTurns; ++number) {
    for (std::size_t shop = 0; shop < 3; ++shop) {
      for (std::size_t who = 0; who < kCustomers; ++who) {
        const std::size_t place = place_of(who);
        const double expected = shop == 0 && who == 0 ? 0 : before[number][shop][place];
        EXPECT_NEAR(after[number][shop][place], expected, 0.1) << number << shop << who;
      }
    }
  }
}

}  // namespace
}  // namespace hanse
