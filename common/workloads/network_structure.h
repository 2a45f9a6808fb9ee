#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace hanse {

/// Parents of each of `names` by workload.structure = NAME:PARENT,PARENT; NAME:... in increasing order; those that it does not
/// name have none. Throws bad_input for names that are unknown or said twice, and for a cycle.
std::vector<std::vector<std::size_t>> read_structure(const std::string& text,
                                                     const std::vector<std::string>& names);

/// The index of a variable by its name. Throws bad_input that names `key` and lists the names there are.
std::size_t variable_index(const std::string& name, const std::vector<std::string>& names,
                           const std::string& key);

}  // namespace hanse
