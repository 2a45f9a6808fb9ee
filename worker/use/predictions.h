#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "worker/use/row_model.h"

namespace hanse {

struct PredictionWishes {
  std::optional<std::filesystem::path> own;  ///< own.json of the merchant.
  std::size_t explain = 0;                   ///< Columns to tell of each row.
};

/// Predictions for all rows of a merchant's file as CSV with the columns
///
///   row                            of the file, from 1
///   probability, or prediction     of the label 1, or of a numeric label; then the same with the ending _own where there is an own part
///   class, probability             in its place for softmax: the most probable class
///   reason_1, effect_1, odds_1 ... with `explain`: the columns that matter most, what each adds to the logit or the prediction, and
///                                  for logits the factor on the odds
///
/// Throws bad_input in one sentence.
std::string predictions_csv(const AppliedModel& model, const std::filesystem::path& rows,
                            const PredictionWishes& wishes);

}  // namespace hanse
