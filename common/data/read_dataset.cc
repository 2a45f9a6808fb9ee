#include "common/data/read_dataset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/data/cleaning.h"
#include "common/data/column_spec.h"
#include "common/data/csv_columns.h"
#include "common/data/deal.h"
#include "common/data/feature_space.h"
#include "common/data/numbers.h"
#include "common/data/row_source.h"
#include "common/data/sort_rows.h"
#include "common/data/string_table.h"
#include "common/data/text_hash.h"
#include "common/data/vocabulary.h"
#include "common/data/words_of_text.h"

namespace hanse {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// What was done to the rows of this worker, for Dataset::account.
struct Counts {
  std::uint64_t validation_dropped = 0, missing_dropped = 0, duplicates_dropped = 0, ratings_replaced = 0;
  std::uint64_t missing = 0, clipped = 0, unknown = 0;
};

std::vector<std::string> sentences(const Counts& counts, const Cleaning& cleaning) {
  std::vector<std::string> account;
  const auto add = [&](std::uint64_t count, const char* one, const char* many) {
    if (count > 0) {
      account.push_back(std::to_string(count) + " " + (count == 1 ? one : many));
    }
  };
  add(counts.validation_dropped, "row left out by the split", "rows left out by the split");
  add(counts.missing_dropped, "row with a missing value dropped", "rows with missing values dropped");
  add(counts.duplicates_dropped, "duplicate row dropped", "duplicate rows dropped");
  add(counts.ratings_replaced, "rating replaced by a later one of the same customer and item",
      "ratings replaced by later ones of the same customer and item");
  if (cleaning.missing == Cleaning::Missing::zero) {
    add(counts.missing, "missing value taken as zero", "missing values taken as zero");
  } else {
    add(counts.missing, "missing value taken as the mean, or as no word",
        "missing values taken as the mean, or as no word");
  }
  add(counts.clipped, "value clipped to its public range", "values clipped to their public range");
  add(counts.unknown, "word outside its vocabulary taken as other",
      "words outside their vocabulary taken as other");
  return account;
}

// A row of text at a merchant, for data.clean = duplicates:drop. The text is a view of the mapped file.
// Train and test rows are compared among themselves only: a record must not decide about one of the other population,
// whose budget is its own.
struct SeenRow {
  std::uint32_t merchant;
  Side side;
  std::string_view text;
  bool operator==(const SeenRow&) const = default;
};
struct SeenRowHash {
  std::size_t operator()(const SeenRow& row) const { return text_hash(row.text) ^ row.merchant; }
};

// Merchants and customers of the rows this worker keeps, numbered as they come.
class RowFilter {
 public:
  // `owned`: names of this worker's merchants; none: every merchant is its own.
  RowFilter(const std::optional<StringTable>& owned, const Cleaning& cleaning, Counts& counts)
      : owned_(owned), drop_duplicates_(cleaning.drop_duplicates), counts_(counts) {}

  // The key of the source's row, or none when the row is not kept.
  std::optional<RowKey> key_of(const RowSource& source) {
    if (owned_ && owned_->find(source.merchant()) == StringTable::kNone) {
      return std::nullopt;
    }
    if (source.side() == Side::drop) {
      ++counts_.validation_dropped;
      return std::nullopt;
    }
    RowKey key;
    key.merchant = merchants_.add(source.merchant());
    if (drop_duplicates_ && !seen_.insert({key.merchant, source.side(), source.text()}).second) {
      ++counts_.duplicates_dropped;
      return std::nullopt;
    }
    key.customer = source.customer().empty() ? anonymous_++ : customers_.add(customer_at(key, source));
    return key;
  }
  // Texts of a file are compared with each other only: they live as long as its mapping.
  void end_of_file() { seen_.clear(); }
  RowNames names() const {
    RowNames names{.merchants = merchants_, .customer_keys = {}};
    names.customer_keys.reserve(customers_.size());
    for (std::uint32_t customer = 0; customer < customers_.size(); ++customer) {
      names.customer_keys.push_back(text_hash(customers_.text(customer).substr(sizeof(RowKey::merchant))));
    }
    return names;
  }

