#include "tests/end_to_end/insights_run.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "coordinator/output/insights_file.h"

namespace hanse {

void InsightsRun::SetUp() {
  const char* folder = std::getenv("HANSE_DATA");
  if (folder == nullptr || *folder == '\0') {
    GTEST_SKIP() << "HANSE_DATA is not set";
  }
  data_ = folder;
}

std::string InsightsRun::ini_of(const std::string& example) {
  return std::string(HANSE_SOURCE_DIR) + "/examples/" + example;
}

void InsightsRun::run(const std::string& example, const std::vector<std::string>& settings,
                      const std::string& folder, const std::string& workers) {
  std::vector<std::string> words = {"hanse", "run", ini_of(example), "-n", workers, "output.dir=" + folder};
  words.insert(words.end(), settings.begin(), settings.end());
  StartedProgram started(words, folder_.path());
  const Outcome outcome = started.wait(std::chrono::seconds(240));
  ASSERT_EQ(outcome.code, 0) << outcome.output << outcome.errors;
}

double InsightsRun::last_figure(const std::string& key, const std::string& folder) const {
  double figure = std::nan("");
  for (const std::string& line : lines_of(bytes_of_file(folder_ / folder / "metrics.jsonl"))) {
    figure = nlohmann::json::parse(line).value(key, figure);
  }
  return figure;
}

Insights InsightsRun::insights(const std::string& folder) const {
  const std::filesystem::path file = folder_ / folder / "model" / "insights.json";
  return decode_insights(bytes_of_file(file), file.string());
}

std::vector<double> InsightsRun::array(const std::string& name, const std::string& folder) const {
  const PublishedModel model = read_model(folder_ / folder);
  const NamedArray* found = model.find(name);
  EXPECT_NE(found, nullptr) << name;
  return found == nullptr ? std::vector<double>() : found->values;
}

int InsightsRun::audit(const std::string& budget, const std::string& folder) const {
  std::vector<std::string> words = {"hanse", "audit", folder};
  if (!budget.empty()) {
    words.insert(words.end(), {"--budget", budget});
  }
  return run_in(folder_.path(), words).code;
}

void InsightsRun::expect_same_bytes(const std::string& example, std::vector<std::string> settings) {
  for (const char* workers : {"1", "2", "5"}) {
    ASSERT_NO_FATAL_FAILURE(run(example, settings, std::string("workers-") + workers, workers));
  }
  const auto one = model_files(folder_ / "workers-1");
  ASSERT_TRUE(one.contains("model.hanse"));
  EXPECT_TRUE(one == model_files(folder_ / "workers-2"));
  EXPECT_TRUE(one == model_files(folder_ / "workers-5"));
}

InsightTable table_of(const Insights& insights, const std::string& name) {
  const auto found = std::ranges::find(insights.tables, name, &InsightTable::name);
  EXPECT_NE(found, insights.tables.end()) << name;
  return found == insights.tables.end() ? InsightTable() : *found;
}

}  // namespace hanse
