// Faults planted in whole ledgers by a coordinator that signs whatever it likes and has the signatures of all merchants
// for it: hashes, tree and signatures are right, and only what the records say gives it away.

#include <cmath>
#include <map>

#include "privacy/ledger/audit.h"
#include "privacy/ledger/ledger_copy.h"
#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

using Payloads = std::vector<Payload>;

/// An honest run without its heads: plan, statistics, three rounds of which the second is aborted, an evaluation, the claim.
Payloads honest_run(bool in_turns = false) {
  Payloads payloads;
  for (const std::string& line : LedgerFixture::of_run(3, in_turns).lines) {
    Payload payload = decode_record(line)->payload;
    if (!std::holds_alternative<Head>(payload)) {
      payloads.push_back(std::move(payload));
    }
  }
  return payloads;
}

/// Chains and signs the payloads as they are, with a head of all merchants behind plan, intents and claim.
std::vector<std::string> forged(const Payloads& payloads) {
  const SigningKey signer = LedgerFixture::key(std::byte{7});
  const std::string run_id = std::get<Plan>(payloads.front()).run_id;
  std::vector<std::string> lines;
  MerkleTree tree;
  Digest intent_line{};
  const auto add = [&](Payload payload) {
    const Digest prev = lines.empty() ? genesis_digest() : sha256(bytes_of(lines.back()));
    lines.push_back(LedgerFixture::line(std::move(payload), lines.size(), prev, signer));
    tree.append(bytes_of(lines.back()));
  };
  std::uint64_t time = 0;
  for (Payload payload : payloads) {
    if (auto* release = std::get_if<Release>(&payload)) {
      release->intent = intent_line;
      add(payload);
      continue;
    }
    if (const auto* intent = std::get_if<Intent>(&payload)) {
      time = std::max(time, intent->unix_time);
    } else if (const auto* plan = std::get_if<Plan>(&payload)) {
      time = std::max(time, plan->unix_time);
    }
    add(payload);
    if (std::holds_alternative<Intent>(payload)) {
      intent_line = sha256(bytes_of(lines.back()));
    }
    Head head{.size = tree.size(), .root = tree.root(), .cosignatures = {}, .unix_time = time};
    for (std::uint32_t id = 0; id < 4; ++id) {
      head.cosignatures.push_back(
          {id, LedgerFixture::merchant_key(id).sign(cosigned_bytes(run_id, head.size, head.root))});
    }
    add(std::move(head));
  }
  return lines;
}

/// The audit of a run whose merchants all have the forged ledger too.
AuditReport audit_of(const std::vector<std::string>& lines) {
  const TemporaryFolder run;
  run.write("ledger.jsonl", LedgerFixture::text(lines));
  run.write("merchants/bergen/ledger.jsonl", LedgerFixture::text(lines));
  return audit(run.path());
}

// Places in honest_run().
constexpr std::size_t kPlan = 0;
constexpr std::size_t kIntent = 3;   // Of round 1.
constexpr std::size_t kRelease = 4;  // Of round 1.
constexpr std::size_t kClaim = 11;

Intent& intent_in(Payloads& payloads) {
  return std::get<Intent>(payloads[kIntent]);
}
SpentRow& claimed_in(Payloads& payloads) {
  return std::get<Claim>(payloads[kClaim]).rows.at(0);
}
double epsilon_of(double noise_multiplier, std::uint64_t sums, double delta) {
  RdpAccountant accountant;
  accountant.compose({.noise_multiplier = noise_multiplier, .count = sums});
  return accountant.epsilon(delta).epsilon;
}

struct Fault {
  const char* name;
  void (*plant)(Payloads&);
  const char* finding;
};
void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

class PlantedInALedger : public testing::TestWithParam<Fault> {};

TEST_P(PlantedInALedger, IsFoundByTheAudit) {
  Payloads payloads = honest_run();
  ASSERT_TRUE(audit_of(forged(payloads)).holds());

  GetParam().plant(payloads);
  const AuditReport report = audit_of(forged(payloads));

  EXPECT_EQ(report.verdict(), AuditReport::Verdict::broken);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_NE(report.findings.front().find(GetParam().finding), std::string::npos) << report.findings.front();
}

void erase(Payloads& payloads, std::size_t place) {
  payloads.erase(payloads.begin() + static_cast<std::ptrdiff_t>(place));
}
void repeat(Payloads& payloads, std::size_t place) {
  const Payload again = payloads[place];
  payloads.insert(payloads.begin() + static_cast<std::ptrdiff_t>(place), again);
}