 private:
  // A customer is numbered by its first row at the merchant, not in the file: so the order of a merchant's
  // customers does not depend on which other merchants the worker holds.
  std::string_view customer_at(const RowKey& key, const RowSource& source) {
    customer_at_.assign(reinterpret_cast<const char*>(&key.merchant), sizeof(key.merchant));
    customer_at_.append(source.customer());
    return customer_at_;
  }

  const std::optional<StringTable>& owned_;
  bool drop_duplicates_;
  Counts& counts_;
  StringTable merchants_;
  StringTable customers_;  // By merchant number and name.
  std::string customer_at_;
  std::uint32_t anonymous_ = 0;
  std::unordered_set<SeenRow, SeenRowHash> seen_;
};

// A number within the range of its column. Always itself without one: comparisons with NaN are false.
double clipped(double x, const NumericSpec& spec, Counts& counts) {
  if (x < spec.low || x > spec.high) {
    ++counts.clipped;
    return x < spec.low ? spec.low : spec.high;
  }
  return x;
}

// The transformed, clipped number of a cell; NaN when it is missing.
float read_numeric_cell(const RowSource& source, std::size_t column, const NumericSpec& spec,
                        Counts& counts) {
  const std::string_view cell = source.csv().cell(column);
  std::optional<double> value = read_number(cell);
  if (!value) {
    if (is_missing(cell)) {
      return kMissing;
    }
    value = read_number_or_flag(cell);
    if (!value) {
      throw source.bad_cell(column, "a finite number");
    }
  }
  double x = *value;
  if (spec.transform == Transform::log) {
    if (!(x > 0)) {
      throw source.bad_cell(column, "a positive number for its logarithm");
    }
    x = std::log(x);
  } else if (spec.transform == Transform::log1p) {
    if (!(x > -1)) {
      throw source.bad_cell(column, "a number above -1 for log1p");
    }
    x = std::log1p(x);
  } else if (spec.transform == Transform::sqrt) {
    if (!(x >= 0)) {
      throw source.bad_cell(column, "a number that is not negative for its square root");
    }
    x = std::sqrt(x);
  }
  const auto result = static_cast<float>(clipped(x, spec, counts));
  if (!std::isfinite(result)) {
    throw source.bad_cell(column, "a number below 3.4e38");
  }
  return result;
}

// The label of a row; NaN where it is a number and missing.
float read_label(const RowSource& source, const RowPlan& plan, Counts& counts) {
  if (plan.label_kind == LabelKind::none) {
    return 0;
  }
  if (!plan.label) {
    return source.label();
  }
  if (plan.data.format == "csv") {
    return read_numeric_cell(source, source.label_column(), *plan.label, counts);
  }
  return static_cast<float>(clipped(static_cast<double>(source.label()), *plan.label, counts));
}

std::uint32_t read_word_cell(const RowSource& source, std::size_t column, const Vocabulary& vocabulary,
                             Counts& counts) {
  const std::uint32_t word = vocabulary.column_of(source.csv().cell(column));
  if (word == Vocabulary::kRefused) {
    throw source.bad_cell(column, vocabulary.expected());
  }
  counts.unknown += vocabulary.is_other(word) ? 1U : 0U;
  return word;
}

// Reads records of format csv.
class CsvRecords {
 public:
  CsvRecords(const RowPlan& plan, const Cleaning& cleaning)
      : missing_(cleaning.missing),
        columns_(csv_columns(plan.data, plan.folder)),
        ngrams_(plan.data.ngrams),
        found_(columns_.words.size()) {}

