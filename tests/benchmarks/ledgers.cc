#include <benchmark/benchmark.h>

#include "common/base/check.h"
#include "privacy/ledger/audit.h"
#include "privacy/ledger/ledger_writer.h"
#include "tests/benchmarks/measurements.h"
#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

constexpr std::uint32_t kMerchants = 20;
constexpr std::uint64_t kRounds = 1000;

/// A run of a thousand rounds, each permitted by twenty merchants, whose ledger is in the folder.
class LongRun {
 public:
  LongRun() {
    LedgerFixture fixture;
    Plan plan = fixture.plan;
    plan.epsilon = 1000;
    plan.releases[1].count = kRounds;
    plan.merchants.clear();
    for (std::uint32_t id = 0; id < kMerchants; ++id) {
      plan.merchants.push_back(
          {"merchant" + std::to_string(100 + id), LedgerFixture::merchant_key(id).public_key()});
    }
    for (std::uint32_t id = 0; id < kMerchants; ++id) {
      everyone_.push_back(id);
    }
    LedgerWriter writer =
        LedgerWriter::create(folder_.path() / "ledger.jsonl", LedgerFixture::key(std::byte{7}), plan);
    sign(writer);
    for (std::uint64_t round = 1; round <= kRounds; ++round) {
      Intent intent = fixture.intent(round);
      intent.parameters.merchants_max = kMerchants;
      intent.model = writer.state().model().value_or(sha256(bytes_of("initial")));
      intent.invited = everyone_;
      writer.write(intent);
      sign(writer);
      Release release;
      release.merchants = everyone_;
      release.opened = sha256(bytes_of("opened"));
      release.model = sha256(bytes_of("model " + std::to_string(round)));
      writer.write(release);
    }
    writer.write(writer.state().claim_for(sha256(bytes_of("published"))));
    sign(writer);
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  void sign(LedgerWriter& writer) const {
    std::vector<Cosignature> signatures;
    for (const std::uint32_t id : everyone_) {
      signatures.push_back({id, LedgerFixture::merchant_key(id).sign(writer.state().to_cosign())});
    }
    writer.write_head(std::move(signatures), 0);
  }

  TemporaryFolder folder_;
  std::vector<std::uint32_t> everyone_;
};

void audit_long_run(benchmark::State& state) {
  static const LongRun run;
  for (auto _ : state) {
    const AuditReport report = audit(run.path());
    check(report.holds(), "an honest run holds");
  }
}

/// The floor: the signatures alone, which are 23,000 and of OpenSSL.
void verify_alone(benchmark::State& state) {
  const SigningKey key = LedgerFixture::key(std::byte{7});
  const Signature signature = key.sign(bytes_of("a head"));
  for (auto _ : state) {
    check(verify(key.public_key(), bytes_of("a head"), signature), "a signature holds");
  }
}

}  // namespace

void register_ledgers(int repetitions) {
  benchmark::RegisterBenchmark("audit of 1000 rounds of 20 merchants", audit_long_run)
      ->Unit(benchmark::kMillisecond)
      ->MeasureProcessCPUTime()
      ->Repetitions(repetitions);
  benchmark::RegisterBenchmark("Ed25519: a signature verified", verify_alone)->Unit(benchmark::kMicrosecond);
}

}  // namespace hanse