INSTANTIATE_TEST_SUITE_P(
    Each, PlantedInALedger,
    testing::Values(
        Fault{"a round released without an intent", [](Payloads& p) { erase(p, kIntent); },
              "no intent announced"},
        Fault{"an intent behind its release", [](Payloads& p) { std::swap(p[kIntent], p[kRelease]); },
              "no intent announced"},
        Fault{"a release dropped", [](Payloads& p) { erase(p, kRelease); }, "is not answered"},
        Fault{"a release doubled", [](Payloads& p) { repeat(p, kRelease); }, "no intent announced"},
        Fault{"an intent doubled", [](Payloads& p) { repeat(p, kIntent); }, "is not answered"},
        Fault{"a second plan", [](Payloads& p) { p.insert(p.begin() + kIntent, p[kPlan]); }, "a second plan"},
        Fault{"a sum after the claim",
              [](Payloads& p) {
                p.push_back(p[kIntent]);
                p.push_back(p[kRelease]);
              },
              "nothing may follow the claim"},
        Fault{"a round left out of the claim",
              [](Payloads& p) {
                --claimed_in(p).releases;
                claimed_in(p).epsilon = epsilon_of(2, 4, 1e-6);
              },
              "is not what the ledger gives"},
        Fault{"an aborted round taken for unspent",
              [](Payloads& p) { claimed_in(p).epsilon = epsilon_of(2, 4, 1e-6); },
              "is not what the ledger gives"},
        Fault{"the deviation of a share stated as the total's",
              [](Payloads& p) { claimed_in(p).epsilon = epsilon_of(1, 5, 1e-6); },
              "is not what the ledger gives"},
        Fault{"a variance taken for a deviation",
              [](Payloads& p) { claimed_in(p).epsilon = epsilon_of(4, 5, 1e-6); },
              "is not what the ledger gives"},
        Fault{"delta of each round taken for the run's",
              [](Payloads& p) { claimed_in(p).epsilon = epsilon_of(2, 5, 5e-6); },
              "is not what the ledger gives"},
        Fault{"another delta in the claim",
              [](Payloads& p) {
                claimed_in(p).delta = 1e-5;
                claimed_in(p).epsilon = epsilon_of(2, 5, 1e-5);
              },
              "is not what the ledger gives"},
        Fault{"noise times 0.8",
              [](Payloads& p) {
                intent_in(p).parameters.share_variance = intent_in(p).parameters.share_variance * 64 / 100;
              },
              "is in the plan"},
        Fault{"no noise", [](Payloads& p) { intent_in(p).parameters.share_variance = 0; },
              "no sum without noise is in the plan"},
        Fault{"a finer grid under the same noise", [](Payloads& p) { ++intent_in(p).parameters.grid_bits; },
              "is in the plan"},
        Fault{"a sampling rate that is not the plan's", [](Payloads& p) { intent_in(p).sampling_rate = 0.5; },
              "is in the plan"},
        Fault{"more than the budget", [](Payloads& p) { std::get<Plan>(p[kPlan]).epsilon = 3; },
              "above the plan's budget"},
        Fault{"a sum that wraps", [](Payloads& p) { intent_in(p).parameters.ring = Ring::bits32; },
              "does not fit the ring"},
        Fault{"a sum of fewer merchants than carry the noise",
              [](Payloads& p) {
                std::get<Release>(p[kRelease]).merchants = {0, 1, 2};
              },
              "3 merchants where"},
        Fault{"a round that may be opened with fewer",
              [](Payloads& p) { intent_in(p).parameters.shares_min = 2; }, "fewer than the plan's 3"},
        Fault{"an intent dated before the last", [](Payloads& p) { intent_in(p).unix_time -= 100; },
              "its time is before"},
        Fault{"a round from a model that nothing released made",
              [](Payloads& p) { intent_in(p).model = sha256(bytes_of("trained elsewhere")); },
              "no release of this ledger made"},
        Fault{"a claim of another model",
              [](Payloads& p) { std::get<Claim>(p[kClaim]).model = sha256(bytes_of("trained elsewhere")); },
              "a model that no release of this ledger made"}));

// --- where units take turns, and noise is correlated: rows 0, 1 (aborted) and 2 of coefficients 4, 2, 1 ---

class PlantedWhereUnitsTakeTurns : public testing::TestWithParam<Fault> {};

