#include "common/workloads/by_group.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/data/numbers.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/figure_tables.h"
#include "common/workloads/two_parts.h"

namespace hanse {
namespace {

constexpr const char* kMerchantSize = "merchant-size";
constexpr std::size_t kSizes = 7;  // Powers of ten, from less than 10 rows to a million and more.

std::string short_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string size_name(std::size_t decade) {
  const auto power = [](std::size_t n) { return static_cast<long>(std::pow(10, n)); };
  const std::string low = decade == 0 ? "1" : std::to_string(power(decade));
  return decade + 1 == kSizes ? low + " and more" : low + "-" + std::to_string(power(decade + 1) - 1);
}

/// "age[18,30]": the cuts, of which every next one is greater.
std::vector<double> read_cuts(const std::string& group, std::size_t open) {
  std::vector<double> cuts;
  std::size_t at = open + 1;
  while (group.ends_with(']') && at < group.size()) {
    const std::size_t end = std::min(group.find(',', at), group.size() - 1);
    const auto cut = read_number(group.substr(at, end - at));
    if (!cut || (!cuts.empty() && *cut <= cuts.back())) {
      break;
    }
    cuts.push_back(*cut);
    at = end + 1;
  }
  if (cuts.empty() || at < group.size()) {
    throw bad_input("workload.group: expected COLUMN[CUT,CUT,...] with increasing numbers; got '" + group +
                    "'");
  }
  return cuts;
}

}  // namespace

ByGroup::ByGroup(std::unique_ptr<Workload> inner, Options options)
    : inner_(std::move(inner)), options_(std::move(options)) {
  if (const Model model = inner_->initial_model(0); !inner_->scorer(model) && !inner_->class_scorer(model)) {
    throw bad_input("workload.group: workload.name=" + std::string(inner_->name()) +
                    " does not predict row by row, so there is nothing to compare: leave it out");
  }
  const std::string& group = options_.group;
  const FeatureSpace& space = options_.space;
  if (group == kMerchantSize) {
    if (options_.unit != Unit::none && options_.unit != Unit::merchant) {
      throw bad_input(
          "workload.group=merchant-size: with privacy.unit=" + std::string(name_of(options_.unit)) +
          " one more record could move all records of its merchant to another group; group by a column");
    }
    dimension_ = "training rows of the merchant";
    for (std::size_t decade = 0; decade < kSizes; ++decade) {
      groups_.push_back(size_name(decade));
    }
    return;
  }
  const std::size_t open = group.find('[');
  dimension_ = group.substr(0, open);
  if (open == group.npos) {
    const auto range = std::ranges::find(space.sparse_ranges, group, &ColumnRange::name);
    if (range == space.sparse_ranges.end()) {
      throw bad_input("workload.group: there is no column of words '" + group +
                      "' in data.categorical; for a number write COLUMN[CUT,CUT,...]");
    }
    begin_ = range->begin;
    end_ = range->end;
    for (std::uint32_t column = begin_; column < end_; ++column) {
      const std::string& name = space.names[column];  // "region=3", "region#17".
      groups_.push_back(
          name.starts_with(group) ? name.substr(group.size() + (name[group.size()] == '=' ? 1 : 0)) : name);
    }
    groups_.emplace_back("(none)");
    return;
  }
  const auto number = std::find(space.names.begin(), space.names.begin() + space.numeric, dimension_);
  if (number == space.names.begin() + space.numeric) {
    throw bad_input("workload.group: there is no number '" + dimension_ + "' in data.numeric");
  }
  begin_ = static_cast<std::uint32_t>(number - space.names.begin());
  end_ = begin_ + 1;
  cuts_ = read_cuts(group, open);
  for (std::size_t i = 0; i <= cuts_.size(); ++i) {
    groups_.push_back(i == 0              ? "below " + short_text(cuts_[0])
                      : i == cuts_.size() ? short_text(cuts_.back()) + " and more"
                                          : short_text(cuts_[i - 1]) + "-" + short_text(cuts_[i]));
  }
  for (double& cut : cuts_) {
    cut = (cut - options_.mean[begin_]) / options_.deviation[begin_];
  }
}

std::size_t ByGroup::group_of(const UnitRows& unit, const SparseRow& row) const {
  if (options_.group == kMerchantSize) {
    const double rows = static_cast<double>(std::max<std::size_t>(unit.train.size(), 1));
    return std::min(static_cast<std::size_t>(std::log10(rows)), kSizes - 1);
  }
  const auto found = std::ranges::lower_bound(row.columns, begin_);
  const bool has = found != row.columns.end() && *found < end_;
  if (cuts_.empty()) {
    return has ? *found - begin_ : groups_.size() - 1;
  }
  // A number that stands at its mean may be left out.
  const double value =
      has ? static_cast<double>(row.values[static_cast<std::size_t>(found - row.columns.begin())]) : 0;
  return static_cast<std::size_t>(std::ranges::upper_bound(cuts_, value) - cuts_.begin());
}

std::optional<PrivateSum> ByGroup::evaluation_sum(const Model& model) const {
  std::optional<PrivateSum> sum = inner_->evaluation_sum(model);
  if (!sum) {
    return sum;
  }
  const bool parts = in_two_parts(*sum);
  sum->name += " by group";
  sum->length = groups_.size() * (sum->length + (parts ? 2u : counts_merchants() ? 1u : 0u));
  if (counts_merchants()) {
    sum->clip_norm =
        2 * (parts ? sum->clip_norm
                   : power_of_two_above(sum->clip_norm * static_cast<double>(options_.max_units)));
    sum->without_privacy = Unit::merchant;
  }
  return sum;
}

Contributor ByGroup::contributor(const Model& model, const PrivateSum& sum) const {
  if (sum.purpose != Purpose::evaluation) {
    return inner_->contributor(model, sum);
  }
  const PrivateSum inner_sum = *inner_->evaluation_sum(model);
  const bool parts = in_two_parts(inner_sum);
  const std::size_t length = parts ? inner_sum.length / 2 : inner_sum.length;
  const std::size_t entries = parts ? sum.length / 2 : sum.length;
  struct Scratch {
    ContributionAccumulator sums;
    Contribution row;
    std::vector<double> dense, all;
  };
  const auto scratch = std::make_shared<Scratch>(Scratch{{0, entries, 1}, {}, {}, {}});
  return [=, this, clip = sum.clip_norm, inner = inner_->contributor(model, inner_sum)](const UnitRows& unit,
                                                                                        Contribution& out) {
    Scratch& s = *scratch;
    std::vector<bool> has(groups_.size(), false);
    s.all.assign(parts && !unit.test.empty() ? entries : 0, 0.0);
    for (std::size_t i = 0; i < unit.test.size(); ++i) {
      const std::size_t group = group_of(unit, unit.test.row(i));
      has[group] = true;
      s.row.clear();
      inner({.train = {}, .test = unit.test.only(i), .merchant = unit.merchant}, s.row);
      if (!parts) {
        for_each_entry(s.row,
                       [&](std::size_t index, double value) { s.sums[group * length + index] += value; });
        continue;
      }
      s.dense.assign(inner_sum.length, 0.0);  // Parts of a row are joined: those of many would not fit.
      for_each_entry(s.row, [&](std::size_t index, double value) { s.dense[index] = value; });
      const std::vector<double> whole = joined(s.dense);
      for (std::size_t k = 0; k < length; ++k) {
        s.all[group * length + k] += whole[k];
      }
    }
    for (std::size_t group = 0; counts_merchants() && group < has.size(); ++group) {
      if (has[group]) {
        (parts ? s.all[groups_.size() * length + group] : s.sums[groups_.size() * length + group]) = 1;
      }
    }
    if (!parts) {
      s.sums.flush(out);
    } else if (!s.all.empty()) {
      split_in_two(s.all, clip);
      out.add_block(0, s.all);
    }
  };
}

/// The inner totals of all groups, and the merchants of each where they are counted.
ByGroup::Totals ByGroup::totals(const PrivateSum& inner, std::span<const double> total) const {
  const bool parts = in_two_parts(inner);
  const std::vector<double> values = joined(total, parts);
  const std::size_t length = parts ? inner.length / 2 : inner.length;
  const auto part = [&](std::size_t first) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(length));
  };
  Totals totals{.groups = {}, .all = std::vector<double>(length, 0.0), .merchants = {}};
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    totals.groups.push_back(part(group * length));
    std::ranges::transform(totals.groups.back(), totals.all, totals.all.begin(), std::plus<>());
    if (parts) {
      split_in_two(totals.groups.back(), inner.clip_norm);
    }
  }
  if (parts) {
    split_in_two(totals.all, inner.clip_norm);
  }
  totals.merchants.assign(values.begin() + static_cast<std::ptrdiff_t>(groups_.size() * length),
                          values.end());
  return totals;
}

