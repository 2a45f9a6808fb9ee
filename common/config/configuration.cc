#include "common/config/configuration.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <set>
#include <sstream>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/config/configuration_keys.h"
#include "common/config/nearest.h"

namespace hanse {
namespace {

namespace po = boost::program_options;

/// Boost takes every '#' for a comment. Here one starts at the beginning of a line or after white space,
/// outside quotes; the others travel through Boost as this character, which no value may hold.
constexpr char kHiddenHash = '\x1f';

std::string section_of(const std::string& key) {
  return key.substr(0, std::min(key.find('.'), key.size()));
}

std::string with_hidden_hashes(const std::string& line) {
  std::string out;
  bool in_quotes = false;
  for (const char c : line) {
    if (c == kHiddenHash) {
      continue;
    }
    if (c == '#' && !in_quotes && (out.empty() || out.back() == ' ' || out.back() == '\t')) {
      break;
    }
    in_quotes = in_quotes != (c == '"');
    out.push_back(c == '#' ? kHiddenHash : c);
  }
  return out;
}

struct Setting {
  std::string key;
  std::string value;
  std::string place;  ///< "market.ini:17", or "command line".
};

/// The settings of one line of the file. Boost reads line by line as well, but forgets the number.
std::vector<Setting> parse_line(const std::string& line, const std::string& section,
                                const std::string& place) {
  std::istringstream stream((section.empty() ? "" : "[" + section + "]\n") + line + "\n");
  std::vector<Setting> settings;
  for (const auto& option : po::parse_config_file(stream, po::options_description(), true).options) {
    std::string value = option.value.empty() ? std::string() : option.value.front();
    std::replace(value.begin(), value.end(), kHiddenHash, '#');
    settings.push_back({option.string_key, value, place});
  }
  return settings;
}

std::vector<Setting> parse_file(const std::filesystem::path& file) {
  std::istringstream content(read_file(file));
  std::vector<Setting> settings;
  std::string section;
  std::string line;
  for (std::size_t number = 1; std::getline(content, line); ++number) {
    const std::string place = file.string() + ":" + std::to_string(number);
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) {
      line.erase(0, 3);
    }
    if (line.find('\0') != std::string::npos) {
      throw bad_input(place + ": a zero byte: this is no text file");
    }
    const std::string kept = with_hidden_hashes(line);
    const std::size_t begin = kept.find_first_not_of(" \t\r");
    if (begin == std::string::npos) {
      continue;
    }
    const std::size_t end = kept.find_last_not_of(" \t\r");
    if (kept[begin] == '[' && kept[end] == ']') {
      section = kept.substr(begin + 1, end - begin - 1);
      continue;
    }
    try {
      for (Setting& setting : parse_line(kept, section, place)) {
        settings.push_back(std::move(setting));
      }
    } catch (const po::error&) {
      throw bad_input(place + ": expected [section] or key = value, got '" + line.substr(begin, 60) + "'");
    }
  }
  return settings;
}

/// The place of what was written on the command line.
constexpr const char* kCommandLine = "command line";

Setting parse_setting(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw bad_input("command line: expected KEY=VALUE, got '" + text + "'");
  }
  return {text.substr(0, equals), text.substr(equals + 1), kCommandLine};
}

const Key& key_named(const Setting& setting) {
  for (const Key& key : key_table()) {
    if (key.name == setting.key) {
      return key;
    }
  }
  std::set<std::string> sections;
  for (const Key& key : key_table()) {
    sections.insert(section_of(key.name));
  }
  const std::string section = section_of(setting.key);
  const bool known_section = sections.contains(section) || setting.key.find('.') == std::string::npos;
  if (!known_section && !nearest(setting.key, configuration_keys())) {
    throw bad_input(setting.place + ": unknown section [" + section + "]" +
                    did_you_mean(section, {sections.begin(), sections.end()}));
  }
  throw bad_input(setting.place + ": unknown key " + setting.key +
                  did_you_mean(setting.key, configuration_keys()));
}

/// Where each key was set last, for sentences about contradictions.
using Places = std::map<std::string, std::string>;

std::string at(const Places& places, const std::string& key) {
  const auto found = places.find(key);
  return found == places.end() ? std::string() : found->second + ": ";
}

void apply(const Setting& setting, Configuration& configuration, Places& places) {
  const Key& key = key_named(setting);
  if (const auto refusal = key.write(configuration, setting.value)) {
    throw bad_input(setting.place + ": " + key.name + ": " + *refusal + "; got '" + setting.value + "'");
  }
  places[key.name] = setting.place;
}

