#include "common/workloads/network_structure.h"

#include <algorithm>

#include "common/base/failure.h"
#include "common/numerics/belief_network.h"

namespace hanse {
namespace {

std::string without_spaces_around(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    const std::string part = without_spaces_around(text.substr(begin, end - begin));
    if (!part.empty()) {
      parts.push_back(part);
    }
    if (end == text.size()) {
      return parts;
    }
    begin = end + 1;
  }
}

}  // namespace

std::size_t variable_index(const std::string& name, const std::vector<std::string>& names,
                           const std::string& key) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    std::string listed;
    for (const std::string& known : names) {
      listed += (listed.empty() ? "" : ", ") + known;
    }
    throw bad_input(key + ": there is no variable '" + name + "'; there are " + listed);
  }
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<std::vector<std::size_t>> read_structure(const std::string& text,
                                                     const std::vector<std::string>& names) {
  std::vector<std::vector<std::size_t>> parents(names.size());
  std::vector<bool> said(names.size(), false);
  BeliefNetwork network;
  for (const std::string& family : split_at(text, ';')) {
    const std::size_t colon = family.find(':');
    if (colon == std::string::npos) {
      throw bad_input("workload.structure: cannot read '" + family +
                      "'; expected NAME:PARENT,PARENT with ; between the names");
    }
    const std::size_t variable =
        variable_index(without_spaces_around(family.substr(0, colon)), names, "workload.structure");
    if (said[variable]) {
      throw bad_input("workload.structure: the parents of '" + names[variable] + "' are given twice");
    }
    said[variable] = true;
    for (const std::string& parent : split_at(family.substr(colon + 1), ',')) {
      parents[variable].push_back(variable_index(parent, names, "workload.structure"));
    }
    std::ranges::sort(parents[variable]);
    if (std::ranges::adjacent_find(parents[variable]) != parents[variable].end()) {
      throw bad_input("workload.structure: '" + names[variable] + "' has the same parent twice");
    }
  }
  for (std::size_t v = 0; v < names.size(); ++v) {
    network.variables.push_back({.name = names[v], .words = {}, .parents = parents[v], .table = {}});
  }
  if (!parents_first(network)) {
    throw bad_input("workload.structure has a cycle: a variable cannot depend on itself, not even by others");
  }
  return parents;
}

}  // namespace hanse
