#include "common/config/configuration.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/config/configuration_keys.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

class ConfigurationFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test_folder() /
              ("hanse_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Configuration read(const std::string& text, const std::vector<std::string>& settings = {}) {
    std::ofstream(file()) << text;
    return read_configuration(file(), settings);
  }
  /// The sentence of the refusal, without the folder.
  std::string refusal(const std::string& text, const std::vector<std::string>& settings = {}) {
    try {
      read(text, settings);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      std::string sentence = failure.what();
      for (std::size_t at; (at = sentence.find(folder_.string() + "/")) != std::string::npos;) {
        sentence.erase(at, folder_.string().size() + 1);
      }
      return sentence;
    }
    return "no refusal";
  }
  std::filesystem::path file() const { return folder_ / "f.ini"; }
  std::string under(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

TEST_F(ConfigurationFile, GivesEveryKeyItsDefaultWhenEmpty) {
  const Configuration configuration = read("");

  EXPECT_EQ(canonical_text(configuration), canonical_text(Configuration()));
  EXPECT_EQ(run_directory(configuration), "runs/run");
}

TEST_F(ConfigurationFile, IsReadWithSectionsCommentsAndLists) {
  const Configuration c = read(
      "# a comment\n[federation]\r\n name = market # behind\nseed=7\ncohort = 0.25\n"
      "[data]\nnumeric = age[0..120], log1p:amount[0,5000], \"Invoice #\"\n"
      "categorical = country{DE,FR}, product#64\nlabel = \"Label #\"\n"
      "[privacy]\nunit = record\nepsilon = 3\ndelta = 1e-6\n");

  EXPECT_EQ(c.federation.name, "market");
  EXPECT_EQ(c.federation.seed, 7u);
  EXPECT_EQ(c.federation.cohort, 0.25);
  EXPECT_EQ(c.data.numeric, (std::vector<std::string>{"age[0..120]", "log1p:amount[0,5000]", "Invoice #"}));
  EXPECT_EQ(c.data.categorical, (std::vector<std::string>{"country{DE,FR}", "product#64"}));
  EXPECT_EQ(c.data.label, "Label #");
  EXPECT_EQ(c.privacy.unit, Unit::record);
  EXPECT_EQ(c.privacy.epsilon, 3);
}

TEST_F(ConfigurationFile, YieldsToSettingsOfTheCommandLine) {
  const Configuration c = read("[federation]\nrounds = 5\n", {"federation.rounds=6", "federation.rounds=7"});

  EXPECT_EQ(c.federation.rounds, 7u);
}

TEST_F(ConfigurationFile, MeansItsPathsFromItsOwnFolderAndThoseBesideTheDataFromThere) {
  const Configuration c = read(
      "[data]\npath = a/{worker}.csv\nmerchant = country@c.csv\ntest = file:../s.txt\n"
      "[aggregation]\nroster = /etc/roster.json\nkeys = keys\n");

  EXPECT_EQ(c.data.path, under("a/{worker}.csv"));
  EXPECT_EQ(c.data.merchant, "country@c.csv");
  EXPECT_EQ(c.data.test, "file:../s.txt");
  EXPECT_EQ(c.aggregation.roster, "/etc/roster.json");
  EXPECT_EQ(c.aggregation.keys, under("keys"));
}

TEST_F(ConfigurationFile, MeansPathsOfTheCommandLineFromWhereItsUserStands) {
  std::ofstream(file()) << "[data]\npath = a.csv\n";

  const Configuration c = read_configuration(file(), {"data.path=b.csv"});

  EXPECT_EQ(c.data.path, (std::filesystem::current_path() / "b.csv").string());
}

TEST_F(ConfigurationFile, RefusesAnUnknownKeyWithPlaceAndNearestKey) {
  EXPECT_EQ(refusal("[privacy]\n\nepsilno = 1\n"),
            "f.ini:3: unknown key privacy.epsilno: did you mean 'privacy.epsilon'?");
  EXPECT_EQ(refusal("epsilon = 1\n"), "f.ini:1: unknown key epsilon: did you mean 'privacy.epsilon'?");
  EXPECT_EQ(refusal("[privcy]\nsomething = 1\n"),
            "f.ini:2: unknown section [privcy]: did you mean 'privacy'?");
  EXPECT_EQ(refusal("", {"workload.rnak=3"}),
            "command line: unknown key workload.rnak: did you mean 'workload.rank'?");
  EXPECT_EQ(refusal("", {"rank"}), "command line: expected KEY=VALUE, got 'rank'");
}

TEST_F(ConfigurationFile, RefusesLinesThatAreNoSettingsAndKeysGivenTwice) {
  EXPECT_EQ(refusal("[data]\nnonsense\n"), "f.ini:2: expected [section] or key = value, got 'nonsense'");
  EXPECT_EQ(refusal("[worker]\nthreads=1\nthreads=2\n"),
            "f.ini:3: worker.threads is given a second time, first at f.ini:2");
  EXPECT_EQ(refusal(std::string("[worker]\nthr\0ds=1\n", 18)), "f.ini:2: a zero byte: this is no text file");
}

TEST_F(ConfigurationFile, RefusesAFileThatIsNotThere) {
  EXPECT_THROW(read_configuration(folder_ / "absent.ini", {}), Failure);
  EXPECT_THROW(read_configuration(folder_, {}), Failure);
}

struct BadValue {
  std::string setting;
  std::string part;  ///< Of the sentence.
};
void PrintTo(const BadValue& bad, std::ostream* out) {
  *out << bad.setting;
}

class BadValues : public ConfigurationFile, public testing::WithParamInterface<BadValue> {};

TEST_P(BadValues, AreRefusedNamingTheKey) {
  const std::string sentence = refusal("", {GetParam().setting});

  const std::string key = GetParam().setting.substr(0, GetParam().setting.find('='));
  EXPECT_TRUE(sentence.starts_with("command line: " + key)) << sentence;
  EXPECT_NE(sentence.find(GetParam().part), std::string::npos) << sentence;
}

INSTANTIATE_TEST_SUITE_P(
    Configuration, BadValues,
    testing::Values(
        BadValue{"federation.rounds=0", "1 to 10000000"}, BadValue{"federation.rounds=-1", "1 to"},
        BadValue{"federation.rounds=1.5", "1 to"}, BadValue{"federation.name=../up", "letters"},
        BadValue{"federation.cohort=0", "at most 1"}, BadValue{"federation.cohort=1.01", "at most 1"},
        BadValue{"federation.cohort=nan", "at most 1"}, BadValue{"federation.resume=maybe", "true or"},
        BadValue{"federation.min_merchants=2", "at least 3"},
        BadValue{"federation.seed=18446744073709551616", "2^63-1"},
        BadValue{"data.format=xml", "csv | libsvm | ratings"}, BadValue{"data.numeric=a,,b", "empty"},
        BadValue{"data.numeric=a[0..1", "commas"}, BadValue{"data.label=a\nb", "control"},
        BadValue{"data.label=a\"b", "quotes"}, BadValue{"data.partition=iid:0", "iid:N"},
        BadValue{"data.partition=dirichlet:4", "ALPHA"}, BadValue{"data.test=hash:1", "FRACTION"},
        BadValue{"data.test=column:", "column:NAME"}, BadValue{"data.format=libsvm", "data.features"},
        BadValue{"workload.l2=-0.1", "number >= 0"}, BadValue{"workload.weights=some", "rows | equal"},
        BadValue{"workload.init=-1", "number >= 0"}, BadValue{"workload.l2_bias=", "number >= 0"},
        BadValue{"workload.learning_rate=0", "number > 0"},
        BadValue{"workload.learning_rate=inf", "number > 0"}, BadValue{"server.optimizer=adm", "adam"},
        BadValue{"privacy.unit=row", "record"}, BadValue{"privacy.epsilon=-1", "above 0"},
        BadValue{"privacy.epsilon=0", "above 0"}, BadValue{"privacy.delta=0", "above 0"},
        BadValue{"privacy.clip=0", "number > 0, or nothing"}, BadValue{"privacy.epsilon=1", "privacy.delta"},
        BadValue{"privacy.delta=1e-6", "privacy.epsilon"},
        BadValue{"privacy.noise_multiplier=1", "privacy.delta"},
        BadValue{"privacy.sampling_rate=0", "above 0"}, BadValue{"privacy.accountant=pld", "not in this"},
        BadValue{"aggregation.paillier_bits=2048", "3072 | 4096"},
        BadValue{"aggregation.paillier_bits=8192", "3072 | 4096"},
        BadValue{"aggregation.encryption=aes", "masked"}, BadValue{"aggregation.topology=ring", "star"},
        BadValue{"aggregation.keys=k", "roster"}, BadValue{"worker.threads=0", "1 to 1024"},
        BadValue{"policy.max_epsilon=1", "policy.delta"}));

TEST_F(ConfigurationFile, RefusesContradictionsOfThePrivacyKeys) {
  EXPECT_NE(
      refusal("[privacy]\nunit=none\nepsilon=1\ndelta=1e-6\n").find("f.ini:3: privacy.epsilon needs a unit"),
      std::string::npos);
  EXPECT_NE(refusal("[privacy]\nepsilon=1\ndelta=1e-6\nnoise_multiplier=1\n").find("contradict each other"),
            std::string::npos);
  EXPECT_EQ(refusal("[privacy]\nunit=none\n"), "no refusal");
  const std::string surplus = "[privacy]\nremove_surplus_noise=true\n";
  EXPECT_EQ(refusal(surplus), "no refusal");
  EXPECT_NE(refusal(surplus + "unit=none\n").find("f.ini:2: privacy.remove_surplus_noise needs a unit"),
            std::string::npos);
  for (const std::string encryption : {"none", "paillier"}) {
    EXPECT_NE(refusal(surplus + "[aggregation]\nencryption=" + encryption + "\n").find("encryption=masked"),
              std::string::npos);
  }
  EXPECT_NE(refusal(surplus + "[aggregation]\ntopology=tree\n").find("topology=star"), std::string::npos);
  EXPECT_EQ(refusal("[aggregation]\ntopology=tree\n"), "no refusal");
  EXPECT_NE(refusal("[aggregation]\ntopology=tree\nencryption=none\n").find("topology=tree needs"),
            std::string::npos);
  EXPECT_EQ(refusal("[federation]\nmin_merchants=1\n[aggregation]\nencryption=none\n"), "no refusal");
  EXPECT_EQ(refusal("[federation]\nmin_merchants=3\n[aggregation]\nencryption=paillier\n"), "no refusal");
  EXPECT_NE(refusal("[federation]\nmin_merchants=2\n[aggregation]\nencryption=paillier\n").find("at least 3"),
            std::string::npos);
}

/// A value for `key`, of those the table allows; an empty one where the key takes any text.
std::string random_value(const Key& key, SeededGenerator& random) {
  const auto pick = [&](std::vector<std::string> from) { return from[random.below(from.size())]; };
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::ostringstream number;
    number.precision(17);
    number << std::exp(20 * random.uniform() - 12);
    const std::string text = pick({std::to_string(random.below(5)),
                                   std::to_string(random() >> (1 + random.below(60))),
                                   number.str(),
                                   "0." + std::to_string(1 + random.below(1'000'000)),
                                   "true",
                                   "all",
                                   "customer",
                                   "record",
                                   "csv",
                                   "ratings",
                                   "adam",
                                   "regression",
                                   "rdp",
                                   "equal",
                                   "rfm",
                                   "ease",
                                   "masked",
                                   "none",
                                   "64",
                                   "4096",
                                   "star",
                                   "tree",
                                   "test",
                                   "iid:7",
                                   "dirichlet:8,0.3",
                                   "hash:0.2",
                                   "column:split",
                                   "a b",
                                   "\" edge \"",
                                   "\"Invoice #\"",
                                   "a#64, b{x,y|z}, log1p:c[0..12]",
                                   "\"a,b\", \"c[\", d",
                                   "\"#first\", e",
                                   ""});
    Configuration scratch;
    if (!key.write(scratch, text)) {
      return text;
    }
  }
  ADD_FAILURE() << "no value found for " << key.name;
  return "";
}