  // The columns of this file, which may have them in another order than the last.
  void begin_file(const RowSource& source) {
    numeric_columns_.clear();
    word_columns_.clear();
    text_columns_.clear();
    for (const NumericSpec& spec : columns_.numbers) {
      numeric_columns_.push_back(source.csv().column(spec.name, "data.numeric"));
    }
    for (const Vocabulary& words : columns_.words) {
      word_columns_.push_back(source.csv().column(words.name(), "data.categorical"));
    }
    for (const Vocabulary& words : columns_.texts) {
      text_columns_.push_back(source.csv().column(words.name(), "data.text"));
    }
  }

  // Appends the row's entries; false, and nothing appended, when it is dropped.
  bool append(const RowSource& source, CsrMatrix& rows, Counts& counts) {
    const std::size_t begin = rows.columns.size();
    std::uint64_t missing = 0;
    for (std::size_t i = 0; i < columns_.numbers.size(); ++i) {
      float value = read_numeric_cell(source, numeric_columns_[i], columns_.numbers[i], counts);
      if (std::isnan(value)) {
        ++missing;
        value = missing_ == Cleaning::Missing::zero ? 0.0F : value;
      }
      append(rows, static_cast<std::uint32_t>(i), value);
    }
    for (std::size_t i = 0; i < columns_.words.size(); ++i) {
      if (is_missing(source.csv().cell(word_columns_[i]))) {
        ++missing;  // No word: all columns of the range stay zero.
        found_[i] = kNoWord;
        continue;
      }
      found_[i] = read_word_cell(source, word_columns_[i], columns_.words[i], counts);
      append(rows, columns_.begins[i] + found_[i], 1.0F);
    }
    for (std::size_t i = 0; i < columns_.texts.size(); ++i) {
      append_text(source.csv().cell(text_columns_[i]), columns_.texts[i], columns_.text_begins[i], rows);
    }
    for (const CsvColumns::Cross& cross : columns_.crosses) {
      if (found_[cross.words] != kNoWord) {
        append(rows, cross.begin + found_[cross.words], rows.values[begin + cross.number]);
      }
    }
    if (missing > 0 && missing_ == Cleaning::Missing::drop) {
      rows.columns.resize(begin);
      rows.values.resize(begin);
      ++counts.missing_dropped;
      return false;
    }
    counts.missing += missing;
    append(rows, columns_.intercept, 1.0F);
    rows.row_begin.push_back(rows.columns.size());
    return true;
  }

 private:
  static constexpr std::uint32_t kNoWord = Vocabulary::kRefused;

  static void append(CsrMatrix& rows, std::uint32_t column, float value) {
    rows.columns.push_back(column);
    rows.values.push_back(value);
  }

  // How often the text has each word that the vocabulary has.
  void append_text(std::string_view text, const Vocabulary& vocabulary, std::uint32_t begin,
                   CsrMatrix& rows) {
    words_.read(text);
    text_words_.clear();
    for (std::size_t first = 0; first < words_.words(); ++first) {
      for (std::size_t count = 1; count <= ngrams_ && first + count <= words_.words(); ++count) {
        const std::uint32_t word = vocabulary.column_of(words_.run(first, count));
        if (!vocabulary.is_other(word)) {
          text_words_.push_back(word);
        }
      }
    }
    std::sort(text_words_.begin(), text_words_.end());
    for (std::size_t i = 0, end = 0; i < text_words_.size(); i = end) {
      while (end < text_words_.size() && text_words_[end] == text_words_[i]) {
        ++end;
      }
      append(rows, begin + text_words_[i], static_cast<float>(end - i));
    }
  }

  Cleaning::Missing missing_;
  CsvColumns columns_;
  std::size_t ngrams_;
  WordsOfText words_;
  std::vector<std::uint32_t> text_words_;
  std::vector<std::size_t> numeric_columns_, word_columns_, text_columns_;
  std::vector<std::uint32_t> found_;  // The row's word of each vocabulary.
};

// Reads records of format libsvm: the features as they are, then the intercept.
class LibsvmRecords {
 public:
  explicit LibsvmRecords(const RowPlan& plan) : intercept_(plan.data.features) {}
  void begin_file(const RowSource&) {}
  bool append(const RowSource& source, CsrMatrix& rows, Counts&) {
    const LibsvmReader& row = source.libsvm();
    rows.columns.insert(rows.columns.end(), row.columns().begin(), row.columns().end());
    rows.values.insert(rows.values.end(), row.values().begin(), row.values().end());
    rows.columns.push_back(intercept_);
    rows.values.push_back(1.0F);
    rows.row_begin.push_back(rows.columns.size());
    return true;
  }

