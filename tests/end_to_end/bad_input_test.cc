// Bad input costs its user one clear sentence and exit code 2, and leaves nothing half-written behind.

#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

struct BadInput {
  const char* name;
  std::vector<std::string> settings;
  std::string sentence;   ///< A part of the one sentence: it names the thing.
  std::string data = {};  ///< Written to data.csv; {worker} files where `worker_data` is given.
  std::vector<std::string> worker_data = {};
  std::string workers = "2";
  const char* ini = "shop.ini";
};
void PrintTo(const BadInput& input, std::ostream* out) {
  *out << input.name;
}

const std::string kHeader = "shop,visits,price,kind,bought,part\n";
const std::string kThreeShops =
    "a,1,2,A,0,train\na,2,1,B,1,train\nb,1,2,A,0,train\nb,3,1,C,1,train\nc,1,2,A,0,train\nc,2,1,B,1,test\n";
const std::string kOfA = kHeader + "a,1,2,A,0,train\na,2,1,B,1,train\n";
const std::string kOfB = kHeader + "b,1,2,A,0,train\nb,3,1,C,1,train\n";

std::string with_line(const std::string& line) {
  return kHeader + kThreeShops + line + "\n";
}

std::vector<BadInput> bad_inputs() {
  const std::vector<std::string> own = {"data.path=data.csv"};
  const std::vector<std::string> each = {"data.path=data{worker}.csv"};
  return {
      {"UnknownKey", {"workload.rnak=3"}, "unknown key workload.rnak: did you mean 'workload.rank'?"},
      {"UnknownWorkload", {"workload.name=logstic"}, "workload.name: expected one of logistic"},
      {"ClipNotPositive", {"privacy.clip=0"}, "privacy.clip"},
      {"EpsilonNotPositive", {"privacy.unit=record", "privacy.epsilon=-1"}, "privacy.epsilon"},
      {"DeltaMissing", {"privacy.unit=record", "privacy.epsilon=1"}, "privacy.epsilon needs privacy.delta"},
      {"UnitWithoutBudget", {"privacy.unit=record"}, "privacy.unit=record needs privacy.epsilon"},
      {"BudgetWithoutUnit", {"privacy.epsilon=1", "privacy.delta=1e-5"}, "privacy.unit is none"},
      {"UnitFinerThanTheWorkloadKnows",
       {"privacy.unit=record", "privacy.epsilon=1", "privacy.delta=1e-5"},
       "privacy.unit",
       {},
       {},
       "2",
       "ratings.ini"},
      {"ResumeOfNoRunDirectory", {"federation.resume=true", "output.dir=."}, "is no run directory"},
      {"MissingDataFile", {"data.path=absent.csv"}, "absent.csv: cannot be read"},
      {"MissingColumn", {"data.label=bougth"}, "shop.csv:1: there is no column 'bougth'"},
      {"LabelOfAThirdKind", own, "data.csv:8: column bought: expected 0 or 1", with_line("a,1,1,A,2,train")},
      {"NotANumber", own, "data.csv:8: column visits: expected a finite number, got 'nan'",
       with_line("a,nan,1,A,1,train")},
      {"Infinity", own, "data.csv:8: column price: expected a finite number, got 'inf'",
       with_line("a,1,inf,A,1,train")},
      {"CellMissing", own, "data.csv:8", with_line("a,1,1,A,1")},
      {"EmptyFile", own, "data.csv: the file is empty", "\n"},
      {"HeaderOnly", own, "data.csv has no rows", kHeader},
      {"MoreColludersThanSurplusNoiseBears",
       {"privacy.unit=record", "privacy.epsilon=4", "privacy.delta=1e-5", "privacy.remove_surplus_noise=true",
        "privacy.collusion=7"},
       "that collude: lower privacy.collusion=7"},
      {"OneMerchantUnderMasks", own, "there is 1 merchant", kOfA, {}, "1"},
      {"TwoMerchantsUnderMasks", own, "there are 2 merchants", kOfA + "b,1,1,A,1,train\n"},
      {"MoreWorkersThanMerchants", own, "more workers than merchants", kHeader + kThreeShops, {}, "4"},
      {"AWorkerWithoutRows", each, "has no rows for worker 2", {}, {kOfA, kHeader, kOfB}, "3"},
      {"AMerchantAtTwoWorkers", each, "merchant a is at rank 1 and at rank 3", {}, {kOfA, kOfB, kOfA}, "3"},
  };
}

