#include "common/config/arguments.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/config/configuration.h"
#include "common/config/nearest.h"

namespace hanse {
namespace {

namespace po = boost::program_options;

std::string see_help(const std::string& program) {
  return " (see '" + program + " --help')";
}

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (text.size() > 1 && *begin == '+' && begin[1] != '-') {
    ++begin;
  }
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end || begin == end) {
    return std::nullopt;
  }
  return value;
}

std::string shown(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  return buffer;
}

/// Wraps `text` behind a column of names.
void append_entry(std::string& out, const std::string& name, const std::string& help) {
  constexpr std::size_t kIndent = 28;
  constexpr std::size_t kWidth = 100;
  std::string line = "  " + name;
  if (line.size() + 2 > kIndent) {
    out += line + "\n";
    line.clear();
  }
  line.resize(kIndent, ' ');
  std::size_t begin = 0;
  while (begin < help.size()) {
    std::size_t end = std::min(help.find(' ', begin), help.size());
    if (line.size() + (end - begin) > kWidth && line.size() > kIndent) {
      out += line + "\n";
      line.assign(kIndent, ' ');
    }
    line += (line.size() > kIndent ? " " : "") + help.substr(begin, end - begin);
    begin = end + 1;
  }
  out += line + "\n";
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  const auto value = parse_whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse_whole<std::int64_t>(text);
}

Arguments::Arguments(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {
  flag("help,h", "Prints this and leaves.");
  flag("version", "Prints the version and leaves.");
}

Arguments& Arguments::option(std::string_view name, std::string_view help,
                             std::optional<std::string> otherwise) {
  const std::size_t comma = std::min(name.find(','), name.size());
  options_.push_back({std::string(name.substr(0, comma)),
                      std::string(name.substr(std::min(comma + 1, name.size()))), std::string(help), false,
                      std::move(otherwise), std::nullopt});
  return *this;
}

Arguments& Arguments::flag(std::string_view name, std::string_view help) {
  option(name, help);
  options_.back().is_flag = true;
  return *this;
}

Arguments& Arguments::positional(std::string_view name, std::string_view help) {
  check(positionals_.empty() || positionals_.back().needed,
        "a needed positional stands behind an optional one");
  positionals_.push_back({std::string(name), std::string(help), true, std::nullopt});
  return *this;
}

Arguments& Arguments::optional_positional(std::string_view name, std::string_view help) {
  positionals_.push_back({std::string(name), std::string(help), false, std::nullopt});
  return *this;
}

Arguments& Arguments::rest(std::string_view name, std::string_view help) {
  rest_of_them_ = Positional{std::string(name), std::string(help), false, std::nullopt};
  return *this;
}

Arguments& Arguments::configuration_settings() {
  with_settings_ = true;
  return *this;
}

Arguments& Arguments::notes(std::string_view text) {
  notes_ = text;
  return *this;
}

std::vector<std::string> Arguments::spellings() const {
  std::vector<std::string> names;
  for (const Option& declared : options_) {
    names.push_back("--" + declared.name);
  }
  if (with_settings_) {
    for (const std::string& key : configuration_keys()) {
      names.push_back("--" + key);
    }
  }
  return names;
}

std::optional<int> Arguments::parse(int argc, const char* const* argv) {
  po::options_description description;
  for (const Option& declared : options_) {
    const std::string name = declared.name + (declared.letter.empty() ? "" : "," + declared.letter);
    if (declared.is_flag) {
      description.add_options()(name.c_str(), "");
    } else {
      description.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  }
  if (with_settings_) {
    for (const std::string& key : configuration_keys()) {
      description.add_options()(key.c_str(), po::value<std::string>(), "");
    }
  }
  std::vector<std::string> words;
  std::vector<std::string> settings;
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    // A positional description of our own is not given: Boost then hands the words over by position.
    const auto parsed =
        po::command_line_parser(std::vector<std::string>(argv + std::min(argc, 1), argv + argc))
            .options(description)
            .style(style)
            .run();
    for (const auto& word : parsed.options) {
      if (word.position_key >= 0 || word.string_key.empty()) {
        words.insert(words.end(), word.value.begin(), word.value.end());
        continue;
      }
      const auto declared = std::find_if(options_.begin(), options_.end(),
                                         [&](const Option& o) { return o.name == word.string_key; });
      if (declared == options_.end()) {
        words.push_back(word.string_key + "=" + word.value.at(0));
        continue;
      }
      if (declared->value && !declared->is_flag) {
        throw bad_input("option --" + declared->name + " is given twice: give it once");
      }
      declared->value = word.value.empty() ? std::string() : word.value.front();
    }
  } catch (const po::unknown_option& unknown) {
    throw bad_input("unknown option " + unknown.get_option_name() +
                    did_you_mean(unknown.get_option_name(), spellings()) + see_help(program_));
  } catch (const po::error& error) {
    throw bad_input(std::string(error.what()) + see_help(program_));
  }
  if (given("help")) {
    std::fputs(help().c_str(), stdout);
    return 0;
  }
  if (given("version")) {
    std::printf("%s %s\n", program_.c_str(), HANSE_VERSION);
    return 0;
  }
  take_positionals(words);
  return std::nullopt;
}

/// A word with '=' before any '/' is a setting, so that "runs/a=b" stays a path.
bool Arguments::is_setting(const std::string& word) const {
  const std::size_t equals = word.find('=');
  return with_settings_ && equals != std::string::npos && word.find('/') > equals;
}

void Arguments::take_positionals(const std::vector<std::string>& words) {
  std::size_t next = 0;
  for (const std::string& word : words) {
    if (is_setting(word)) {
      settings_.push_back(word);
    } else if (next < positionals_.size()) {
      positionals_[next++].value = word;
    } else if (rest_of_them_) {
      rest_.push_back(word);
    } else {
      throw bad_input("unexpected argument '" + word + "'" + see_help(program_));
    }
  }
  if (next < positionals_.size() && positionals_[next].needed) {
    throw bad_input(positionals_[next].name + " is missing" + see_help(program_));
  }
}

const std::string* Arguments::find(std::string_view name) const {
  for (const Option& declared : options_) {
    if (declared.name == name) {
      return declared.value ? &*declared.value : declared.otherwise ? &*declared.otherwise : nullptr;
    }
  }
  for (const Positional& declared : positionals_) {
    if (declared.name == name) {
      return declared.value ? &*declared.value : nullptr;
    }
  }
  check(false, "an argument was asked for that was not declared");
  return nullptr;
}

bool Arguments::given(std::string_view name) const {
  for (const Option& declared : options_) {
    if (declared.name == name) {
      return declared.value.has_value();
    }
  }
  return find(name) != nullptr;
}

std::string Arguments::text(std::string_view name) const {
  const std::string* value = find(name);
  if (value == nullptr) {
    throw bad_input("option --" + std::string(name) + " is missing" + see_help(program_));
  }
  return *value;
}

double Arguments::number(std::string_view name) const {
  const std::string value = text(name);
  const auto parsed = parse_number(value);
  if (!parsed) {
    throw bad_input("--" + std::string(name) + ": expected a finite number, got '" + value + "'");
  }
  return *parsed;
}

double Arguments::number(std::string_view name, double low, double high) const {
  const double value = number(name);
  if (value < low || value > high) {
    throw bad_input("--" + std::string(name) + " must be from " + shown(low) + " to " + shown(high) +
                    "; got " + text(name));
  }
  return value;
}

std::int64_t Arguments::integer(std::string_view name) const {
  const std::string value = text(name);
  const auto parsed = parse_integer(value);
  if (!parsed) {
    throw bad_input("--" + std::string(name) + ": expected a whole number, got '" + value + "'");
  }
  return *parsed;
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t low, std::int64_t high) const {
  const std::int64_t value = integer(name);
  if (value < low || value > high) {
    throw bad_input("--" + std::string(name) + " must be from " + std::to_string(low) + " to " +
                    std::to_string(high) + "; got " + text(name));
  }
  return value;
}

std::vector<double> Arguments::numbers(std::string_view name, std::size_t count) const {
  const std::string value = text(name);
  std::vector<double> parsed;
  std::size_t begin = 0;
  while (begin <= value.size()) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    const auto one = parse_number(std::string_view(value).substr(begin, end - begin));
    if (!one) {
      parsed.clear();
      break;
    }
    parsed.push_back(*one);
    begin = end + 1;
  }
  if (parsed.size() != count) {
    throw bad_input("--" + std::string(name) + ": expected " + std::to_string(count) +
                    " numbers with commas between, got '" + value + "'");
  }
  return parsed;
}

