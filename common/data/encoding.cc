#include "common/data/encoding.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/base/check.h"

namespace hanse {
namespace {

using Entry = std::pair<std::uint32_t, float>;

// Sorts the entries of one row and adds those of one column, unless they are in order already, as they mostly
// are.
void put_in_order(std::vector<Entry>& row) {
  const auto out_of_order = [](const Entry& a, const Entry& b) { return a.first >= b.first; };
  if (std::adjacent_find(row.begin(), row.end(), out_of_order) == row.end()) {
    return;
  }
  std::stable_sort(row.begin(), row.end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i].first == row[kept].first) {
      row[kept].second += row[i].second;
    } else {
      row[++kept] = row[i];
    }
  }
  row.resize(kept + 1);
}

constexpr std::uint32_t kNoNumber = kDropped;

// The numeric column by whose mean and deviation each raw column is standardised, or kNoNumber.
std::vector<std::uint32_t> numbers_of(const FeatureSpace& space) {
  std::vector<std::uint32_t> number_of(space.width, kNoNumber);
  std::iota(number_of.begin(), number_of.begin() + space.numeric, 0U);
  for (const CrossRange& cross : space.crosses) {
    std::fill(number_of.begin() + cross.begin, number_of.begin() + cross.end, cross.number);
  }
  return number_of;
}

// The index in Encoding::idf of each raw column, or kNoNumber.
std::vector<std::uint32_t> texts_of(const FeatureSpace& space) {
  std::vector<std::uint32_t> text_of(space.width, kNoNumber);
  std::uint32_t next = 0;
  for (const ColumnRange& text : space.texts) {
    std::iota(text_of.begin() + text.begin, text_of.begin() + text.end, next);
    next += text.end - text.begin;
  }
  return text_of;
}

bool is_text(const FeatureSpace& space, std::uint32_t raw) {
  return std::ranges::any_of(space.texts,
                             [raw](const ColumnRange& text) { return text.begin <= raw && raw < text.end; });
}

// Scales the entries of these columns to L2 norm 1.
void normalise(std::vector<Entry>& row, std::pair<std::uint32_t, std::uint32_t> columns) {
  const auto in_text = [&](const Entry& entry) {
    return columns.first <= entry.first && entry.first < columns.second;
  };
  double square = 0;
  for (const Entry& entry : row) {
    square += in_text(entry) ? static_cast<double>(entry.second) * static_cast<double>(entry.second) : 0;
  }
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  for (Entry& entry : row) {
    entry.second =
        in_text(entry) ? static_cast<float>(static_cast<double>(entry.second) * scale) : entry.second;
  }
}

// Gives the raw columns of a cross what became of its words: a column for each of theirs, or none. They come next.
void follow_words(const FeatureSpace& space, const CrossRange& cross, Encoding& encoding) {
  const auto next = static_cast<std::uint32_t>(encoding.names.size());
  const auto words = encoding.column_of.begin() + cross.words_begin;
  const std::uint32_t count = cross.end - cross.begin;
  const std::uint32_t first = *std::min_element(words, words + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t word = words[i];
    std::uint32_t& column = encoding.column_of[cross.begin + i];
    column = word == kDropped ? kDropped : next + (word - first);
    if (column != kDropped && column >= encoding.names.size()) {
      encoding.names.resize(column + 1);
    }
    if (column != kDropped) {
      encoding.names[column] = encoding.names[word] + "*" + space.names[cross.number];
    }
  }
}

float standardised(float value, double mean, double deviation, double limit) {
  if (std::isnan(value)) {
    return 0;
  }
  const double z = (static_cast<double>(value) - mean) / deviation;
  return static_cast<float>(limit > 0 ? std::clamp(z, -limit, limit) : z);
}

// The encoded columns [first, second) of raw columns [begin, end), which are neighbours; empty where none was kept.
std::pair<std::uint32_t, std::uint32_t> encoded_range(const Encoding& encoding, std::uint32_t begin,
                                                      std::uint32_t end) {
  std::uint32_t first = kDropped, last = 0;
  for (std::uint32_t raw = begin; raw < end; ++raw) {
    if (const std::uint32_t column = encoding.column_of[raw]; column != kDropped) {
      first = std::min(first, column);
      last = std::max(last, column + 1);
    }
  }
  return first == kDropped ? std::pair{0U, 0U} : std::pair{first, last};
}

// A row never grows, so that writing stays behind reading.
void encode(CsrMatrix& rows, RowKind kind, const Encoding& encoding, const FeatureSpace& space) {
  const std::vector<std::uint32_t> number_of = numbers_of(space);
  const std::vector<std::uint32_t> text_of = texts_of(space);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> texts;
  for (const ColumnRange& text : space.texts) {
    texts.push_back(encoded_range(encoding, text.begin, text.end));
  }
  std::vector<Entry> row;
  std::size_t read = 0, written = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    row.clear();
    for (const std::size_t end = rows.row_begin[i + 1]; read < end; ++read) {
      const std::uint32_t raw = rows.columns[read];
      float value = rows.values[read];
      check(raw < encoding.column_of.size(), "every raw column has an encoding");
      if (const std::uint32_t number = number_of[raw]; number != kNoNumber) {
        value =
            standardised(value, encoding.mean[number], encoding.deviation[number], encoding.outlier_limit);
      }
      if (const std::uint32_t word = text_of[raw]; word != kNoNumber) {
        value = static_cast<float>((1 + std::log(static_cast<double>(value))) * encoding.idf[word]);
      }
      if (encoding.column_of[raw] != kDropped) {
        row.emplace_back(encoding.column_of[raw], value);
      } else if (kind == RowKind::customer) {
        row.emplace_back(encoding.width + raw, value);
      }
    }
    put_in_order(row);
    for (const auto& text : texts) {
      normalise(row, text);
    }
    for (const auto& [column, value] : row) {
      rows.columns[written] = column;
      rows.values[written] = value;
      ++written;
    }
    rows.row_begin[i + 1] = written;
  }
  rows.columns.resize(written);
  rows.values.resize(written);
}

}  // namespace

