// A ledger that was altered anywhere does not pass the audit.

#include "common/base/seeded_generator.h"
#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

/// A finished private run, made once for all tests of this program.
class LedgerOfARun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    market_ = std::make_unique<MarketFolder>(4, 20);
    const Outcome run =
        run_in(market_->path(), {"hanse", "run", "shop.ini", "-n", "2", "privacy.unit=record",
                                 "privacy.epsilon=2", "privacy.delta=1e-5", "federation.rounds=2"});
    ASSERT_EQ(run.code, 0) << run.output << run.errors;
    content_ = bytes_of_file(*market_ / "run" / "ledger.jsonl");
  }
  static void TearDownTestSuite() { market_.reset(); }
  void TearDown() override { market_->write("run/ledger.jsonl", content_); }

  static Outcome audit_of(const std::string& content) {
    market_->write("run/ledger.jsonl", content);
    return run_in(market_->path(), {"hanse-audit", "run"});
  }

  static inline std::unique_ptr<MarketFolder> market_;
  static inline std::string content_;
};

TEST_F(LedgerOfARun, FailsTheAuditWithOneBitOfAnyByteChanged) {
  ASSERT_EQ(audit_of(content_).code, 0);
  SeededGenerator random({7});

  for (int sample = 0; sample < 200; ++sample) {
    std::string changed = content_;
    const std::size_t at = random.below(changed.size());
    changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(8)));

    EXPECT_EQ(audit_of(changed).code, 1) << "byte " << at;
  }
}

TEST_F(LedgerOfARun, FailsTheAuditWithAnyLineRemovedDoubledOrSwapped) {
  const std::vector<std::string> lines = lines_of(content_);
  const auto text = [](const std::vector<std::string>& some) {
    std::string all;
    for (const std::string& line : some) {
      all += line + "\n";
    }
    return all;
  };
  ASSERT_EQ(audit_of(text(lines)).code, 0);

  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto here = static_cast<std::ptrdiff_t>(i);
    auto removed = lines;
    removed.erase(removed.begin() + here);
    auto doubled = lines;
    doubled.insert(doubled.begin() + here, lines[i]);
    EXPECT_EQ(audit_of(text(removed)).code, 1) << "without line " << i + 1;
    EXPECT_EQ(audit_of(text(doubled)).code, 1) << "line " << i + 1 << " twice";
    if (i + 1 < lines.size()) {
      auto swapped = lines;
      std::swap(swapped[i], swapped[i + 1]);
      EXPECT_EQ(audit_of(text(swapped)).code, 1) << "lines " << i + 1 << " and " << i + 2 << " swapped";
    }
  }
}

}  // namespace
}  // namespace hanse
