#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "common/data/csr_matrix.h"

namespace hanse {

/// What one CSR row of a data set is.
enum class RowKind {
  record,  ///< One record: features and a label (csv, libsvm). The last column of every row is the intercept
           ///< (index width - 1, value 1), so that the gradient of a linear model is exactly residual * row.
  customer,  ///< All ratings of one customer at one merchant: item -> rating, no label (ratings). Once encoded,
  ///< columns from FeatureSpace::width on are items that the model knows nothing of: they come last in
  ///< their row, and only the customer's own side may learn from them.
};

/// What the label of a record is.
enum class LabelKind {
  none,         ///< There is no label, or nobody reads it.
  binary,       ///< 0 or 1.
  number,       ///< A number as the file has it (transformed, clipped).
  one_of_many,  ///< The index of the record's class in FeatureSpace::classes.
};

/// Rows of all merchants a worker hosts, sorted by (merchant, customer), then in the order of the file.
/// Memory follows the data, not the number of merchants.
struct RowBlock {
  CsrMatrix features;
  std::vector<float> labels;  ///< One a row, of the kind in FeatureSpace::label; empty for LabelKind::none.
  std::vector<std::uint32_t>
      customers;  ///< One a row: dense index of the customer within its merchant; rows of
                  ///< a customer are consecutive, and one customer has one index in train and
                  ///< test. Without a customer column every row is a customer.
};

/// One merchant's half-open ranges of rows.
struct MerchantRows {
  std::uint32_t id = 0;  ///< Index in the sorted list of all merchants of the federation: set by the roster,
                         ///< 0 until then.
  std::string name;
  std::size_t train_begin = 0, train_end = 0;
  std::size_t test_begin = 0, test_end = 0;
  /// text_hash of each customer's name, by dense index: the same for one customer at all its merchants. Empty
  /// where customers have no names.
  std::vector<std::uint64_t> customer_keys = {};
};

/// Columns [begin, end) that came from one column of the file.
struct ColumnRange {
  std::uint32_t begin = 0, end = 0;
  std::string name;  ///< Of the column in the file.
};

/// Columns that are a number times the one-hot columns of a word, one for each of them.
struct CrossRange {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t words_begin = 0;  ///< Column `begin + i` crosses the word column `words_begin + i` ...
  std::uint32_t number = 0;       ///< ... with this numeric column, whose mean and deviation it shares.
};

/// What a column of the encoded data means; the same on every rank and for every split.
struct FeatureSpace {
  std::uint32_t numeric = 0;       ///< Columns [0, numeric) are numeric and present in every row.
  std::uint32_t width = 0;         ///< All columns, before a vocabulary is chosen by a private count.
  std::vector<std::string> names;  ///< Names of columns where they are public ("month=May"), else "item#17".
  std::vector<double> range_low;   ///< Public range of each numeric column; NaN where none was declared.
  std::vector<double> range_high;
  bool counted = false;  ///< True when some columns are hash buckets to be kept by a private count.
  std::vector<ColumnRange> counted_ranges;  ///< Those columns, increasing; empty unless `counted`.
  std::vector<ColumnRange>
      sparse_ranges;  ///< Columns that most rows lack, increasing: items, words (the counted ones among them), and
                      ///< those of libsvm. Which of them a merchant has at all is its secret.
  /// Those of texts: words, whose entries are how often a row has them and once encoded TF-IDF. Increasing, among
  /// `sparse_ranges`.
  std::vector<ColumnRange> texts = {};
  std::vector<CrossRange> crosses;  ///< Increasing, behind all columns of words, whose fate theirs is.
  double rating_low =
      std::numeric_limits<double>::quiet_NaN();  ///< Public range of ratings, NaN where not declared.
  double rating_high = std::numeric_limits<double>::quiet_NaN();
  LabelKind label = LabelKind::binary;  ///< none for RowKind::customer.
  std::vector<std::string> classes;     ///< Public names of the classes of LabelKind::one_of_many.
  double label_low =
      std::numeric_limits<double>::quiet_NaN();  ///< Public range of a numeric label, NaN where not declared.
  double label_high = std::numeric_limits<double>::quiet_NaN();
};

/// Everything one worker holds of the federation's data, read in one pass.
struct Dataset {
  RowKind kind = RowKind::record;
  FeatureSpace space;
  RowBlock train;
  RowBlock test;
  std::vector<MerchantRows>
      merchants;                     ///< Those this worker hosts, by increasing name, hence by increasing id.
  std::vector<std::string> account;  ///< What cleaning did, one sentence each, for the log.
};

}  // namespace hanse
