#include "common/workloads/segment_words.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/figure.h"

namespace hanse {
namespace {

constexpr double kStandsOut = 0.5;  // Deviations from the mean,
constexpr double kFarOut = 1.5;
constexpr double kLongAgo = 0.75;
constexpr std::size_t kColumnsTold = 6;
constexpr std::size_t kWordsTold = 3;

std::string rfm_words(double recency, double frequency, double monetary) {
  const double value = (frequency + monetary) / 2;
  if (value >= kStandsOut) {
    return recency >= kLongAgo ? "high value, slipping away" : "high value, active";
  }
  if (recency >= kLongAgo) {
    return value <= -kStandsOut ? "dormant, bought little" : "dormant, once regular";
  }
  if (value <= -kStandsOut) {
    return recency < 0 ? "occasional, here lately" : "occasional, some time ago";
  }
  return recency < 0 ? "regular, active" : "regular, some time ago";
}

std::string stands_out(const std::string& name, bool word, double score) {
  if (word) {
    return (score > 0 ? "mostly " : "seldom ") + name;
  }
  return std::string(std::abs(score) >= kFarOut ? "very " : "") + (score > 0 ? "high " : "low ") + name;
}

/// Columns by how far segments' centres are apart in them, the farthest first.
std::vector<std::size_t> telling_columns(const SegmentTable& table) {
  const std::size_t p = table.names.size();
  std::vector<double> spread(p, 0.0);
  for (std::size_t s = 0; s < table.shares.size(); ++s) {
    for (std::size_t c = 0; c < p; ++c) {
      spread[c] += table.shares[s] * table.scores[s * p + c] * table.scores[s * p + c];
    }
  }
  std::vector<std::size_t> columns(p);
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  if (!table.rfm) {
    std::ranges::stable_sort(columns, std::ranges::greater{}, [&](std::size_t c) { return spread[c]; });
  }
  columns.resize(std::min(p, kColumnsTold));
  return columns;
}

}  // namespace

std::string segment_words(const SegmentTable& table, std::size_t segment) {
  const std::size_t p = table.names.size();
  const double* const scores = table.scores.data() + segment * p;
  if (table.rfm) {
    return rfm_words(scores[0], scores[1], scores[2]);
  }
  std::vector<std::size_t> order(p);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t c) { return std::abs(scores[c]); });
  std::string text;
  for (std::size_t i = 0; i < std::min(p, kWordsTold); ++i) {
    if (std::abs(scores[order[i]]) >= kStandsOut) {
      text += (text.empty() ? "" : ", ") +
              stands_out(table.names[order[i]], table.words[order[i]], scores[order[i]]);
    }
  }
  return text.empty() ? "near the mean in everything" : text;
}

Insights segment_insights(const SegmentTable& table) {
  if (table.shares.empty()) {
    return {.sentences = {"No segment is large enough to be told."}, .tables = {}};
  }
  const std::size_t p = table.names.size();
  const std::vector<std::size_t> columns = telling_columns(table);
  const bool counted = table.counts[0] > 0;
  const std::string who = table.rfm ? "customers" : "rows";
  InsightTable segments{.name = "segments",
                        .title = "Segments, each by its centre in units of the file",
                        .columns = {"segment", "share %"},
                        .rows = {}};
  if (counted) {
    segments.columns.push_back(who);
  }
  for (const std::size_t c : columns) {
    segments.columns.push_back(table.names[c]);
  }
  segments.columns.push_back("in words");
  Insights insights;
  for (std::size_t s = 0; s < table.shares.size(); ++s) {
    const std::string words = segment_words(table, s);
    std::vector<InsightCell> row{std::to_string(s + 1), 100 * table.shares[s]};
    if (counted) {
      row.emplace_back(std::round(table.counts[s]));
    }
    for (const std::size_t c : columns) {
      row.emplace_back(table.centres[s * p + c]);
    }
    row.emplace_back(words);
    segments.rows.push_back(std::move(row));
    insights.sentences.push_back(figure(100 * table.shares[s], 3) + " % of " + who + ": " + words + ".");
  }
  if (table.hidden > 0) {
    insights.sentences.push_back(count_of(table.hidden, "segment is", "segments are") +
                                 " too small to be told, and not published.");
  }
  insights.tables.push_back(std::move(segments));
  return insights;
}

}  // namespace hanse