void refuse_privacy_contradictions(const Configuration& c, const Places& places) {
  const Configuration::Privacy& p = c.privacy;
  if (p.unit == Unit::none) {
    if (p.epsilon > 0 || p.noise_multiplier > 0) {
      const char* key = p.epsilon > 0 ? "privacy.epsilon" : "privacy.noise_multiplier";
      throw bad_input(
          at(places, key) + key +
          " needs a unit of privacy, but privacy.unit is none: set the unit, or leave the noise out");
    }
    return;
  }
  if (p.epsilon > 0 && p.noise_multiplier > 0) {
    throw bad_input(
        at(places, "privacy.noise_multiplier") +
        "privacy.noise_multiplier and privacy.epsilon contradict each other: the noise is calibrated "
        "from epsilon; give one of them");
  }
  if (p.epsilon > 0 && p.delta == 0) {
    throw bad_input(
        at(places, "privacy.epsilon") +
        "privacy.epsilon needs privacy.delta: give a probability well below one in the number of units");
  }
  if (p.delta > 0 && p.epsilon == 0 && p.noise_multiplier == 0) {
    throw bad_input(at(places, "privacy.delta") +
                    "privacy.delta needs privacy.epsilon or privacy.noise_multiplier: give one of them");
  }
  if (p.noise_multiplier > 0 && p.delta == 0) {
    throw bad_input(at(places, "privacy.noise_multiplier") +
                    "privacy.noise_multiplier needs privacy.delta, at which epsilon is reported");
  }
  if (p.statistics_share + p.evaluation_share >= 1) {
    throw bad_input(
        at(places, "privacy.evaluation_share") +
        "privacy.statistics_share and privacy.evaluation_share must leave something for training: "
        "together below 1");
  }
}

/// Removal is part of the protocol of masks, and its argument is that all merchants agree on one set.
void refuse_surplus_contradictions(const Configuration& c, const Places& places) {
  if (!c.privacy.remove_surplus_noise) {
    return;
  }
  const auto refuse = [&](const std::string& why) {
    throw bad_input(at(places, "privacy.remove_surplus_noise") + "privacy.remove_surplus_noise " + why);
  };
  if (c.privacy.unit == Unit::none) {
    refuse("needs a unit of privacy: with privacy.unit=none there is no noise; leave one of them out");
  }
  if (c.aggregation.encryption != "masked") {
    refuse(
        "needs aggregation.encryption=masked: the merchants that hold shares of masks hold those of surplus "
        "noise; "
        "got " +
        c.aggregation.encryption);
  }
  if (c.aggregation.topology == "tree") {
    refuse("needs aggregation.topology=star: it is not made for a tree");
  }
}

void refuse_turn_contradictions(const Configuration& c, const Places& places) {
  const Configuration::Privacy& p = c.privacy;
  if (p.correlated_noise != "none" && p.unit == Unit::none) {
    throw bad_input(
        at(places, "privacy.correlated_noise") +
        "privacy.correlated_noise needs a unit of privacy, but privacy.unit is none: there is no noise "
        "to correlate");
  }
  if (p.correlated_noise != "none" && p.turns < 2) {
    throw bad_input(at(places, "privacy.correlated_noise") +
                    "privacy.correlated_noise needs privacy.turns, its number of bands: 2 or more");
  }
  if (p.turns == 1) {
    return;
  }
  const std::string turns = at(places, "privacy.turns") + "privacy.turns=" + std::to_string(p.turns);
  if (p.turns > c.federation.rounds) {
    throw bad_input(turns + " is more than the " + std::to_string(c.federation.rounds) +
                    " of federation.rounds: some units would never have a turn");
  }
  if (p.sampling_rate < 1) {
    throw bad_input(turns +
                    " and privacy.sampling_rate exclude each other: units either take turns or are drawn");
  }
  if (c.federation.cohort < 1) {
    throw bad_input(
        turns +
        " needs all merchants in every round: federation.cohort=1, as one that is not invited would "
        "lose the turns of its units");
  }
  if (p.adaptive_clip) {
    throw bad_input(turns +
                    " and privacy.adaptive_clip exclude each other: all rounds must have one clip norm");
  }
}

void refuse_contradictions(const Configuration& c, const Places& places) {
  refuse_surplus_contradictions(c, places);
  if (c.privacy.accountant == "pld") {
    throw bad_input(at(places, "privacy.accountant") +
                    "privacy.accountant=pld is not in this version: use rdp");
  }
  refuse_privacy_contradictions(c, places);
  refuse_turn_contradictions(c, places);
  const std::uint32_t fewest = c.federation.min_merchants;
  if (c.aggregation.encryption != "none" && fewest > 0 && fewest < 3) {
    throw bad_input(
        at(places, "federation.min_merchants") +
        "federation.min_merchants must be at least 3 when uploads are hidden: a sum of two shows each to "
        "the other; got " +
        std::to_string(fewest));
  }
  if (c.data.format == "libsvm" && c.data.features == 0) {
    throw bad_input(
        at(places, "data.format") +
        "data.format=libsvm needs data.features, the number of columns, the same for all merchants");
  }
  if (!c.aggregation.keys.empty() && c.aggregation.roster.empty()) {
    throw bad_input(at(places, "aggregation.keys") +
                    "aggregation.keys needs aggregation.roster, which names them");
  }
  if (c.aggregation.topology == "tree" && c.aggregation.encryption != "masked") {
    throw bad_input(at(places, "aggregation.topology") +
                    "aggregation.topology=tree needs aggregation.encryption=masked: workers see sums of each "
                    "other's merchants on their way; use aggregation.topology=star");
  }
  if (c.policy.max_epsilon > 0 && c.policy.delta == 0) {
    throw bad_input(at(places, "policy.max_epsilon") + "policy.max_epsilon needs policy.delta");
  }
}