 private:
  std::uint32_t intercept_;
};

// Reads pictures: grey values that are not 0, scaled to [0, 1], then the intercept.
class IdxRecords {
 public:
  explicit IdxRecords(const RowPlan& plan) : intercept_(plan.data.features) {}
  void begin_file(const RowSource&) {}
  bool append(const RowSource& source, CsrMatrix& rows, Counts&) {
    const std::string_view pixels = source.idx().pixels();
    for (std::uint32_t i = 0; i < pixels.size(); ++i) {
      if (pixels[i] != 0) {
        rows.columns.push_back(i);
        rows.values.push_back(static_cast<float>(static_cast<unsigned char>(pixels[i])) / 255.0F);
      }
    }
    rows.columns.push_back(intercept_);
    rows.values.push_back(1.0F);
    rows.row_begin.push_back(rows.columns.size());
    return true;
  }

 private:
  std::uint32_t intercept_;
};

// The data file, and the test file if there is one: calls take(source) once for each, in this order.
template <class Take>
void for_each_file(RowPlan& plan, const Take& take) {
  RowSource source(plan, plan.file, false);
  take(source);
  if (plan.split.kind() == SplitRule::Kind::path) {
    RowSource test(plan, plan.folder / plan.split.argument(), true);
    take(test);
  }
}

// The merchants of this worker by the deal. It needs the size of every merchant, so the shared file is
// scanned once for the merchant of each row alone, before the worker's own rows are read. Reading everything
// in one pass and dropping the others' rows would hold all data in every worker; this costs a scan at the
// speed of memory instead.
StringTable dealt_merchants(const Configuration& configuration, std::uint32_t worker, std::uint32_t workers) {
  RowPlan plan(configuration, worker);
  StringTable names;
  std::vector<std::uint64_t> rows;
  for_each_file(plan, [&](RowSource& source) {
    while (source.next()) {
      const std::uint32_t merchant = names.add(source.merchant());
      rows.resize(names.size());
      ++rows[merchant];
    }
  });
  std::vector<MerchantSize> sizes;
  for (std::uint32_t merchant = 0; merchant < names.size(); ++merchant) {
    sizes.push_back({std::string(names.text(merchant)), rows[merchant]});
  }
  const std::vector<std::uint32_t> worker_of = deal(sizes, workers);
  StringTable owned;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (worker_of[i] == worker) {
      owned.add(sizes[i].name);
    }
  }
  return owned;
}

// The time of a row, by which a customer's rows are ordered.
double read_time(const RowSource& source, std::size_t column) {
  const auto time = read_number(source.csv().cell(column));
  if (!time) {
    throw source.bad_cell(column, "a number, the time of the row");
  }
  return *time;
}

template <class Records>
void read_records(RowPlan& plan, Records records, RowFilter& filter, Counts& counts, Dataset& data) {
  const bool drop_missing = read_cleaning(plan.data.clean).missing == Cleaning::Missing::drop;
  const bool timed = plan.data.format == "csv" && !plan.data.time.empty();
  StagedRows train, test;
  for_each_file(plan, [&](RowSource& source) {
    records.begin_file(source);
    const std::size_t time_column = timed ? source.csv().column(plan.data.time, "data.time") : 0;
    while (source.next()) {
      const std::optional<RowKey> key = filter.key_of(source);
      if (!key) {
        continue;
      }
      StagedRows& rows = source.side() == Side::train ? train : test;
      const float label = read_label(source, plan, counts);
      if (std::isnan(label)) {
        if (!drop_missing) {
          throw source.bad_cell(source.label_column(), "a number (or set data.clean = missing:drop)");
        }
        ++counts.missing_dropped;
        continue;
      }
      if (records.append(source, rows.features, counts)) {
        if (plan.label_kind != LabelKind::none) {
          rows.labels.push_back(label);
        }
        rows.keys.push_back(*key);
        if (timed) {
          rows.times.push_back(read_time(source, time_column));
        }
      }
    }
    filter.end_of_file();
  });
  sort_rows(std::move(train), std::move(test), filter.names(), data);
}

