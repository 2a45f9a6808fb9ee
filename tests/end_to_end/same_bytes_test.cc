// Sums are exact integers: the model is the same to the last bit, whoever added it up.

#include <map>

#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

/// Runs `ini` with these settings and gives its model's files.
std::map<std::string, std::string> model_of(const MarketFolder& market, const std::string& ini,
                                            const std::string& workers, std::vector<std::string> settings) {
  const std::string dir = "run-" + workers + (settings.empty() ? "" : "-" + settings.back());
  std::vector<std::string> words = {"hanse", "run", ini, "-n", workers, "output.dir=" + dir};
  words.insert(words.end(), settings.begin(), settings.end());
  const Outcome run = run_in(market.path(), words);
  EXPECT_EQ(run.code, 0) << run.output << run.errors;
  return run.code == 0 ? model_files(market / dir) : std::map<std::string, std::string>();
}

class SameBytes : public testing::TestWithParam<const char*> {};

TEST_P(SameBytes, OfTheModelForEveryNumberOfWorkers) {
  const MarketFolder market;

  const auto one = model_of(market, GetParam(), "1", {});

  ASSERT_TRUE(one.contains("model.hanse"));
  ASSERT_GT(one.size(), 2u);
  for (const char* workers : {"2", "4", "7"}) {
    EXPECT_TRUE(one == model_of(market, GetParam(), workers, {})) << workers << " workers";
  }
}

INSTANTIATE_TEST_SUITE_P(EveryWorkload, SameBytes, testing::Values("shop.ini", "ratings.ini"),
                         [](const auto& one) { return std::string(one.param, one.param + 4); });

/// The other workloads and ways of the two markets; those of examples with data of their own are in insights_test.cc and its like.
struct Way {
  const char* name;
  const char* ini;
  std::vector<std::string> settings;
};
void PrintTo(const Way& way, std::ostream* out) {
  *out << way.name;
}

class SameBytesInEveryWay : public testing::TestWithParam<Way> {};

TEST_P(SameBytesInEveryWay, ForOneTwoAndFiveWorkers) {
  const MarketFolder market;
  std::vector<std::string> settings = GetParam().settings;
  settings.insert(settings.end(), {"privacy.min_contributors=1", "federation.rounds=3"});

  const auto one = model_of(market, GetParam().ini, "1", settings);

  ASSERT_TRUE(one.contains("model.hanse"));
  for (const char* workers : {"2", "5"}) {
    EXPECT_TRUE(one == model_of(market, GetParam().ini, workers, settings)) << workers << " workers";
  }
}

INSTANTIATE_TEST_SUITE_P(
    EveryWorkload, SameBytesInEveryWay,
    testing::Values(
        Way{"Newton", "shop.ini", {"workload.solver=newton"}},
        Way{"LocalEpochs", "shop.ini", {"workload.solver=local", "workload.scaffold=true"}},
        Way{"ByGroup", "shop.ini", {"workload.group=kind"}},
        Way{"Linear",
            "shop.ini",
            {"workload.name=linear", "data.label=price", "data.numeric=visits[0..4]", "workload.own=all"}},
        Way{"FactorizationMachine", "shop.ini", {"workload.name=factorization-machine"}},
        Way{"FactorizationMachineOfNumbers",
            "shop.ini",
            {"workload.name=factorization-machine", "workload.task=regression", "data.label=price",
             "data.numeric=visits[0..4]", "workload.solver=local", "workload.group=kind"}},
        Way{"Softmax", "shop.ini", {"workload.name=softmax", "data.label=kind{A|B|C}", "data.categorical="}},
        Way{"Covariance", "shop.ini", {"workload.name=covariance", "data.label="}},
        Way{"Segments", "shop.ini", {"workload.name=segments", "data.label=", "data.categorical="}},
        Way{"Counts", "shop.ini", {"workload.name=counts", "data.label=", "data.standardise=false"}},
        Way{"BayesianNetwork", "shop.ini", {"workload.name=bayesian-network", "data.numeric="}},
        Way{"AlternatingLeastSquares", "ratings.ini", {"workload.solver=als"}},
        Way{"LocalRatings", "ratings.ini", {"workload.solver=local"}},
        Way{"Implicit",
            "ratings.ini",
            {"workload.name=implicit-matrix-factorization", "workload.solver=als"}},
        Way{"ItemSimilarity", "ratings.ini", {"workload.name=item-similarity", "workload.solver=gradient"}}),
    [](const auto& way) { return std::string(way.param.name); });

