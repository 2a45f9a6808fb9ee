#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/workloads/insights.h"

namespace hanse {

/// Segments as they are told to people.
struct SegmentTable {
  bool rfm = false;                ///< Columns are recency, frequency and monetary value.
  std::vector<std::string> names;  ///< Of the columns.
  std::vector<bool> words;         ///< Whether a column is a word's.
  std::vector<double> centres;     ///< One segment a row, in units of the file.
  std::vector<double> scores;      ///< How many deviations of all points each is above the mean.
  std::vector<double> shares;      ///< Of all points, falling.
  std::vector<double> counts;      ///< Of points; 0 where they are not exact.
  std::size_t hidden = 0;          ///< Segments too small to be told.
};

/// "high value, active", "dormant, once regular", ...; of other columns what stands out: "high price, few visits".
std::string segment_words(const SegmentTable& table, std::size_t segment);

Insights segment_insights(const SegmentTable& table);

}  // namespace hanse
