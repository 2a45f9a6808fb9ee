#include "common/data/column_spec.h"

#include <utility>

#include "common/base/failure.h"
#include "common/data/numbers.h"

namespace hanse {
namespace {

constexpr std::string_view kNumericGrammar =
    "expected [TRANSFORM:]NAME[LOW..HIGH] with TRANSFORM one of log, log1p, sqrt, for instance "
    "log1p:seconds[0..12]; transform and range may be left out";
constexpr std::string_view kCrossGrammar =
    "expected WORDS*[TRANSFORM:]NAME, for instance brand*log:price, with both in the configuration by "
    "themselves "
    "as well, where their words and range are given";
constexpr std::string_view kWordGrammar =
    "expected NAME{a|b|c} (the words), NAME[1..N] (integers), NAME#B (hashed into B buckets), NAME@FILE (the "
    "words of "
    "that column of a CSV file) or NAME (words kept by a private count)";
constexpr std::int64_t kMostColumns = 1 << 22;  // Every column has a name in memory.

constexpr std::pair<std::string_view, Transform> kTransforms[] = {
    {"log:", Transform::log}, {"log1p:", Transform::log1p}, {"sqrt:", Transform::sqrt}};

[[noreturn]] void refuse(std::string_view text, std::string_view key, std::string_view grammar) {
  throw bad_input(std::string(key) + ": cannot read the column '" + std::string(text) + "'; " +
                  std::string(grammar));
}

// Splits "NAME[LOW..HIGH]" at its last bracket; false when `text` does not end with one.
bool split_range(std::string_view text, std::string_view& name, std::string_view& low,
                 std::string_view& high) {
  const std::size_t open = text.rfind('[');
  if (!text.ends_with(']') || open == std::string_view::npos) {
    return false;
  }
  const std::string_view range = text.substr(open + 1, text.size() - open - 2);
  const std::size_t dots = range.find("..");
  if (dots == std::string_view::npos) {
    return false;
  }
  name = text.substr(0, open);
  low = range.substr(0, dots);
  high = range.substr(dots + 2);
  return true;
}

std::vector<std::string> split_words(std::string_view list) {
  std::vector<std::string> words;
  for (;;) {
    const std::size_t bar = list.find('|');
    words.emplace_back(trimmed(list.substr(0, bar)));
    if (bar == std::string_view::npos) {
      return words;
    }
    list.remove_prefix(bar + 1);
  }
}

}  // namespace

std::string name_of(const NumericSpec& spec) {
  for (const auto& [prefix, transform] : kTransforms) {
    if (spec.transform == transform) {
      return std::string(prefix) + spec.name;
    }
  }
  return spec.name;
}

bool is_cross(std::string_view text) {
  return text.find('*') != std::string_view::npos;
}

CrossSpec read_cross_spec(std::string_view text, std::string_view key) {
  const std::size_t star = text.find('*');
  if (star == std::string_view::npos || text.find_first_of("*[]{}#@", star + 1) != std::string_view::npos) {
    refuse(text, key, kCrossGrammar);
  }
  CrossSpec spec{.words = std::string(trimmed(text.substr(0, star))),
                 .number = read_numeric_spec(text.substr(star + 1), key)};
  if (spec.words.empty() || spec.words.find_first_of(":[]{}#@") != std::string::npos) {
    refuse(text, key, kCrossGrammar);
  }
  return spec;
}

NumericSpec read_numeric_spec(std::string_view text, std::string_view key) {
  NumericSpec spec;
  std::string_view rest = trimmed(text);
  for (const auto& [prefix, transform] : kTransforms) {
    if (rest.starts_with(prefix)) {
      spec.transform = transform;
      rest.remove_prefix(prefix.size());
      break;
    }
  }
  std::string_view name = rest, low_text, high_text;
  if (rest.ends_with(']')) {
    if (!split_range(rest, name, low_text, high_text)) {
      refuse(text, key, kNumericGrammar);
    }
    const auto low = read_number(low_text), high = read_number(high_text);
    if (!low || !high || !(*low < *high)) {
      refuse(text, key, kNumericGrammar);
    }
    spec.low = *low;
    spec.high = *high;
  }
  spec.name = trimmed(name);
  if (spec.name.empty() || spec.name.find_first_of(":[]*") != std::string::npos) {
    refuse(text, key, kNumericGrammar);
  }
  return spec;
}

WordSpec read_word_spec(std::string_view text, std::string_view key, std::uint32_t counted_buckets) {
  WordSpec spec;
  const std::string_view whole = trimmed(text);
  std::string_view name = whole, low_text, high_text;
  if (whole.ends_with('}')) {
    const std::size_t open = whole.find('{');
    if (open == std::string_view::npos) {
      refuse(text, key, kWordGrammar);
    }
    name = whole.substr(0, open);
    spec.kind = WordSpec::Kind::words;
    spec.words = split_words(whole.substr(open + 1, whole.size() - open - 2));
    for (std::size_t i = 0; i < spec.words.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (spec.words[i] == spec.words[j]) {
          refuse(text, key, "the word '" + spec.words[i] + "' is given twice");
        }
      }
      if (spec.words[i].empty()) {
        refuse(text, key, kWordGrammar);
      }
    }
  } else if (whole.ends_with(']')) {
    if (!split_range(whole, name, low_text, high_text)) {
      refuse(text, key, kWordGrammar);
    }
    const auto low = read_integer(low_text), high = read_integer(high_text);
    constexpr std::int64_t kFarthest = std::int64_t{1} << 53;
    if (!low || !high || *low < -kFarthest || *high > kFarthest || *low > *high ||
        *high - *low >= kMostColumns) {
      refuse(text, key, kWordGrammar);
    }
    spec.kind = WordSpec::Kind::integers;
    spec.low = *low;
    spec.high = *high;
  } else if (const std::size_t at = whole.find('@'); at != std::string_view::npos) {
    name = whole.substr(0, at);
    spec.kind = WordSpec::Kind::file;
    spec.file = trimmed(whole.substr(at + 1));
    if (spec.file.empty()) {
      refuse(text, key, kWordGrammar);
    }
  } else if (const std::size_t hash = whole.rfind('#'); hash != std::string_view::npos) {
    name = whole.substr(0, hash);
    const auto buckets = read_integer(whole.substr(hash + 1));
    if (!buckets || *buckets < 1 || *buckets > kMostColumns) {
      refuse(text, key, kWordGrammar);
    }
    spec.kind = WordSpec::Kind::hashed;
    spec.buckets = static_cast<std::uint32_t>(*buckets);
  } else {
    spec.kind = WordSpec::Kind::counted;
    spec.buckets = counted_buckets;
  }
  spec.name = trimmed(name);
  if (spec.name.empty() || spec.name.find_first_of("{}[]#@") != std::string::npos) {
    refuse(text, key, kWordGrammar);
  }
  return spec;
}

std::string column_name_of(const NumericSpec& spec) {
  switch (spec.transform) {
    case Transform::none:
      return spec.name;
    case Transform::log:
      return "log(" + spec.name + ")";
    case Transform::log1p:
      return "log1p(" + spec.name + ")";
    case Transform::sqrt:
      return "sqrt(" + spec.name + ")";
  }
  return spec.name;
}

}  // namespace hanse
