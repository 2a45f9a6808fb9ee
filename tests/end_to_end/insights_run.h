#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/workloads/insights.h"
#include "privacy/published/model_file.h"
#include "tests/end_to_end/made_up_market.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {

/// Examples run on real data by the programs that users start. Skips where HANSE_DATA is not set.
class InsightsRun : public testing::Test {
 protected:
  void SetUp() override;

  /// Trains by an example's configuration and these settings, which come first, into the folder `run`.
  void run(const std::string& example, const std::vector<std::string>& settings,
           const std::string& folder = "run", const std::string& workers = "2");
  static std::string ini_of(const std::string& example);

  std::string path_of(const std::string& file) const { return "data.path=" + (data_ / file).string(); }
  /// A figure in the last line of metrics.jsonl that has it; NaN where there is none.
  double last_figure(const std::string& key, const std::string& folder = "run") const;
  /// What the run says in model/insights.json.
  Insights insights(const std::string& folder = "run") const;
  /// Array of the published model.
  std::vector<double> array(const std::string& name, const std::string& folder = "run") const;
  /// Exit code of `hanse audit`, within this budget where one is given.
  int audit(const std::string& budget = "", const std::string& folder = "run") const;
  /// The same bytes of model for 1, 2 and 5 workers.
  void expect_same_bytes(const std::string& example, std::vector<std::string> settings);

  std::filesystem::path data_;
  MarketFolder folder_{1, 1};
};

/// A table by its name; a failed test where there is none.
InsightTable table_of(const Insights& insights, const std::string& name);

}  // namespace hanse
