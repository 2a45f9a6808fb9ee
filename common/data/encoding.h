#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "common/data/dataset.h"

namespace hanse {

/// In Encoding::column_of: the model has no such column. A record's entry is left out; a customer's rating stays behind
/// the model's columns (RowKind::customer in common/data/dataset.h).
inline constexpr std::uint32_t kDropped = std::numeric_limits<std::uint32_t>::max();

/// How raw columns become the model's columns. Public: it comes from released sums and is stored with the
/// model.
struct Encoding {
  std::vector<double> mean;       ///< One a numeric column.
  std::vector<double> deviation;  ///< One a numeric column, positive.
  std::vector<std::uint32_t>
      column_of;  ///< Raw column -> column, or kDropped. Numeric columns keep their index.
  /// One a column of FeatureSpace::texts, raw, range by range: how much the word tells by being rare (inverse document frequency).
  std::vector<double> idf = {};
  std::uint32_t width = 0;         ///< Columns after encoding.
  double train_rows = 0;           ///< Training rows of the federation, as released; 0 when not.
  std::vector<std::string> names;  ///< One a column after encoding.
  /// Range that all training labels are in, where they are numbers: declared or learnt before training. Labels are not
  /// encoded: a workload that wants them between -1 and 1 takes them there by this range.
  double label_low = std::numeric_limits<double>::quiet_NaN();
  double label_high = std::numeric_limits<double>::quiet_NaN();
  double outlier_limit = 0;  ///< Standardised values are clipped to +-this; 0: not at all.
};

/// The encoding that changes nothing but NaN (a missing value) to 0.
Encoding identity_encoding(const FeatureSpace& space);

/// The identity with the counted columns thinned out: columns for which `kept` (one a raw column; read in
/// counted ranges only) is false share one column "NAME=other" for each counted range at RowKind::record, and
/// are dropped at RowKind::customer, where "all other items" has no rating of its own, and of texts, where a row has many words.
/// Columns for which `hidden` (one a
/// raw column, or empty: none) is true are dropped at once: not even "other" may show what too few merchants have.
Encoding thinned_encoding(const FeatureSpace& space, RowKind kind, const std::vector<bool>& kept,
                          const std::vector<bool>& hidden = {});

/// What encoded columns are: their names, ranges in standardised units, and where the words of each sparse range and cross
/// went. Nothing is counted any more.
FeatureSpace encoded_space(const FeatureSpace& space, const Encoding& encoding);

/// Encodes both blocks in place, in O(nonzeros): numeric x, crossed with words or not, becomes (x - mean) / deviation (0 when missing,
/// clipped at outlier_limit), a word that a text has k times becomes (1 + log k) idf, and the words of each of a row's texts are
/// scaled to L2 norm 1; other columns are renumbered; a customer's dropped column becomes width + itself. Columns of a row stay strictly increasing; where
/// two fall on one column their values are added. `data.space` describes the encoded columns afterwards.
void encode(Dataset& data, const Encoding& encoding);

}  // namespace hanse