Encoding identity_encoding(const FeatureSpace& space) {
  Encoding encoding;
  encoding.mean.assign(space.numeric, 0.0);
  encoding.deviation.assign(space.numeric, 1.0);
  encoding.column_of.resize(space.width);
  std::iota(encoding.column_of.begin(), encoding.column_of.end(), 0U);
  for (const ColumnRange& text : space.texts) {
    encoding.idf.insert(encoding.idf.end(), text.end - text.begin, 1.0);
  }
  encoding.width = space.width;
  encoding.names = space.names;
  encoding.label_low = space.label_low;
  encoding.label_high = space.label_high;
  return encoding;
}

Encoding thinned_encoding(const FeatureSpace& space, RowKind kind, const std::vector<bool>& kept,
                          const std::vector<bool>& hidden) {
  check(kept.size() == space.width && (hidden.empty() || hidden.size() == space.width),
        "the private counts have an answer for every raw column");
  constexpr std::uint32_t kRare = kDropped - 1;  // Until the end of the range shows where they go.
  Encoding encoding = identity_encoding(space);
  encoding.names.clear();
  auto range = space.counted_ranges.begin();
  auto cross = space.crosses.begin();
  for (std::uint32_t raw = 0; raw < space.width; ++raw) {
    if (cross != space.crosses.end() && raw == cross->begin) {
      follow_words(space, *cross, encoding);
      raw = cross->end - 1;
      ++cross;
      continue;
    }
    const bool counted = range != space.counted_ranges.end() && raw >= range->begin;
    if (!hidden.empty() && hidden[raw]) {
      encoding.column_of[raw] = kDropped;
    } else if (!counted || kept[raw]) {
      encoding.column_of[raw] = static_cast<std::uint32_t>(encoding.names.size());
      encoding.names.push_back(space.names[raw]);
    } else {
      encoding.column_of[raw] = kind == RowKind::record && !is_text(space, raw) ? kRare : kDropped;
    }
    if (!counted || raw + 1 < range->end) {
      continue;
    }
    // The end of a counted range: what was not kept shares the column that comes next.
    const auto first = encoding.column_of.begin() + range->begin,
               last = encoding.column_of.begin() + range->end;
    if (std::find(first, last, kRare) != last) {
      std::replace(first, last, kRare, static_cast<std::uint32_t>(encoding.names.size()));
      encoding.names.push_back(range->name + "=other");
    }
    ++range;
  }
  encoding.width = static_cast<std::uint32_t>(encoding.names.size());
  return encoding;
}

FeatureSpace encoded_space(const FeatureSpace& space, const Encoding& encoding) {
  FeatureSpace encoded = space;
  encoded.width = encoding.width;
  encoded.names = encoding.names;
  encoded.counted = false;
  encoded.counted_ranges.clear();
  for (std::size_t i = 0; i < space.range_low.size(); ++i) {
    encoded.range_low[i] = (space.range_low[i] - encoding.mean[i]) / encoding.deviation[i];
    encoded.range_high[i] = (space.range_high[i] - encoding.mean[i]) / encoding.deviation[i];
  }
  for (std::vector<ColumnRange>* ranges : {&encoded.sparse_ranges, &encoded.texts}) {
    for (ColumnRange& range : *ranges) {
      const auto [begin, end] = encoded_range(encoding, range.begin, range.end);
      range.begin = begin;
      range.end = end;
    }
  }
  for (std::size_t i = 0; i < space.crosses.size(); ++i) {
    const CrossRange& cross = space.crosses[i];
    const auto [begin, end] = encoded_range(encoding, cross.begin, cross.end);
    const std::uint32_t words =
        encoded_range(encoding, cross.words_begin, cross.words_begin + cross.end - cross.begin).first;
    encoded.crosses[i] = {.begin = begin, .end = end, .words_begin = words, .number = cross.number};
  }
  return encoded;
}

void encode(Dataset& data, const Encoding& encoding) {
  const std::size_t numeric = data.space.numeric;
  check(encoding.mean.size() == numeric && encoding.deviation.size() == numeric,
        "the encoding has a mean and a deviation for each numeric column");
  check(encoding.column_of.size() == data.space.width, "the encoding is of this feature space");
  check(encoding.names.size() == encoding.width, "every encoded column has a name");
  for (std::size_t i = 0; i < numeric; ++i) {
    check(encoding.column_of[i] == i, "numeric columns keep their index");
    check(encoding.deviation[i] > 0, "deviations are positive");
  }
  std::size_t words = 0;
  for (const ColumnRange& text : data.space.texts) {
    words += text.end - text.begin;
  }
  check(encoding.idf.size() == words, "the encoding has an inverse frequency for each word of a text");
  encode(data.train.features, data.kind, encoding, data.space);
  encode(data.test.features, data.kind, encoding, data.space);

  data.space = encoded_space(data.space, encoding);
}

}  // namespace hanse
