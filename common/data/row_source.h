#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/failure.h"
#include "common/config/configuration.h"
#include "common/data/column_spec.h"
#include "common/data/csv.h"
#include "common/data/idx.h"
#include "common/data/libsvm.h"
#include "common/data/mapped_file.h"
#include "common/data/partition.h"
#include "common/data/split.h"
#include "common/data/string_table.h"
#include "common/data/vocabulary.h"

namespace hanse {

/// data.merchant = COLUMN@FILE: the merchant of each customer, from a table.
class MerchantLookup {
 public:
  /// Reads `column` by the column called `customer`. A customer in two lines with two merchants is refused.
  MerchantLookup(const std::filesystem::path& file, std::string_view column, std::string_view customer);
  /// Merchant of the customer, or none.
  std::optional<std::string_view> merchant_of(std::string_view customer) const;

 private:
  StringTable customers_;
  StringTable merchants_;
  std::vector<std::uint32_t> merchant_of_;
};

/// Everything about [data] that says where a row belongs; shared by the files of a data set.
struct RowPlan {
  RowPlan(const Configuration& configuration, std::uint32_t worker);

  const Configuration::Data& data;
  bool own_file;  ///< data.path had "{worker}" in it.
  std::filesystem::path file, folder;
  SplitRule split;
  Partition partition;
  std::optional<MerchantLookup> lookup;
  LabelKind label_kind;
  std::optional<NumericSpec> label;   ///< Of a label that is a number.
  std::optional<Vocabulary> classes;  ///< Of a label that is one of many.
  std::string label_name;             ///< Of its column; empty without one.
  std::uint32_t first_feature = 0,
                last_feature = 0;  ///< Of data.merchant = feature:FIRST-LAST, from 0; libsvm.
  std::vector<std::string> feature_merchants;
  std::string only_merchant;  ///< The file is one merchant's: its name; else empty.
};

/// The rows of one data file (csv, ratings, libsvm or idx), and where each belongs.
class RowSource {
 public:
  /// `is_test_file`: the second file of data.test = path:FILE. `plan` must outlive the source; its partition
  /// is advanced row by row.
  RowSource(RowPlan& plan, const std::filesystem::path& file, bool is_test_file);

  bool next();
  Side side() const { return side_; }
  std::string_view merchant() const { return merchant_; }
  std::string_view customer() const { return customer_; }  ///< Empty without a customer column.
  float label()
      const;  ///< 0 or 1, or the index of the class; of libsvm the number itself where labels are numbers.
  std::size_t label_column() const { return label_column_; }
  std::string_view text() const { return csv_ ? csv_->text() : libsvm_ ? libsvm_->text() : idx_->pixels(); }
  std::string place() const { return csv_ ? csv_->place() : libsvm_ ? libsvm_->place() : idx_->place(); }
  const CsvReader& csv() const { return *csv_; }
  const LibsvmReader& libsvm() const { return *libsvm_; }
  const IdxReader& idx() const { return *idx_; }
  /// The Failure of a cell: "FILE:LINE: column NAME: expected ..., got '...'".
  Failure bad_cell(std::size_t column, const std::string& expected) const;

 private:
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

  void open_split();
  Side find_side();
  std::string_view find_merchant();
  std::string_view feature_merchant() const;
  float class_of_number(std::int64_t number) const;

  RowPlan& plan_;
  bool is_test_file_;
  std::uint64_t row_;
  MappedFile mapped_;
  std::optional<CsvReader> csv_;
  std::optional<LibsvmReader> libsvm_;
  std::optional<IdxReader> idx_;
  std::optional<MappedFile> split_mapped_;
  std::optional<CsvReader> split_rows_;
  std::size_t merchant_column_ = kAbsent, customer_column_ = kAbsent, label_column_ = kAbsent,
              split_column_ = kAbsent;
  Side side_ = Side::train;
  std::string_view merchant_;
  std::string_view customer_;
};

}  // namespace hanse