// One rating of a customer.
struct Rating {
  std::uint32_t item = 0;
  float value = 0;
  double time = 0;
};

// Calls take(key, side, rating) for each rating that the filter keeps, in the order of the files.
template <class Take>
void for_each_rating(RowPlan& plan, const Cleaning& cleaning, RowFilter& filter, Counts& counts,
                     const Take& take) {
  const Vocabulary items(read_word_spec(plan.data.item, "data.item", kItemBuckets), plan.folder, "data.item");
  NumericSpec rating;
  if (!plan.data.rating.empty()) {
    rating = read_numeric_spec(plan.data.rating, "data.rating");
  }
  const NumericSpec time{.transform = Transform::none, .name = plan.data.time};
  for_each_file(plan, [&](RowSource& source) {
    const std::size_t item_column = source.csv().column(items.name(), "data.item");
    const std::size_t rating_column =
        rating.name.empty() ? 0 : source.csv().column(rating.name, "data.rating");
    const std::size_t time_column = time.name.empty() ? 0 : source.csv().column(time.name, "data.time");
    while (source.next()) {
      const std::optional<RowKey> key = filter.key_of(source);
      if (!key) {
        continue;
      }
      Rating one{.item = 0, .value = 1, .time = 0};
      if (!rating.name.empty()) {
        one.value = read_numeric_cell(source, rating_column, rating, counts);
      }
      if (std::isnan(one.value) || is_missing(source.csv().cell(item_column))) {
        if (cleaning.missing != Cleaning::Missing::drop) {
          throw source.bad_cell(std::isnan(one.value) ? rating_column : item_column,
                                "a value (or set data.clean = missing:drop)");
        }
        ++counts.missing_dropped;
        continue;
      }
      one.item = read_word_cell(source, item_column, items, counts);
      if (!time.name.empty()) {
        one.time = read_time(source, time_column);
      }
      take(*key, source.side(), one);
    }
    filter.end_of_file();
  });
}

// The customers of all ratings and how many ratings each has, in the order in which sort_rows() wants their rows.
struct CustomerRows {
  std::vector<RowKey> keys;            // By customer number.
  std::vector<std::uint32_t> lengths;  // By customer number.
  std::vector<std::uint32_t> order;    // Customer numbers by (name of merchant, number).

  void add(const RowKey& key) {
    if (key.customer >= keys.size()) {
      keys.resize(key.customer + std::size_t{1});
      lengths.resize(keys.size());
    }
    keys[key.customer] = key;
    ++lengths[key.customer];
  }
  void sort(const StringTable& merchants) {
    order.resize(keys.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
      const auto name = [&](std::uint32_t customer) { return merchants.text(keys[customer].merchant); };
      return std::pair(name(a), a) < std::pair(name(b), b);
    });
  }
};

// All ratings of one side, customer by customer: filled by a second pass over the file, so that nothing is held but what stays.
class RatingTable {
 public:
  RatingTable(CustomerRows customers, bool with_times) : customers_(std::move(customers)) {
    std::uint64_t end = 0;
    next_.resize(customers_.keys.size());
    ends_.resize(customers_.keys.size());
    for (const std::uint32_t customer : customers_.order) {
      next_[customer] = end;
      end += customers_.lengths[customer];
      ends_[customer] = end;
    }
    rows_.features.columns.resize(end);
    rows_.features.values.resize(end);
    times_.resize(with_times ? end : 0);
  }

