#include "common/data/csv_columns.h"

#include <algorithm>
#include <string>

#include "common/base/failure.h"

namespace hanse {
namespace {

CsvColumns::Cross find_cross(const CsvColumns& columns, const CrossSpec& spec, const std::string& text) {
  const auto words = std::find_if(columns.words.begin(), columns.words.end(),
                                  [&](const Vocabulary& v) { return v.name() == spec.words; });
  if (words == columns.words.end()) {
    throw bad_input("data.numeric: '" + text + "' crosses the words of '" + spec.words +
                    "', which data.categorical does not have: add them there");
  }
  const auto number = std::find_if(columns.numbers.begin(), columns.numbers.end(), [&](const NumericSpec& n) {
    return n.transform == spec.number.transform && n.name == spec.number.name;
  });
  if (number == columns.numbers.end()) {
    throw bad_input("data.numeric: '" + text + "' crosses a number that is not in the list by itself: add '" +
                    name_of(spec.number) + "' to it");
  }
  return {.words = static_cast<std::size_t>(words - columns.words.begin()),
          .number = static_cast<std::size_t>(number - columns.numbers.begin()),
          .begin = columns.intercept};
}

}  // namespace

CsvColumns csv_columns(const Configuration::Data& data, const std::filesystem::path& folder) {
  CsvColumns columns;
  for (const std::string& text : data.numeric) {
    if (!is_cross(text)) {
      columns.numbers.push_back(read_numeric_spec(text, "data.numeric"));
    }
  }
  columns.intercept = static_cast<std::uint32_t>(columns.numbers.size());
  for (const std::string& text : data.categorical) {
    columns.words.emplace_back(read_word_spec(text, "data.categorical", kCategoryBuckets), folder,
                               "data.categorical");
    columns.begins.push_back(columns.intercept);
    columns.intercept += columns.words.back().width();
  }
  for (const std::string& text : data.text) {
    const WordSpec spec = read_word_spec(text, "data.text", kTextBuckets);
    if (spec.kind == WordSpec::Kind::integers) {
      throw bad_input("data.text: '" + text + "' lists numbers, and the words of a text are hashed (" +
                      spec.name + "#16384), kept by a private count (" + spec.name + ") or given (" +
                      spec.name + "@FILE)");
    }
    columns.texts.emplace_back(spec, folder, "data.text");
    columns.text_begins.push_back(columns.intercept);
    columns.intercept += columns.texts.back().width();
  }
  for (const std::string& text : data.numeric) {
    if (is_cross(text)) {
      columns.crosses.push_back(find_cross(columns, read_cross_spec(text, "data.numeric"), text));
      columns.intercept += columns.words[columns.crosses.back().words].width();
    }
  }
  return columns;
}

}  // namespace hanse