struct Tree {
  const char* ini;
  const char* ring;
};
void PrintTo(const Tree& tree, std::ostream* out) {
  *out << tree.ini << " with ring " << tree.ring;
}

class SameBytesAlongTheTree : public testing::TestWithParam<Tree> {};

TEST_P(SameBytesAlongTheTree, AsInTheStar) {
  const MarketFolder market;
  const std::string ring = std::string("aggregation.ring=") + GetParam().ring;

  const auto star = model_of(market, GetParam().ini, "2", {ring});

  ASSERT_TRUE(star.contains("model.hanse"));
  for (const char* workers : {"1", "2", "4", "7"}) {
    EXPECT_TRUE(star == model_of(market, GetParam().ini, workers, {ring, "aggregation.topology=tree"}))
        << workers << " workers";
  }
}

INSTANTIATE_TEST_SUITE_P(EveryWorkloadAndRing, SameBytesAlongTheTree,
                         testing::Values(Tree{"shop.ini", "32"}, Tree{"shop.ini", "64"},
                                         Tree{"ratings.ini", "32"}, Tree{"ratings.ini", "64"}),
                         [](const auto& one) {
                           return std::string(one.param.ini, one.param.ini + 4) + "In" + one.param.ring +
                                  "Bits";
                         });

TEST(SameBytesOfTheModel, ForEverySplitOfTheRowsOverMerchants) {
  const MarketFolder market(1, 1500);
  const std::vector<std::string> shared = {"federation.rounds=1", "aggregation.encryption=none"};
  const auto with = [&](const std::string& partition) {
    auto settings = shared;
    settings.push_back("data.partition=" + partition);
    return settings;
  };

  const auto whole = model_of(market, "shop.ini", "1", with("iid:1"));

  ASSERT_TRUE(whole.contains("model.hanse"));
  EXPECT_TRUE(whole == model_of(market, "shop.ini", "2", with("iid:10")));
  EXPECT_TRUE(whole == model_of(market, "shop.ini", "2", with("iid:1000")));
}

TEST(SameBytesOfTheModel, ForEveryNumberOfWorkersWhenTheClipNormAdapts) {
  const MarketFolder market;
  const std::vector<std::string> settings = {"privacy.adaptive_clip=true", "privacy.clip=0.5"};

  const auto one = model_of(market, "shop.ini", "1", settings);

  ASSERT_TRUE(one.contains("clip_norm.npy"));
  for (const char* workers : {"2", "7"}) {
    EXPECT_TRUE(one == model_of(market, "shop.ini", workers, settings)) << workers << " workers";
  }
}

TEST(SameBytesOfTheModel, ForEveryNumberOfWorkersWhenUnitsTakeTurns) {
  const MarketFolder market;
  const std::vector<std::string> settings = {"privacy.turns=3"};

  const auto one = model_of(market, "ratings.ini", "1", settings);

  ASSERT_TRUE(one.contains("model.hanse"));
  EXPECT_FALSE(one == model_of(market, "ratings.ini", "1", {}));
  for (const char* workers : {"2", "4"}) {
    EXPECT_TRUE(one == model_of(market, "ratings.ini", workers, settings)) << workers << " workers";
  }
}

TEST(SameBytesOfTheModel, UnderAPlainMpirunAsUnderHanseRun) {
  const MarketFolder market;
  const auto expected = model_of(market, "shop.ini", "4", {});
  const std::string bin = HANSE_BIN_DIR;

  StartedProgram plain({"mpirun", "-n", "1", bin + "/hanse-coordinator", "shop.ini", ":", "-n", "4",
                        bin + "/hanse-worker", "shop.ini"},
                       market.path(),
                       {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                        "OMPI_MCA_rmaps_base_oversubscribe=1"});
  const Outcome run = plain.wait();

  EXPECT_EQ(run.code, 0) << run.output << run.errors;
  EXPECT_TRUE(expected == model_files(market / "run"));
}

}  // namespace
}  // namespace hanse