  void put(const RowKey& key, const Rating& rating) {
    if (key.customer >= next_.size() || next_[key.customer] == ends_[key.customer]) {
      throw bad_input("data.path changed while it was read");
    }
    const std::uint64_t at = next_[key.customer]++;
    rows_.features.columns[at] = rating.item;
    rows_.features.values[at] = rating.value;
    if (!times_.empty()) {
      times_[at] = rating.time;
    }
  }

  // The rows, each of which `finish` has made of its customer's ratings: never more of them.
  template <class Finish>
  StagedRows rows(const Finish& finish) && {
    if (next_ != ends_) {
      throw bad_input("data.path changed while it was read");
    }
    CsrMatrix& features = rows_.features;
    std::vector<Rating> ratings;
    std::uint64_t read = 0, written = 0;
    for (const std::uint32_t customer : customers_.order) {
      ratings.clear();
      for (const std::uint64_t end = read + customers_.lengths[customer]; read < end; ++read) {
        ratings.push_back({.item = features.columns[read],
                           .value = features.values[read],
                           .time = times_.empty() ? 0 : times_[read]});
      }
      finish(customers_.keys[customer], ratings);
      for (const Rating& rating : ratings) {
        features.columns[written] = rating.item;
        features.values[written] = rating.value;
        ++written;
      }
      if (!ratings.empty()) {
        features.row_begin.push_back(written);
        rows_.keys.push_back(customers_.keys[customer]);
      }
    }
    features.columns.resize(written);
    features.values.resize(written);
    return std::move(rows_);
  }

 private:
  CustomerRows customers_;
  std::vector<std::uint64_t> next_;  // Where the next rating of each customer goes.
  std::vector<std::uint64_t> ends_;  // Where those of each customer end.
  StagedRows rows_;
  std::vector<double> times_;
};