TEST_F(ConfigurationFile, ReadsBackItsCanonicalTextExactly) {
  int read_back = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SeededGenerator random({seed});
    Configuration configuration;
    for (const Key& key : key_table()) {
      // Privacy keys seldom, because most combinations contradict each other.
      const std::uint64_t one_in = key.name.starts_with("privacy.") ? 12 : 2;
      if (!key.name.starts_with("policy.") && random.below(one_in) == 0) {
        ASSERT_EQ(key.write(configuration, random_value(key, random)), std::nullopt) << key.name;
      }
    }
    const std::string text = canonical_text(configuration);

    // Key by key, so that a contradiction between random values does not hide anything.
    std::ofstream(file()) << text;
    Configuration again;
    try {
      again = read_configuration(file(), {});
    } catch (const Failure& failure) {
      const std::string what = failure.what();
      ASSERT_EQ(what.find("expected"), std::string::npos) << what << "\n" << text;
      ASSERT_EQ(what.find("unknown"), std::string::npos) << what << "\n" << text;
      continue;
    }

    again.federation.start = configuration.federation.start;
    again.data.path = configuration.data.path;
    again.data.test = configuration.data.test;
    again.data.merchant = configuration.data.merchant;
    again.aggregation.roster = configuration.aggregation.roster;
    again.aggregation.keys = configuration.aggregation.keys;
    ASSERT_EQ(canonical_text(again), text) << "seed " << seed;
    ASSERT_EQ(again.data.numeric, configuration.data.numeric);
    ASSERT_EQ(again.workload.l2, configuration.workload.l2);
    ++read_back;
  }
  EXPECT_GT(read_back, 100);
}