class BadInputs : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputs, EndWithCodeTwoOneSentenceAndNothingWritten) {
  const BadInput& input = GetParam();
  const MarketFolder market(3, 8);
  market.write("data.csv", input.data == "\n" ? "" : input.data);
  for (std::size_t worker = 1; worker <= input.worker_data.size(); ++worker) {
    market.write("data" + std::to_string(worker) + ".csv", input.worker_data[worker - 1]);
  }
  std::vector<std::string> words = {"hanse", "run", input.ini, "-n", input.workers};
  words.insert(words.end(), input.settings.begin(), input.settings.end());

  const Outcome run = run_in(market.path(), words);

  EXPECT_EQ(run.code, 2) << run.output << run.errors;
  ASSERT_EQ(lines_of(run.errors).size(), 1u) << run.errors;
  EXPECT_LE(lines_of(run.output).size(), 1u) << "at most the line of mpirun: " << run.output;
  EXPECT_NE(run.errors.find(input.sentence), std::string::npos) << run.errors;
  EXPECT_FALSE(fs::exists(market / "run"));
  EXPECT_FALSE(fs::exists(market / "absent"));
  EXPECT_EQ(processes_with(market.path().string()).size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, BadInputs, testing::ValuesIn(bad_inputs()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(BadOutput, AMissingIniIsNamed) {
  const MarketFolder market(3, 8);

  const Outcome run = run_in(market.path(), {"hanse", "run", "absent.ini"});

  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.errors, "hanse run: cannot read absent.ini: No such file or directory\n");
}

TEST(BadOutput, AFolderThatIsThereIsNotWrittenOver) {
  const MarketFolder market(3, 8);
  fs::create_directories(market / "run");
  market.write("run/mine.txt", "mine");

  const Outcome run = run_in(market.path(), {"hanse", "run", "shop.ini", "-n", "2"});

  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(lines_of(run.errors).size(), 1u) << run.errors;
  EXPECT_NE(run.errors.find("output.dir run exists already"), std::string::npos) << run.errors;
  EXPECT_EQ(std::distance(fs::directory_iterator(market / "run"), fs::directory_iterator()), 1);
}

TEST(BadOutput, AFolderThatCannotBeMadeIsNamed) {
  const MarketFolder market(3, 8);

  const Outcome run =
      run_in(market.path(), {"hanse", "run", "shop.ini", "-n", "2", "output.dir=shop.csv/run"});

  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(lines_of(run.errors).size(), 1u) << run.errors;
  EXPECT_NE(run.errors.find("output.dir shop.csv/run cannot be made"), std::string::npos) << run.errors;
}

TEST(BadOutput, IsRefusedByTheCoordinatorItselfUnderAPlainMpirun) {
  const MarketFolder market(3, 8);
  const std::string bin = HANSE_BIN_DIR;

  StartedProgram plain({"mpirun", "-n", "1", bin + "/hanse-coordinator", "shop.ini", "workload.name=logstic",
                        ":", "-n", "2", bin + "/hanse-worker", "shop.ini", "workload.name=logstic"},
                       market.path(),
                       {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                        "OMPI_MCA_rmaps_base_oversubscribe=1"});
  const Outcome run = plain.wait();

  EXPECT_EQ(run.code, 2) << run.output << run.errors;
  EXPECT_NE(run.errors.find("workload.name: expected one of"), std::string::npos) << run.errors;
  EXPECT_FALSE(fs::exists(market / "run"));
}

}  // namespace
}  // namespace hanse
