#include "common/data/vocabulary.h"

#include <utility>

#include "common/base/failure.h"
#include "common/data/csv.h"
#include "common/data/mapped_file.h"
#include "common/data/numbers.h"
#include "common/data/text_hash.h"

namespace hanse {

Vocabulary::Vocabulary(WordSpec spec, const std::filesystem::path& folder, std::string_view key)
    : spec_(std::move(spec)) {
  switch (spec_.kind) {
    case WordSpec::Kind::integers:
      width_ = static_cast<std::uint32_t>(spec_.high - spec_.low + 1);
      return;
    case WordSpec::Kind::hashed:
    case WordSpec::Kind::counted:
      width_ = spec_.buckets;
      return;
    case WordSpec::Kind::words:
      for (const std::string& word : spec_.words) {
        words_.add(word);
      }
      break;
    case WordSpec::Kind::file:
      read_words(folder / spec_.file, key);
      break;
  }
  has_other_ = true;
  width_ = words_.size() + 1;
}

void Vocabulary::read_words(const std::filesystem::path& file, std::string_view key) {
  const MappedFile mapped(file, key);
  CsvReader rows(mapped.text(), file.string());
  const std::size_t column = rows.column(spec_.name, key);
  while (rows.next()) {
    if (!is_missing(rows.cell(column))) {
      words_.add(trimmed(rows.cell(column)));
    }
  }
  if (words_.size() == 0) {
    throw bad_input(file.string() + ": the column '" + spec_.name + "' has no words, but " +
                    std::string(key) + " takes its vocabulary from there");
  }
}

std::uint32_t Vocabulary::column_of(std::string_view cell) const {
  const std::string_view word = trimmed(cell);
  switch (spec_.kind) {
    case WordSpec::Kind::integers: {
      const auto value = read_integer(word);
      const bool in_range = value && *value >= spec_.low && *value <= spec_.high;
      return in_range ? static_cast<std::uint32_t>(*value - spec_.low) : kRefused;
    }
    case WordSpec::Kind::hashed:
    case WordSpec::Kind::counted:
      return static_cast<std::uint32_t>(text_hash(word) % spec_.buckets);
    case WordSpec::Kind::words:
    case WordSpec::Kind::file:
      break;
  }
  const std::uint32_t found = words_.find(word);
  return found == StringTable::kNone ? width_ - 1 : found;
}

std::string Vocabulary::column_name(std::uint32_t column) const {
  if (is_other(column)) {
    return spec_.name + "=other";
  }
  switch (spec_.kind) {
    case WordSpec::Kind::integers:
      return spec_.name + "=" + std::to_string(spec_.low + column);
    case WordSpec::Kind::hashed:
    case WordSpec::Kind::counted:
      return spec_.name + "#" + std::to_string(column);
    case WordSpec::Kind::words:
    case WordSpec::Kind::file:
      break;
  }
  return spec_.name + "=" + std::string(words_.text(column));
}

std::vector<std::string> Vocabulary::words() const {
  std::vector<std::string> words;
  for (std::uint32_t column = 0; column < width_; ++column) {
    if (!is_other(column)) {
      words.push_back(column_name(column).substr(spec_.name.size() + 1));
    }
  }
  return words;
}

std::string Vocabulary::expected() const {
  if (spec_.kind != WordSpec::Kind::integers) {
    return "one of its " + std::to_string(words_.size()) + " words";
  }
  return "an integer in " + std::to_string(spec_.low) + ".." + std::to_string(spec_.high);
}

}  // namespace hanse