std::string Arguments::choice(std::string_view name, const std::vector<std::string>& choices) const {
  const std::string value = text(name);
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    std::string all;
    for (const std::string& one : choices) {
      all += (all.empty() ? "" : ", ") + one;
    }
    throw bad_input("--" + std::string(name) + " must be one of " + all + "; got '" + value + "'" +
                    did_you_mean(value, choices));
  }
  return value;
}

std::string Arguments::help() const {
  std::string out = "usage: " + program_ + " [options]";
  for (const Positional& declared : positionals_) {
    out += declared.needed ? " " + declared.name : " [" + declared.name + "]";
  }
  if (rest_of_them_) {
    out += " [" + rest_of_them_->name + " ...]";
  }
  if (with_settings_) {
    out += " [KEY=VALUE ...]";
  }
  out += "\n\n" + purpose_ + "\n\n";
  for (const Positional& declared : positionals_) {
    append_entry(out, declared.name, declared.help);
  }
  if (rest_of_them_) {
    append_entry(out, rest_of_them_->name, rest_of_them_->help);
  }
  for (const Option& declared : options_) {
    const std::string name = (declared.letter.empty() ? "" : "-" + declared.letter + ", ") + "--" +
                             declared.name + (declared.is_flag ? "" : " VALUE");
    const std::string otherwise =
        declared.otherwise && !declared.otherwise->empty() ? " [" + *declared.otherwise + "]" : "";
    append_entry(out, name, declared.help + otherwise);
  }
  if (with_settings_) {
    out += "\nKeys of the configuration, as KEY=VALUE or --KEY VALUE:\n\n" + describe_keys();
  }
  if (!notes_.empty()) {
    out += "\n" + notes_ + (notes_.back() == '\n' ? "" : "\n");
  }
  return out;
}

}  // namespace hanse
