// Runs with aggregation.encryption=paillier: an arbiter behind the workers opens the sums.

#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

Outcome run(const MarketFolder& market, const std::string& ini, const std::string& dir,
            const std::vector<std::string>& settings) {
  std::vector<std::string> words = {
      "hanse", "run", ini, "-n", "2", "output.dir=" + dir, "federation.rounds=2"};
  words.insert(words.end(), settings.begin(), settings.end());
  return run_in(market.path(), words);
}

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

class PaillierRun : public testing::TestWithParam<const char*> {};

TEST_P(PaillierRun, GivesTheModelThatMasksGive) {
  const MarketFolder market;

  const Outcome masked = run(market, GetParam(), "masked", {});
  const Outcome paillier = run(market, GetParam(), "paillier", {"aggregation.encryption=paillier"});

  ASSERT_EQ(masked.code, 0) << masked.errors;
  ASSERT_EQ(paillier.code, 0) << paillier.output << paillier.errors;
  EXPECT_TRUE(model_files(market / "masked") == model_files(market / "paillier"));
  EXPECT_TRUE(has(paillier.output, "# The last rank is the arbiter")) << paillier.output;
  EXPECT_TRUE(has(paillier.output, "paillier: the coordinator saw sums only")) << paillier.output;
}

INSTANTIATE_TEST_SUITE_P(BothWorkloads, PaillierRun, testing::Values("shop.ini", "ratings.ini"),
                         [](const auto& one) { return std::string(one.param, one.param + 4); });

TEST(PaillierRunWithARoster, UsesTheArbiterThatItNamesAndTheAuditSaysSo) {
  const MarketFolder market;
  const Outcome keys = run_in(market.path(), {"hanse", "keys", "new", "keys", "--federation", "shop",
                                              "--merchants-from", "shop.csv:shop", "--arbiter"});
  ASSERT_EQ(keys.code, 0) << keys.errors;
  const std::vector<std::string> settings = {"aggregation.encryption=paillier",
                                             "aggregation.roster=keys/roster.json", "aggregation.keys=keys"};

  const Outcome good = run(market, "shop.ini", "good", settings);
  const Outcome audit = run_in(market.path(), {"hanse", "audit", "good"});
  fs::remove(market / "keys/arbiter.key");
  fs::copy_file(market / "keys/operator.key", market / "keys/arbiter.key");
  const Outcome bad = run(market, "shop.ini", "bad", settings);

  EXPECT_EQ(good.code, 0) << good.output << good.errors;
  EXPECT_TRUE(has(audit.output, "opened by an arbiter")) << audit.output;
  EXPECT_EQ(bad.code, 2) << bad.output << bad.errors;
  EXPECT_TRUE(has(bad.errors, "arbiter.key is not the arbiter's key in the roster")) << bad.errors;
}

}  // namespace
}  // namespace hanse
