#include "common/workloads/figure_tables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <set>

namespace hanse {
namespace {

struct Detail {
  std::string figure, dimension, value;
};

std::optional<Detail> detail_of(const std::string& name) {
  const std::size_t open = name.find('[');
  const std::size_t equals = name.find('=', open == name.npos ? name.size() : open);
  if (equals == name.npos || name.back() != ']') {
    return std::nullopt;
  }
  return Detail{.figure = name.substr(0, open),
                .dimension = name.substr(open + 1, equals - open - 1),
                .value = name.substr(equals + 1, name.size() - equals - 2)};
}

/// Values that begin with a number are in its order, and before words.
struct ValueOrder {
  static double number(const std::string& text) {
    if (text.starts_with("below ")) {
      return -std::numeric_limits<double>::infinity();
    }
    double value = std::numeric_limits<double>::infinity();
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  bool operator()(const std::string& a, const std::string& b) const {
    return std::pair(number(a), a) < std::pair(number(b), b);
  }
};

using Table = std::map<std::string, Metrics, ValueOrder>;  // By value, figures.

struct Leading {
  const char* figure;
  bool more_is_better;
};
constexpr std::array<Leading, 3> kLeading = {
    {{"test_auc", true}, {"test_accuracy", true}, {"test_rmse", false}}};

std::string text_of(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string gap_sentence(const std::string& dimension, const Table& table, const Leading& leading) {
  const std::pair<const std::string, Metrics>*best = nullptr, *worst = nullptr;
  const auto figure = [&](const auto& row) { return row.second.at(leading.figure); };
  for (const auto& row : table) {
    if (!row.second.contains(leading.figure)) {
      continue;
    }
    const auto better = [&](const auto& a, const auto& b) {
      return leading.more_is_better ? figure(a) > figure(b) : figure(a) < figure(b);
    };
    best = best == nullptr || better(row, *best) ? &row : best;
    worst = worst == nullptr || better(*worst, row) ? &row : worst;
  }
  if (best == worst) {
    return "";
  }
  return std::string(leading.figure) + " by " + dimension + ": best for " + best->first + " (" +
         text_of(figure(*best)) + "), worst for " + worst->first + " (" + text_of(figure(*worst)) +
         "): a gap of " + text_of(std::abs(figure(*best) - figure(*worst))) + ".";
}

InsightTable table_of(const std::string& dimension, const Table& values) {
  std::set<std::string> figures;
  for (const auto& [value, row] : values) {
    for (const auto& [figure, number] : row) {
      figures.insert(figure);
    }
  }
  InsightTable table{.name = "figures_by_" + dimension,
                     .title = "Test figures by " + dimension,
                     .columns = {dimension},
                     .rows = {}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const auto& [value, row] : values) {
    std::vector<InsightCell> cells = {value};
    for (const std::string& figure : figures) {
      const auto found = row.find(figure);
      cells.emplace_back(found == row.end() ? std::numeric_limits<double>::quiet_NaN() : found->second);
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::string detail_name(std::string_view figure, std::string_view dimension, std::string_view value) {
  return std::string(figure) + "[" + std::string(dimension) + "=" + std::string(value) + "]";
}

bool is_detail(std::string_view figure) {
  return figure.ends_with(']');
}

Insights figure_tables(const Metrics& figures) {
  std::map<std::string, Table> tables;
  for (const auto& [name, number] : figures) {
    if (const auto detail = detail_of(name)) {
      tables[detail->dimension][detail->value][detail->figure] = number;
    }
  }
  Insights insights;
  for (const auto& [dimension, table] : tables) {
    for (const Leading& leading : kLeading) {
      if (const std::string sentence = gap_sentence(dimension, table, leading); !sentence.empty()) {
        insights.sentences.push_back(sentence);
      }
    }
    insights.tables.push_back(table_of(dimension, table));
  }
  return insights;
}

}  // namespace hanse
