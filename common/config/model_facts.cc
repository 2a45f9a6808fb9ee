#include "common/config/model_facts.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/failure.h"
#include "common/config/configuration_keys.h"

namespace hanse {
namespace {

/// Of [data], what says where rows were and how they were dealt and split.
constexpr std::array<std::string_view, 6> kOfTheRun = {"data.path", "data.merchant",   "data.partition",
                                                       "data.test", "data.validation", "data.max_units"};

bool is_needed(const std::string& key) {
  return (key.starts_with("data.") || key.starts_with("workload.")) &&
         std::ranges::find(kOfTheRun, key) == kOfTheRun.end();
}

}  // namespace

std::map<std::string, std::string> model_facts(const Configuration& configuration) {
  std::map<std::string, std::string> facts;
  for (const Key& key : key_table()) {
    if (const auto value = key.read(configuration); value && is_needed(key.name)) {
      facts[key.name] = *value;
    }
  }
  return facts;
}

Configuration configuration_of_facts(const std::map<std::string, std::string>& facts,
                                     const std::string& origin) {
  if (!facts.contains("workload.name")) {
    throw bad_input(
        origin +
        " tells too little of its data to be used: it was written by an older Hanse; train it again");
  }
  Configuration configuration;
  configuration.privacy.unit = Unit::none;
  for (const Key& key : key_table()) {
    const auto fact = facts.find(key.name);
    if (fact == facts.end() || !is_needed(key.name)) {
      continue;
    }
    if (const auto expected = key.write(configuration, fact->second)) {
      throw bad_input(origin + ": " + key.name + ": " + *expected + "; got '" + fact->second + "'");
    }
  }
  return configuration;
}

}  // namespace hanse