TEST_F(ConfigurationFile, MeansTheSamePathsWhenItsCanonicalTextIsReadElsewhere) {
  const std::string text =
      canonical_text(read("[data]\npath = a.csv\ntest = path:b.csv\nmerchant = m@c.csv\n"));
  std::filesystem::create_directories(folder_ / "runs/x");
  std::ofstream(folder_ / "runs/x/federation.ini") << text;

  EXPECT_EQ(canonical_text(read_configuration(folder_ / "runs/x/federation.ini", {})), text);
}

TEST_F(ConfigurationFile, KeepsAWorkloadsOwnKeysAsText) {
  const Configuration c = read("[workload]\nweights = equal\n", {"workload.l2_bias=0.5"});

  EXPECT_EQ(c.workload.other, (std::map<std::string, std::string>{{"l2_bias", "0.5"}, {"weights", "equal"}}));
  EXPECT_NE(canonical_text(c).find("\nl2_bias = 0.5\n"), std::string::npos);
}

/// Each with one sentence that names the key which is at odds with the others.
TEST_F(ConfigurationFile, RefusesTurnsWhereTheyHaveNoMeaning) {
  const std::string budget = "[privacy]\nepsilon=1\ndelta=1e-6\n";
  ASSERT_EQ(read(budget + "turns=4\ncorrelated_noise=banded\n").privacy.turns, 4u);

  EXPECT_NE(refusal(budget + "turns=4\nsampling_rate=0.5\n").find("privacy.sampling_rate"),
            std::string::npos);
  EXPECT_NE(refusal(budget + "turns=4\nadaptive_clip=true\n").find("privacy.adaptive_clip"),
            std::string::npos);
  EXPECT_NE(refusal(budget + "turns=4\n[federation]\ncohort=0.5\n").find("federation.cohort"),
            std::string::npos);
  EXPECT_NE(refusal(budget + "turns=4\n[federation]\nrounds=3\n").find("federation.rounds"),
            std::string::npos);
  EXPECT_NE(refusal(budget + "turns=257\n").find("1 to 256"), std::string::npos);
  EXPECT_NE(refusal(budget + "correlated_noise=banded\n").find("privacy.turns"), std::string::npos);
  EXPECT_NE(refusal(budget + "turns=4\ncorrelated_noise=tree\n").find("banded"), std::string::npos);
  EXPECT_NE(refusal("[privacy]\nunit=none\nturns=4\ncorrelated_noise=banded\n").find("privacy.unit is none"),
            std::string::npos);
}

TEST_F(ConfigurationFile, LeavesTheWorkersPolicyOutOfTheCanonicalText) {
  const Configuration c = read("[policy]\nmax_epsilon=2\ndelta=1e-6\n");

  EXPECT_EQ(canonical_text(c).find("policy"), std::string::npos);
  EXPECT_EQ(c.policy.max_epsilon, 2);
}

TEST(ConfigurationKeys, AreAllDescribedWithRangeDefaultAndHelp) {
  const std::string description = describe_keys();

  for (const Key& key : key_table()) {
    EXPECT_NE(description.find("  " + key.name + "  (" + key.range + ")"), std::string::npos) << key.name;
    EXPECT_GT(key.help.size(), 10u) << key.name;
  }
  EXPECT_NE(description.find("federation.rounds  (1 to 10000000)  [100]"), std::string::npos);
}

}  // namespace
}  // namespace hanse