TEST_P(PlantedWhereUnitsTakeTurns, IsFoundByTheAudit) {
  Payloads payloads = honest_run(true);
  ASSERT_TRUE(audit_of(forged(payloads)).holds()) << audit_of(forged(payloads)).findings.front();

  GetParam().plant(payloads);
  const AuditReport report = audit_of(forged(payloads));

  EXPECT_EQ(report.verdict(), AuditReport::Verdict::broken);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_NE(report.findings.front().find(GetParam().finding), std::string::npos) << report.findings.front();
}

constexpr std::size_t kLastIntent = 7;  // Of round 3.

Plan& plan_in(Payloads& payloads) {
  return std::get<Plan>(payloads[kPlan]);
}
Intent& last_in(Payloads& payloads) {
  return std::get<Intent>(payloads[kLastIntent]);
}
/// Statistics and evaluation of multiplier 2, and rows that cost so much of a turn of multiplier 2.
double epsilon_with_turns(double turns) {
  RdpAccountant accountant;
  accountant.compose({.noise_multiplier = 2, .count = 2});
  accountant.compose({.noise_multiplier = 2 / std::sqrt(turns)});
  return accountant.epsilon(1e-6).epsilon;
}

TEST(LedgerWhereUnitsTakeTurns, ClaimsOneTurnForThreeRows) {
  Payloads payloads = honest_run(true);

  EXPECT_NEAR(claimed_in(payloads).epsilon, epsilon_with_turns(1), 1e-9);
  EXPECT_NE(text_of(audit_of(forged(payloads))).find("Noise was correlated (banded, 3 bands)"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Each, PlantedWhereUnitsTakeTurns,
    testing::Values(Fault{"a row number repeated", [](Payloads& p) { last_in(p).row = 1; },
                          "its row is 1 where 2"},
                    Fault{"row numbers that begin again", [](Payloads& p) { last_in(p).row = 0; },
                          "its row is 0 where 2"},
                    Fault{"a row left out, so that the cheap end of a turn comes",
                          [](Payloads& p) { last_in(p).row = 5; }, "its row is 5 where 2"},
                    Fault{"a fourth row that begins no turn",
                          [](Payloads& p) {
                            Intent again = last_in(p);
                            again.row = 0;
                            again.round = 9;
                            again.model = std::get<Release>(p[kLastIntent + 1]).model;
                            p.insert(p.begin() + kLastIntent + 2, {Payload(again), p[kLastIntent + 1]});
                          },
                          "its row is 0 where 3"},
                    Fault{"a row that is announced as a sum of all units",
                          [](Payloads& p) { last_in(p).row.reset(); }, "it has no row"},
                    Fault{"a row of test data", [](Payloads& p) { last_in(p).population = Population::test; },
                          "whose units take no turns"},
                    Fault{"a plan in which units are drawn as well",
                          [](Payloads& p) {
                            for (PlannedRelease& release : plan_in(p).releases) {
                              release.sampling_rate = 0.5;
                            }
                          },
                          "take turns and draws them as well"},
                    Fault{"coefficients of which the first two are alike",
                          [](Payloads& p) {
                            plan_in(p).coefficients = {4, 4, 1};
                          },
                          "the first larger than the second"},
                    Fault{"an evaluation that is announced as a row",
                          [](Payloads& p) { std::get<Intent>(p[9]).row = 3; }, "though all units are in it"},
                    Fault{"more bands in the plan than rows have",
                          [](Payloads& p) { plan_in(p).coefficients = {4, 2, 1, 1, 1, 1}; },
                          "its headroom is for a gain"},
                    Fault{"coefficients that grow",
                          [](Payloads& p) {
                            plan_in(p).coefficients = {1, 2, 4};
                          },
                          "never grow"},
                    Fault{"turns that the plan does not have",
                          [](Payloads& p) { plan_in(p).coefficients.clear(); }, "though all units are in it"},
                    Fault{"noise of one row less than the turn needs",
                          [](Payloads& p) {
                            last_in(p).parameters.share_variance = LedgerFixture::noise(2).share_variance;
                          },
                          "other parameters than the rows before it"},
                    Fault{"a coarser grid in a later row, in which what earlier ones left is larger",
                          [](Payloads& p) {
                            last_in(p).parameters.grid_bits -= 1;
                            last_in(p).parameters.share_variance /= 4;
                          },
                          "other parameters than the rows before it"},
                    Fault{"noise of one sum where three show what a unit said",
                          [](Payloads& p) {
                            for (const std::size_t place : {kIntent, std::size_t{5}, kLastIntent}) {
                              std::get<Intent>(p[place]).parameters.share_variance =
                                  LedgerFixture::noise(2).share_variance;
                            }
                          },
                          "is in the plan"},
                    Fault{"participations not counted",
                          [](Payloads& p) { claimed_in(p).epsilon = epsilon_of(2, 2, 1e-6); },
                          "is not what the ledger gives"},
                    Fault{"only the first row of a turn counted",
                          [](Payloads& p) { claimed_in(p).epsilon = epsilon_with_turns(16.0 / 21); },
                          "is not what the ledger gives"},
                    Fault{"an aborted row taken for unspent",
                          [](Payloads& p) { claimed_in(p).epsilon = epsilon_with_turns(17.0 / 21); },
                          "is not what the ledger gives"}));

/// The same run with removal of surplus noise in its plan: sums need three merchants and have four, so that rung 3 is too
/// much.
Payloads run_with_removal() {
  Payloads payloads = honest_run();
  for (Payload& payload : payloads) {
    if (auto* plan = std::get_if<Plan>(&payload)) {
      plan->removes_surplus = true;
    } else if (auto* intent = std::get_if<Intent>(&payload)) {
      intent->parameters = LedgerFixture::noise(2, 3);
      ++intent->parameters.share_variance;  // 2^42 is no multiple of three.
    } else if (auto* release = std::get_if<Release>(&payload);
               release != nullptr && release->status == Release::Status::released) {
      release->surplus = SurplusRemoval{
          .left = (LedgerFixture::noise(2, 3).share_variance + 1) * 3 / 4 + 1,
          .rungs_from = 3,
          .rungs_to = 3,
          .merchants = {0, 1, 2, 3},
      };
    }
  }
  return payloads;
}
Release& release_in(Payloads& payloads) {
  return std::get<Release>(payloads[kRelease]);
}

class PlantedInSurplus : public testing::TestWithParam<Fault> {};

TEST_P(PlantedInSurplus, IsFoundByTheAudit) {
  Payloads payloads = run_with_removal();
  const AuditReport honest = audit_of(forged(payloads));
  ASSERT_TRUE(honest.holds()) << honest.findings.front();

  GetParam().plant(payloads);
  const AuditReport report = audit_of(forged(payloads));

  EXPECT_EQ(report.verdict(), AuditReport::Verdict::broken);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_NE(report.findings.front().find(GetParam().finding), std::string::npos) << report.findings.front();
}

INSTANTIATE_TEST_SUITE_P(
    Each, PlantedInSurplus,
    testing::Values(
        Fault{"less left than is charged for", [](Payloads& p) { --release_in(p).surplus->left; },
              "4 merchants must leave"},
        Fault{"one part more taken out than is too much",
              [](Payloads& p) { ++release_in(p).surplus->rungs_to; }, "4 merchants must leave"},
        Fault{"a part that nobody drew", [](Payloads& p) { --release_in(p).surplus->rungs_from; },
              "4 merchants must leave"},
        Fault{"noise taken out of a sum that needs all of it",
              [](Payloads& p) {
                release_in(p).merchants = {0, 1, 2};
              },
              "needs all of it"},
        Fault{"noise of a merchant that is not in the sum",
              [](Payloads& p) { release_in(p).surplus->merchants.push_back(4); },
              "merchants that are not in it"},
        Fault{"noise taken out without a word", [](Payloads& p) { release_in(p).surplus.reset(); },
              "does not say what surplus noise"},
        Fault{"noise taken out against the plan",
              [](Payloads& p) { std::get<Plan>(p[kPlan]).removes_surplus = false; }, "not in the plan"},
        Fault{"noise taken out of a round that was aborted",
              [](Payloads& p) {
                const SurplusRemoval removal = *release_in(p).surplus;
                std::get<Release>(p[kRelease + 2]).surplus = removal;
              },
              "an aborted round opens nothing"},
        Fault{"a claim that counts on the noise that was taken out",
              [](Payloads& p) { claimed_in(p).epsilon = epsilon_of(2 * std::sqrt(4.0 / 3), 5, 1e-6); },
              "is not what the ledger gives"},
        Fault{"a plan that takes noise out of sums without any",
              [](Payloads& p) {
                auto& plan = std::get<Plan>(p[kPlan]);
                plan.unit = Unit::none;
                plan.delta = 0;
                plan.epsilon.reset();
              },
              "that have none"}));

/// A round that all but one merchant would rather forget.
TEST(ForgottenRound, IsFoundByTheCopyOfOneHonestMerchant) {
  const TemporaryFolder run;
  Payloads payloads = honest_run();
  const std::string honest = LedgerFixture::text(forged(payloads));
  payloads.erase(payloads.begin() + kIntent, payloads.begin() + kRelease + 1);
  for (std::size_t i = kIntent; i < payloads.size(); ++i) {
    if (auto* intent = std::get_if<Intent>(&payloads[i])) {
      intent->model = std::get<Release>(payloads[2]).model;
    }
    if (auto* release = std::get_if<Release>(&payloads[i])) {
      release->model = std::get<Release>(payloads[2]).model;
    }
  }
  std::get<Claim>(payloads.back()).model = std::get<Release>(payloads[2]).model;
  --std::get<Claim>(payloads.back()).rows[0].releases;
  std::get<Claim>(payloads.back()).rows[0].epsilon = epsilon_of(2, 4, 1e-6);
  run.write("ledger.jsonl", LedgerFixture::text(forged(payloads)));
  const AuditReport without_copies = audit(run.path());
  run.write("merchants/bergen/ledger.jsonl", honest);

  const AuditReport report = audit(run.path());

  EXPECT_TRUE(without_copies.holds()) << "no audit finds what everybody agreed to forget";
  EXPECT_EQ(report.verdict(), AuditReport::Verdict::broken);
  EXPECT_NE(report.findings.at(0).find("not everyone was shown the same"), std::string::npos);
}

/// A head that somebody else signed in a merchant's name, in the middle of a ledger that holds otherwise.
TEST(ForgedPermission, IsFoundAmongAllSignatures) {
  const std::vector<std::string> lines = forged(honest_run());
  LedgerState state;
  std::vector<std::string> mutated;
  for (const std::string& line : lines) {
    Record record = *decode_record(line);
    if (auto* head = std::get_if<Head>(&record.payload); head != nullptr && record.seq == 6) {
      head->cosignatures[1].signature = LedgerFixture::key(std::byte{99}).sign(state.to_cosign());
    }
    mutated.push_back(
        LedgerFixture::line(record.payload, record.seq, state.tip(), LedgerFixture::key(std::byte{7})));
    if (!state.accept(mutated.back(), Signatures::trust) || record.seq == 6) {
      break;
    }
  }

  const AuditReport report = audit_of(mutated);

  EXPECT_EQ(report.verdict(), AuditReport::Verdict::broken);
  EXPECT_NE(report.findings.at(0).find("merchant \"bergen\" did not sign this head"), std::string::npos)
      << report.findings[0];
}

/// More signatures than are verified one by one. Bergen is gone after the first round, and somebody signs for it later.
TEST(ForgedPermission, IsFoundAmongThousandsByItsSignersLastSignature) {
  const auto ledger_of = [](bool forge) {
    LedgerFixture fixture;
    fixture.plan.epsilon = 1000;
    fixture.plan.releases[1].count = 400;
    fixture.add(fixture.plan);
    for (std::uint64_t round = 1; round <= 360; ++round) {
      Intent intent = fixture.intent(round);
      intent.parameters = LedgerFixture::noise(4, 3);
      fixture.add_alone(intent);
      Head head = fixture.head(round == 1 ? std::vector<std::uint32_t>{0, 1, 2, 3}
                                          : std::vector<std::uint32_t>{0, 2, 3});
      if (forge && round == 160) {
        head.cosignatures.insert(head.cosignatures.begin() + 1,
                                 {1, LedgerFixture::key(std::byte{99}).sign(fixture.state.to_cosign())});
      }
      fixture.lines.push_back(fixture.line(head));
      EXPECT_TRUE(fixture.state.accept(fixture.lines.back(), Signatures::trust).ok());
      Release release = fixture.release();
      release.merchants = {0, 2, 3};
      EXPECT_EQ(fixture.add(release), "");
    }
    fixture.add(fixture.state.claim_for(sha256(bytes_of("published"))));
    return fixture.lines;
  };

  std::vector<std::string> forged_lines = ledger_of(true);
  const AuditReport honest = audit_of(ledger_of(false));
  forged_lines.resize(forged_lines.size() - 2);  // The claim, whose head bergen would sign truly.
  const AuditReport report = audit_of(forged_lines);

  EXPECT_TRUE(honest.holds());
  EXPECT_LT(honest.signatures_verified, honest.signatures);
  EXPECT_EQ(honest.signatures_verified, 5u) << "of the coordinator and of four merchants";
  EXPECT_EQ(report.verdict(), AuditReport::Verdict::broken);
  EXPECT_NE(report.findings.at(0).find("merchant \"bergen\" did not sign"), std::string::npos)
      << report.findings[0];
}

}  // namespace
}  // namespace hanse
