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

/// A clip norm under which a whole merchant's rows count, where `sum` may be for one row.
double clip_of_merchant(const PrivateSum& sum, std::uint64_t rows) {
  return sum.without_privacy == Unit::merchant
             ? sum.clip_norm
             : power_of_two_above(sum.clip_norm * static_cast<double>(rows));
}

}  // namespace

ByGroup::ByGroup(std::unique_ptr<Workload> inner, Options options)
    : inner_(std::move(inner)), options_(std::move(options)) {
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
    groups_.emplace_back("none");
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
  if (sum) {
    sum->name += " by group";
    sum->length *= groups_.size();
    if (counts_merchants()) {
      sum->length += groups_.size();
      sum->clip_norm = 2 * clip_of_merchant(*sum, options_.max_units);
      sum->without_privacy = Unit::merchant;
    }
  }
  return sum;
}

Contributor ByGroup::contributor(const Model& model, const PrivateSum& sum) const {
  if (sum.purpose != Purpose::evaluation) {
    return inner_->contributor(model, sum);
  }
  const std::size_t length = inner_->evaluation_sum(model)->length;
  const auto sums = std::make_shared<ContributionAccumulator>(0, sum.length, 1);
  const auto part = std::make_shared<Contribution>();
  return [this, length, sums, part, inner = inner_->contributor(model, *inner_->evaluation_sum(model))](
             const UnitRows& unit, Contribution& out) {
    std::vector<bool> has(groups_.size(), false);
    for (std::size_t i = 0; i < unit.test.size(); ++i) {
      const std::size_t group = group_of(unit, unit.test.row(i));
      part->clear();
      inner({.train = {}, .test = unit.test.only(i), .merchant = unit.merchant}, *part);
      for_each_entry(*part,
                     [&](std::size_t index, double value) { (*sums)[group * length + index] += value; });
      has[group] = true;
    }
    for (std::size_t group = 0; counts_merchants() && group < has.size(); ++group) {
      if (has[group]) {
        (*sums)[groups_.size() * length + group] = 1;
      }
    }
    sums->flush(out);
  };
}

Metrics ByGroup::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  if (sum.purpose != Purpose::evaluation) {
    return inner_->apply(model, sum, total);
  }
  const PrivateSum inner = *inner_->evaluation_sum(model);
  const std::span<const double> merchants = total.subspan(groups_.size() * inner.length);
  std::vector<double> all(inner.length, 0.0);
  Metrics metrics;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    const std::span<const double> part = total.subspan(group * inner.length, inner.length);
    std::transform(part.begin(), part.end(), all.begin(), all.begin(), std::plus<>());
    if (counts_merchants() &&
        (merchants[group] < 1 || (!options_.alone && merchants[group] < options_.min_contributors))) {
      continue;
    }
    for (const auto& [figure, value] : inner_->apply(model, inner, part)) {
      if (!is_detail(figure)) {
        metrics[detail_name(figure, dimension_, groups_[group])] = value;
      }
    }
  }
  metrics.merge(inner_->apply(model, inner, all));
  return metrics;
}

}  // namespace hanse