/// data.path and the paths in [aggregation] are meant from the folder of the INI file, or from where the user stands when
/// they are given on the command line. They are made
/// absolute, so that the canonical text means the same from wherever it is read. Other files in [data] are
/// meant from the folder of the data file, and stay as they are.
void place_paths(Configuration& c, const Places& places, const std::filesystem::path& folder) {
  const auto place = [&](const std::string& key, std::string& path) {
    const auto given = places.find(key);
    const bool on_command_line = given != places.end() && given->second == kCommandLine;
    if (!path.empty()) {
      path =
          ((on_command_line ? std::filesystem::current_path() : folder) / path).lexically_normal().string();
    }
  };
  place("data.path", c.data.path);
  place("federation.start", c.federation.start);
  place("aggregation.roster", c.aggregation.roster);
  place("aggregation.keys", c.aggregation.keys);
}

}  // namespace

Configuration read_configuration(const std::filesystem::path& file,
                                 const std::vector<std::string>& settings) {
  Configuration configuration;
  Places places;
  for (const Setting& setting : parse_file(file)) {
    const auto before = places.find(setting.key);
    if (before != places.end()) {
      throw bad_input(setting.place + ": " + setting.key + " is given a second time, first at " +
                      before->second);
    }
    apply(setting, configuration, places);
  }
  for (const std::string& setting : settings) {
    apply(parse_setting(setting), configuration, places);
  }
  refuse_contradictions(configuration, places);
  place_paths(configuration, places, std::filesystem::absolute(file).parent_path());
  return configuration;
}

std::string canonical_text(const Configuration& configuration) {
  std::string text;
  std::string section;
  for (const Key& key : key_table()) {
    const auto value = key.read(configuration);
    if (!value || section_of(key.name) == "policy") {
      continue;
    }
    if (section_of(key.name) != section) {
      section = section_of(key.name);
      text += (text.empty() ? "[" : "\n[") + section + "]\n";
    }
    text += key.name.substr(section.size() + 1) + (value->empty() ? " =" : " = " + *value) + "\n";
  }
  return text;
}

namespace {

Configuration shared_part(const Configuration& configuration) {
  Configuration shared = configuration;
  const Configuration::Federation usual;
  shared.federation.deadline_ms = usual.deadline_ms;
  shared.federation.resume = usual.resume;
  shared.federation.checkpoint_every = usual.checkpoint_every;
  shared.federation.restarts = usual.restarts;
  shared.federation.start
      .clear();  // The coordinator's; workers are told the model, whose digest is in every intent.
  shared.data.path.clear();
  shared.privacy.previous_ledgers.clear();  // Each has its own copies; the plan names what they must be.
  shared.output.dir.clear();
  shared.aggregation.keys.clear();
  shared.aggregation.roster.clear();
  shared.worker.threads = 1;
  return shared;
}

}  // namespace

std::string shared_text(const Configuration& configuration) {
  return canonical_text(shared_part(configuration));
}

std::optional<std::string> shared_difference(const Configuration& before, const Configuration& now) {
  const Configuration old_part = shared_part(before);
  const Configuration new_part = shared_part(now);
  for (const Key& key : key_table()) {
    const auto old_value = key.read(old_part);
    const auto new_value = key.read(new_part);
    if (section_of(key.name) != "policy" && old_value != new_value) {
      return key.name + " (" + old_value.value_or("not given") + " before, " +
             new_value.value_or("not given") + " now)";
    }
  }
  return std::nullopt;
}

std::vector<std::string> configuration_keys() {
  std::vector<std::string> names;
  for (const Key& key : key_table()) {
    names.push_back(key.name);
  }
  return names;
}

std::string describe_keys() {
  std::string text;
  for (const Key& key : key_table()) {
    const auto otherwise = key.read(Configuration());
    text += "  " + key.name + "  (" + key.range + ")";
    if (otherwise && !otherwise->empty()) {
      text += "  [" + *otherwise + "]";
    }
    text += "\n      " + key.help + "\n";
  }
  return text;
}

std::filesystem::path run_directory(const Configuration& configuration) {
  return configuration.output.dir.empty() ? std::filesystem::path("runs") / configuration.federation.name
                                          : std::filesystem::path(configuration.output.dir);
}

}  // namespace hanse
