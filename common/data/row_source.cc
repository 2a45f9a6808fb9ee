#include "common/data/row_source.h"

#include <algorithm>

#include "common/data/feature_space.h"
#include "common/data/numbers.h"

namespace hanse {
namespace {

constexpr std::string_view kWorkerMark = "{worker}";
// Rows of the second file are numbered from here, so that no row number is used twice.
constexpr std::uint64_t kTestFileRows = std::uint64_t{1} << 62;

std::string with_worker(std::string path, std::uint32_t worker) {
  for (std::size_t at = path.find(kWorkerMark); at != std::string::npos; at = path.find(kWorkerMark, at)) {
    path.replace(at, kWorkerMark.size(), std::to_string(worker));
  }
  return path;
}

std::string padded(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

// Reads "feature:FIRST-LAST".
void read_feature_merchants(RowPlan& plan) {
  constexpr std::string_view kFeature = "feature:";
  const std::string& text = plan.data.merchant;
  const std::size_t dash = text.find('-');
  if (text.starts_with(kFeature) && dash != std::string::npos) {
    const auto first = read_integer(std::string_view(text).substr(kFeature.size(), dash - kFeature.size()));
    const auto last = read_integer(std::string_view(text).substr(dash + 1));
    if (first && last && *first >= 1 && *first <= *last &&
        *last <= static_cast<std::int64_t>(plan.data.features)) {
      plan.first_feature = static_cast<std::uint32_t>(*first - 1);
      plan.last_feature = static_cast<std::uint32_t>(*last - 1);
      const std::size_t digits = std::to_string(*last).size();
      for (std::int64_t feature = *first; feature <= *last; ++feature) {
        plan.feature_merchants.push_back("feature" + padded(static_cast<std::uint64_t>(feature), digits));
      }
      return;
    }
  }
  throw bad_input("data.merchant: cannot read '" + text +
                  "'; with format libsvm and partition column expected " +
                  "feature:FIRST-LAST, a one-hot group of features from 1 to data.features = " +
                  std::to_string(plan.data.features));
}

}  // namespace

MerchantLookup::MerchantLookup(const std::filesystem::path& file, std::string_view column,
                               std::string_view customer) {
  const MappedFile mapped(file, "data.merchant");
  CsvReader rows(mapped.text(), file.string());
  const std::size_t customer_column = rows.column(customer, "data.customer");
  const std::size_t merchant_column = rows.column(column, "data.merchant");
  while (rows.next()) {
    const std::string_view name = trimmed(rows.cell(merchant_column));
    if (name.empty()) {
      throw bad_input(rows.place() + ": column " + std::string(column) +
                      ": expected a merchant, got an empty cell");
    }
    const std::uint32_t merchant = merchants_.add(name);
    const std::uint32_t number = customers_.add(trimmed(rows.cell(customer_column)));
    if (number == merchant_of_.size()) {
      merchant_of_.push_back(merchant);
    } else if (merchant_of_[number] != merchant) {
      throw bad_input(rows.place() + ": customer '" + std::string(customers_.text(number)) +
                      "' has merchant '" + std::string(name) + "' here and '" +
                      std::string(merchants_.text(merchant_of_[number])) +
                      "' before; a customer has one line");
    }
  }
}

std::optional<std::string_view> MerchantLookup::merchant_of(std::string_view customer) const {
  const std::uint32_t number = customers_.find(customer);
  return number == StringTable::kNone ? std::nullopt : std::optional(merchants_.text(merchant_of_[number]));
}

RowPlan::RowPlan(const Configuration& configuration, std::uint32_t worker)
    : data(configuration.data),
      own_file(data.path.find(kWorkerMark) != std::string::npos),
      file(with_worker(data.path, worker)),
      folder(file.parent_path()),
      split(with_worker(data.test, worker), data.validation, configuration.federation.seed),
      partition(data.partition, configuration.federation.seed),
      label_kind(hanse::label_kind(configuration)) {
  if (data.format == "csv") {
    label_name = data.label;
  }
  if (label_kind == LabelKind::number) {
    label = label_spec(configuration);
    label_name = label->name;
  }
  if (label_kind == LabelKind::one_of_many) {
    classes = class_vocabulary(configuration);
    label_name = classes->name();
  }
  if (data.path.empty()) {
    throw bad_input(
        "data.path is missing; it is the data file, with {worker} in it when every worker has its own");
  }
  if (data.format != "csv" && data.format != "ratings" && data.format != "libsvm" && data.format != "idx") {
    throw bad_input("data.format: expected csv, libsvm, ratings or idx, got '" + data.format + "'");
  }
  if (partition.kind() != Partition::Kind::column) {
    if (own_file) {
      throw bad_input(
          "data.partition = " + data.partition +
          " deals the rows of one shared file, but data.path has {worker} in it; use partition = column");
    }
    return;
  }
  if (data.merchant.empty()) {
    if (!own_file) {
      throw bad_input(
          "data.merchant is missing; name the merchant column, or use data.partition = iid:N or "
          "dirichlet:N,ALPHA");
    }
    only_merchant = "worker" + padded(worker, 4);
    return;
  }
  if (data.format == "libsvm") {
    read_feature_merchants(*this);
    return;
  }
  if (data.format == "idx") {
    throw bad_input(
        "data.merchant: pictures have no column of merchants; use data.partition = iid:N or "
        "dirichlet:N,ALPHA");
  }
  if (const std::size_t at = data.merchant.find('@'); at != std::string::npos) {
    if (data.customer.empty()) {
      throw bad_input("data.merchant = " + data.merchant +
                      " is looked up by the customer; set data.customer");
    }
    lookup.emplace(folder / data.merchant.substr(at + 1), std::string_view(data.merchant).substr(0, at),
                   data.customer);
  }
}

RowSource::RowSource(RowPlan& plan, const std::filesystem::path& file, bool is_test_file)
    : plan_(plan),
      is_test_file_(is_test_file),
      row_((is_test_file ? kTestFileRows : 0) - 1),
      mapped_(file, is_test_file ? "data.test" : "data.path") {
  const Configuration::Data& data = plan.data;
  if (data.format == "libsvm") {
    libsvm_.emplace(mapped_.text(), file.string(), data.features,
                    plan.label_kind == LabelKind::number || plan.label_kind == LabelKind::one_of_many);
  } else if (data.format == "idx") {
    idx_.emplace(file, data.features, is_test_file ? "data.test" : "data.path");
  }
  if (data.format == "libsvm" || data.format == "idx") {
    if (plan.split.kind() == SplitRule::Kind::column) {
      throw bad_input("data.test = column:NAME needs columns with names; format " + data.format +
                      " has none");
    }
  } else {
    csv_.emplace(mapped_.text(), file.string());
    if (plan.partition.kind() == Partition::Kind::column && !plan.lookup && plan.only_merchant.empty()) {
      merchant_column_ = csv_->column(data.merchant, "data.merchant");
    }
    if (!data.customer.empty()) {
      customer_column_ = csv_->column(data.customer, "data.customer");
    }
    if (data.format == "csv" && !plan.label_name.empty()) {
      label_column_ = csv_->column(plan.label_name, "data.label");
    }
  }
  if (plan.split.kind() == SplitRule::Kind::customers && customer_column_ == kAbsent) {
    throw bad_input("data.test=customers:" + plan.split.argument() +
                    " needs data.customer, the column that names the customer of a row");
  }
  open_split();
}

void RowSource::open_split() {
  if (plan_.split.kind() == SplitRule::Kind::column) {
    split_column_ = csv_->column(plan_.split.argument(), "data.test");
  } else if (plan_.split.kind() == SplitRule::Kind::file) {
    const std::filesystem::path path = plan_.folder / plan_.split.argument();
    split_mapped_.emplace(path, "data.test");
    split_rows_.emplace(split_mapped_->text(), path.string());
    split_column_ = split_rows_->column("split", "data.test");
  }
}

bool RowSource::next() {
  const bool found = csv_ ? csv_->next() : libsvm_ ? libsvm_->next() : idx_->next();
  if (!found) {
    if (split_rows_ && split_rows_->next()) {
      throw bad_input(split_rows_->place() + ": the split file goes on, but " + plan_.file.string() +
                      " has only " + std::to_string(row_ + 1) + " rows; expected one word for each row");
    }
    return false;
  }
  ++row_;
  customer_ = {};
  if (customer_column_ != kAbsent) {
    customer_ = trimmed(csv_->cell(customer_column_));
    if (customer_.empty()) {
      throw bad_cell(customer_column_, "a customer");
    }
  }
  side_ = find_side();
  merchant_ = find_merchant();
  return true;
}

Side RowSource::find_side() {
  const CsvReader* words = nullptr;
  switch (plan_.split.kind()) {
    case SplitRule::Kind::none:
    case SplitRule::Kind::leave_one_out:  // Decided when all ratings of a customer are there.
      return Side::train;
    case SplitRule::Kind::path:
      return is_test_file_ ? Side::test : Side::train;
    case SplitRule::Kind::hash:
      return plan_.split.side_of_row(row_);
    case SplitRule::Kind::customers:
      return plan_.split.side_of_customer(customer_);
    case SplitRule::Kind::column:
      words = &*csv_;
      break;
    case SplitRule::Kind::file:
      if (!split_rows_->next()) {
        throw bad_input(place() + ": the split file " + split_rows_->file() + " ended after " +
                        std::to_string(row_) + " words; expected one for each row");
      }
      words = &*split_rows_;
      break;
  }
  const std::string_view word = trimmed(words->cell(split_column_));
  const std::optional<Side> side = plan_.split.side_of_word(word);
  if (!side) {
    throw bad_input(words->place() + ": column " + words->header()[split_column_] +
                    ": expected train, valid or test, got '" + std::string(word) + "'");
  }
  return *side;
}

std::string_view RowSource::find_merchant() {
  if (plan_.partition.kind() != Partition::Kind::column) {
    const bool by_label = plan_.partition.kind() == Partition::Kind::dirichlet;
    return plan_.partition.merchant_of(row_, customer_, by_label ? label() : 0.0F);
  }
  if (!plan_.only_merchant.empty()) {
    return plan_.only_merchant;
  }
  if (libsvm_) {
    return feature_merchant();
  }
  if (plan_.lookup) {
    const auto merchant = plan_.lookup->merchant_of(customer_);
    if (!merchant) {
      throw bad_cell(customer_column_, "a customer that data.merchant = " + plan_.data.merchant + " lists");
    }
    return *merchant;
  }
  const std::string_view merchant = trimmed(csv_->cell(merchant_column_));
  if (merchant.empty()) {
    throw bad_cell(merchant_column_, "a merchant");
  }
  return merchant;
}

std::string_view RowSource::feature_merchant() const {
  const std::vector<std::uint32_t>& columns = libsvm_->columns();
  const auto found = std::lower_bound(columns.begin(), columns.end(), plan_.first_feature);
  return found != columns.end() && *found <= plan_.last_feature
             ? plan_.feature_merchants[*found - plan_.first_feature]
             : std::string_view("none");
}

/// The class that a number names, among integers or by its place in a list of words.
float RowSource::class_of_number(std::int64_t number) const {
  const Vocabulary& classes = *plan_.classes;
  std::uint32_t found = classes.column_of(std::to_string(number));
  if (idx_ && classes.has_other()) {
    found = number < classes.width() ? static_cast<std::uint32_t>(number) : Vocabulary::kRefused;
  }
  if (found == Vocabulary::kRefused || classes.is_other(found)) {
    throw bad_input(place() + ": label: expected " + classes.expected() + ", got " + std::to_string(number));
  }
  return static_cast<float>(found);
}

float RowSource::label() const {
  if (idx_) {
    if (plan_.classes) {
      return class_of_number(idx_->label());
    }
    if (idx_->label() > 1) {
      throw bad_input(place() + ": label " + std::to_string(idx_->label()) +
                      ": expected 0 or 1; for more classes take workload.name=softmax or perceptron");
    }
    return idx_->label();
  }
  if (libsvm_ && !plan_.classes) {
    return libsvm_->label();
  }
  if (libsvm_) {
    const auto number = static_cast<std::int64_t>(libsvm_->label());
    if (static_cast<float>(number) != libsvm_->label()) {
      throw bad_input(place() + ": label: expected " + plan_.classes->expected());
    }
    return class_of_number(number);
  }
  if (label_column_ == kAbsent) {
    return 0;
  }
  const std::string_view word = trimmed(csv_->cell(label_column_));
  if (plan_.classes) {
    const std::uint32_t found = plan_.classes->column_of(word);
    if (found == Vocabulary::kRefused || plan_.classes->is_other(found)) {
      throw bad_cell(label_column_, plan_.classes->expected());
    }
    return static_cast<float>(found);
  }
  if (!plan_.data.positive.empty()) {
    return word == plan_.data.positive ? 1.0F : 0.0F;
  }
  const std::optional<double> value = read_number_or_flag(word);
  if (!value || (*value != 0 && *value != 1)) {
    throw bad_cell(label_column_, "0 or 1 (or set data.positive to the word that means 1)");
  }
  return static_cast<float>(*value);
}

Failure RowSource::bad_cell(std::size_t column, const std::string& expected) const {
  const std::string_view cell = csv_->cell(column);
  const std::string shown = cell.size() > 60 ? std::string(cell.substr(0, 60)) + "..." : std::string(cell);
  return bad_input(place() + ": column " + csv_->header()[column] + ": expected " + expected + ", got " +
                   (cell.empty() ? "an empty cell" : "'" + shown + "'"));
}

}  // namespace hanse