// Sorts a customer's ratings by item; of several of one item the last in time is kept, or the last in the file.
void keep_last_of_each_item(std::vector<Rating>& ratings, Counts& counts) {
  std::ranges::stable_sort(ratings, [](const Rating& a, const Rating& b) {
    return std::tie(a.item, a.time) < std::tie(b.item, b.time);
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    if (i + 1 < ratings.size() && ratings[i + 1].item == ratings[i].item) {
      ++counts.ratings_replaced;
      continue;
    }
    ratings[kept++] = ratings[i];
  }
  ratings.resize(kept);
}

// Takes out of a customer's ratings what leave-one-out tests, and what it drops: the last of its items in time, where an item's time
// is that of its last rating, and the one before it. Returns what is tested.
std::vector<Rating> take_out_last(std::vector<Rating>& ratings, const SplitRule& split, Counts& counts) {
  std::ranges::stable_sort(ratings, {}, &Rating::time);
  std::vector<Rating> kept, last;
  if (ratings.empty()) {
    return last;
  }
  const std::uint32_t final_item = ratings.back().item;
  const auto before = std::find_if(ratings.rbegin(), ratings.rend(),
                                   [&](const Rating& one) { return one.item != final_item; });
  if (before == ratings.rend()) {
    return last;  // A customer of one item keeps it: there is nothing to foresee it from.
  }
  for (const Rating& rating : ratings) {
    const Side side = rating.item == final_item     ? split.side_of_last()
                      : rating.item == before->item ? split.side_of_last_but_one()
                                                    : Side::train;
    counts.validation_dropped += side == Side::drop ? 1U : 0U;
    if (side != Side::drop) {
      (side == Side::test ? last : kept).push_back(rating);
    }
  }
  ratings.swap(kept);
  return last;
}

void append_row(StagedRows& rows, const RowKey& key, const std::vector<Rating>& ratings) {
  for (const Rating& rating : ratings) {
    rows.features.columns.push_back(rating.item);
    rows.features.values.push_back(rating.value);
  }
  if (!ratings.empty()) {
    rows.features.row_begin.push_back(rows.features.columns.size());
    rows.keys.push_back(key);
  }
}

// Millions of ratings are most of a worker's memory, so the file is read twice: once to count each customer's, once to put them
// where they stay.
void read_ratings(const Configuration& configuration, std::uint32_t worker,
                  const std::optional<StringTable>& owned, const Cleaning& cleaning, Counts& counts,
                  Dataset& data) {
  RowPlan plan(configuration, worker);
  if (plan.data.customer.empty()) {
    throw bad_input("data.customer is missing; format ratings needs the column of customers");
  }
  const bool leave_one_out = plan.split.kind() == SplitRule::Kind::leave_one_out;
  if (leave_one_out && plan.data.time.empty()) {
    throw bad_input("data.test=leave-one-out needs data.time, the column that says which item was last");
  }
  RowFilter filter(owned, cleaning, counts);
  CustomerRows train_customers, test_customers;
  for_each_rating(plan, cleaning, filter, counts, [&](const RowKey& key, Side side, const Rating&) {
    (side == Side::train ? train_customers : test_customers).add(key);
  });
  const RowNames names = filter.names();
  train_customers.sort(names.merchants);
  test_customers.sort(names.merchants);

  RatingTable train(std::move(train_customers), !plan.data.time.empty());
  RatingTable test(std::move(test_customers), !plan.data.time.empty());
  RowPlan again(configuration, worker);
  Counts counted;  // Already.
  RowFilter same(owned, cleaning, counted);
  for_each_rating(again, cleaning, same, counted, [&](const RowKey& key, Side side, const Rating& rating) {
    (side == Side::train ? train : test).put(key, rating);
  });

  StagedRows held_back;
  StagedRows train_rows = std::move(train).rows([&](const RowKey& key, std::vector<Rating>& ratings) {
    if (leave_one_out) {
      std::vector<Rating> last = take_out_last(ratings, plan.split, counts);
      keep_last_of_each_item(last, counts);
      append_row(held_back, key, last);
    }
    keep_last_of_each_item(ratings, counts);
  });
  StagedRows test_rows = std::move(test).rows(
      [&](const RowKey&, std::vector<Rating>& ratings) { keep_last_of_each_item(ratings, counts); });
  sort_rows(std::move(train_rows), leave_one_out ? std::move(held_back) : std::move(test_rows), names, data);
}

}  // namespace

Dataset read_dataset(const Configuration& configuration, std::uint32_t worker, std::uint32_t workers) {
  check(worker >= 1 && worker <= workers, "workers are numbered from 1");
  const Cleaning cleaning = read_cleaning(configuration.data.clean);
  RowPlan plan(configuration, worker);
  std::optional<StringTable> owned;
  if (!plan.own_file && workers > 1) {
    owned = dealt_merchants(configuration, worker, workers);
  }

  if (plan.split.kind() == SplitRule::Kind::leave_one_out && configuration.data.format != "ratings") {
    throw bad_input(
        "data.test=leave-one-out needs data.format=ratings: it holds back the last item of each customer");
  }
  Dataset data;
  data.kind = row_kind(configuration);
  data.space = feature_space(configuration);
  Counts counts;
  RowFilter filter(owned, cleaning, counts);
  if (configuration.data.format == "ratings") {
    read_ratings(configuration, worker, owned, cleaning, counts, data);
  } else if (configuration.data.format == "libsvm") {
    read_records(plan, LibsvmRecords(plan), filter, counts, data);
  } else if (configuration.data.format == "idx") {
    read_records(plan, IdxRecords(plan), filter, counts, data);
  } else {
    read_records(plan, CsvRecords(plan, cleaning), filter, counts, data);
  }
  data.account = sentences(counts, cleaning);
  const auto is_positive = [](float label) { return label > 0; };
  if (!configuration.data.positive.empty() && !data.train.labels.empty() &&
      std::ranges::none_of(data.train.labels, is_positive)) {
    data.account.push_back("no training row has the label data.positive = '" + configuration.data.positive +
                           "'");
  }
  return data;
}

}  // namespace hanse
