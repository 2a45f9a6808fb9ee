#include "common/data/libsvm.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/failure.h"
#include "common/data/numbers.h"

namespace hanse {
namespace {

// The next word of `line`, removed from it; empty at the end.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view kBlank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

LibsvmReader::LibsvmReader(std::string_view text, std::string file, std::uint32_t features,
                           bool numeric_label)
    : text_(text), file_(std::move(file)), features_(features), numeric_label_(numeric_label) {
  if (features == 0) {
    throw bad_input(
        "data.features is 0; format libsvm needs the number of features, because every worker must know the "
        "same");
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw bad_input(file_ + ": the file is empty; expected lines 'LABEL INDEX:VALUE ...'");
  }
}

std::string LibsvmReader::place() const {
  return file_ + ":" + std::to_string(line_);
}

bool LibsvmReader::next() {
  while (at_ < text_.size()) {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    row_text_ = line.substr(0, line.find('#'));
    if (row_text_.find_first_not_of(" \t\r") != std::string_view::npos) {
      read_row();
      return true;
    }
  }
  return false;
}

void LibsvmReader::read_row() {
  std::string_view rest = row_text_;
  const std::string_view label_word = take_word(rest);
  const auto label = read_number(label_word);
  const bool is_class = label && (*label == 0 || *label == 1 || *label == -1);
  if (numeric_label_ ? !(label && std::isfinite(static_cast<float>(*label))) : !is_class) {
    throw bad_input(place() + ": label: expected " + (numeric_label_ ? "a finite number" : "+1, -1, 1 or 0") +
                    ", got '" + std::string(label_word) + "'");
  }
  label_ = numeric_label_ ? static_cast<float>(*label) : *label == 1 ? 1.0F : 0.0F;
  columns_.clear();
  values_.clear();
  std::int64_t last = 0;
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    const std::size_t colon = word.find(':');
    const auto index = read_integer(word.substr(0, colon));
    const auto value = colon == std::string_view::npos ? std::nullopt : read_number(word.substr(colon + 1));
    if (!index || !value || !std::isfinite(static_cast<float>(*value))) {
      throw bad_input(place() + ": expected INDEX:VALUE with a finite number, got '" + std::string(word) +
                      "'");
    }
    if (*index <= last) {
      throw bad_input(place() + ": index " + std::to_string(*index) + " follows index " +
                      std::to_string(last) + "; indices begin at 1 and increase");
    }
    if (*index > static_cast<std::int64_t>(features_)) {
      throw bad_input(place() + ": index " + std::to_string(*index) +
                      " is beyond data.features = " + std::to_string(features_));
    }
    last = *index;
    if (*value != 0) {
      columns_.push_back(static_cast<std::uint32_t>(*index - 1));
      values_.push_back(static_cast<float>(*value));
    }
  }
}

}  // namespace hanse
