#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/numerics/smoothing.h"
#include "common/workloads/facts.h"
#include "common/workloads/marked_cells.h"
#include "common/workloads/workload.h"

namespace hanse {

/// How much will be sold next week, and when must be ordered? Totals of each category and week, by one private sum, and
/// forecasts by smoothing of what was opened (common/numerics/smoothing.h), which costs no privacy: they are functions of the
/// totals. A week is a word of the first categorical column, week[1..53], a category one of the second, if there is one; a
/// row's amount is its label as a number, or 1 without a label.
///
///   total of category c and week w  =  sum over rows of c in w of the amount
///
/// Of each series, and of the sum of all categories, the last `holdout` weeks are held back: the method is chosen by how well it
/// foresees the `holdout` weeks before those, one week ahead, and is then judged by those held back. Figures: test_rmse, over
/// all categories and weeks held back, and test_rmse_naive, of the value of the week before. Then it is fitted to all weeks, for
/// forecasts with intervals of 95 % and reorder points. s is the root mean square of its one-week-ahead errors; with
/// privacy the noise of the totals is in it, so intervals are too wide rather than too narrow.
///
/// A unit contributes its amounts, divided by the largest absolute value A of the label's range, so that a row has norm 1 at
/// most. With Unit::record that is the sensitivity; vectors of customers and merchants are scaled down to norm C where they are
/// longer: a unit that comes or goes moves the sum by at most C = privacy.clip (in units of A), otherwise 8 for a customer and
/// 256 for a merchant. Natural unit: the record. Without a unit of privacy merchants' totals are added, each in two parts
/// (common/workloads/two_parts.h), and are exact to the last digits of a double; beside them
/// are marks of who has rows of a category and week, and a total of fewer than min_contributors merchants is 0
/// (common/workloads/marked_cells.h).
/// There are no test rows: the weeks are the test.
///
/// Layout of the parameters: totals / A, row-major by category, then week.
class Trend final : public Workload {
 public:
  struct Options {
    std::uint32_t first_week_column = 0;
    std::vector<std::int64_t> weeks;  ///< One a column, consecutive.
    std::uint32_t first_category_column = 0;
    std::vector<std::string> categories;  ///< Empty: all rows are one.
    bool labelled = false;                ///< Amounts are labels; otherwise 1.
    std::string amount = "rows";          ///< What is forecast, for people.
    double scale = 1;                     ///< A
    bool negative = false;                ///< Amounts may be.
    std::int64_t first_week = 0;          ///< Weeks before are not used: half a week at the beginning.
    std::size_t holdout = 8;
    std::size_t horizon = 4;
    std::size_t season = 0;  ///< Weeks; 0: none.
    std::size_t lead_time = 1;
    double service_level = 0.95;
    Unit unit = Unit::none;  ///< Of privacy.
    double clip = 0;         ///< 0: the unit's own.
    double noise = 0;        ///< Noise multiplier.
    double train_rows = 1;
    std::uint32_t min_contributors = 1;  ///< Merchants of a total, without a unit of privacy.
  };
  explicit Trend(Options options);

  std::string_view name() const override { return "trend"; }
  Unit natural_unit() const override { return Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model&) const override { return std::nullopt; }
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  /// "totals" (categories, weeks) and "forecasts" (categories + 1, horizon): all together come last.
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;

 private:
  MarkedCells cells() const { return {length(), exact() ? options_.min_contributors : 1}; }
  /// One category's series, and what is said of it.
  struct Outlook {
    std::string name;
    std::vector<double> series;
    bool of_all = false;  ///< All categories together.
    SmoothingModel model = {};
    std::vector<double> forecasts = {};  ///< As far as the horizon and the lead time.
    ErrorGrowth growth = {};
    double deviation = 0;     ///< s
    double square = 0;        ///< Mean square one week ahead in the weeks held back.
    double square_naive = 0;  ///< Of the value of the week before.
  };
  bool exact() const { return options_.unit == Unit::none; }
  std::size_t rows() const { return options_.categories.empty() ? 1 : options_.categories.size(); }
  std::size_t length() const { return rows() * options_.weeks.size(); }
  double clip_norm() const;
  Outlook outlook_of(std::string name, std::vector<double> series) const;
  /// Of each category, and of all together where there are several.
  std::vector<Outlook> outlooks(const Model& model) const;
  bool hidden_by_noise(const Outlook& outlook) const;

  Options options_;
};

/// As [workload], [data] and [privacy] ask for it. Throws bad_input naming the key.
std::unique_ptr<Workload> make_trend(const Configuration& configuration, const WorkloadFacts& facts);

}  // namespace hanse