/// Figures of the groups that there is enough of: merchants, or rows beyond the noise in all entries of a part.
Metrics ByGroup::group_figures(const PrivateSum& inner, const Totals& totals, double noise) const {
  Model model = inner_->initial_model(0);  // Figures of a total do not depend on it.
  Metrics metrics;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    const double fewest = options_.alone ? 1 : options_.min_contributors;
    if (counts_merchants() && totals.merchants[group] < std::max(fewest, 1.0) - 0.5) {
      continue;
    }
    const Metrics figures = inner_->apply(model, inner, totals.groups[group]);
    const auto rows = figures.find("test_rows");
    if (rows == figures.end() || rows->second < 4 * noise * std::sqrt(static_cast<double>(inner.length))) {
      continue;
    }
    for (const auto& [figure, value] : figures) {
      if (!is_detail(figure)) {
        metrics[detail_name(figure, dimension_, groups_[group])] = value;
      }
    }
  }
  return metrics;
}

Metrics ByGroup::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  if (sum.purpose != Purpose::evaluation) {
    return inner_->apply(model, sum, total);
  }
  const PrivateSum inner = *inner_->evaluation_sum(model);
  return inner_->apply(model, inner, totals(inner, total).all);
}

Insights ByGroup::evaluation_insights(const PrivateSum&, std::span<const double> total, double noise) const {
  const PrivateSum inner = *inner_->evaluation_sum(inner_->initial_model(0));
  const Totals totals = this->totals(inner, total);
  Insights insights =
      inner_->evaluation_insights(inner, totals.all, noise * std::sqrt(static_cast<double>(groups_.size())));
  insights.append(figure_tables(group_figures(inner, totals, noise)));
  return insights;
}

}  // namespace hanse
