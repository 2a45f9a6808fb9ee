#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/workloads/insights.h"
#include "common/workloads/model.h"

namespace hanse {

// Figures of a part of the test rows, or at one point of a curve, are Metrics as all others, under names that say where:
// "test_auc[region=3]", "test_recall[false positive rate=0.1]".

/// "test_auc[region=3]", of "test_auc", "region" and "3".
std::string detail_name(std::string_view figure, std::string_view dimension, std::string_view value);

/// Whether a figure is one of those: they are for tables, not for the lines of a round.
bool is_detail(std::string_view figure);

/// One table a dimension: a row for each of its values (numbers in their order), a column for each figure. And a sentence for
/// each of the leading figures of a dimension with at least two groups, naming its best and worst group and the gap between them.
Insights figure_tables(const Metrics& figures);

}  // namespace hanse
