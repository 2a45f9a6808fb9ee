#pragma once

#include <map>
#include <string>

#include "common/config/configuration.h"

namespace hanse {

/// What is needed of a configuration to use the model that it trained: how rows are read and encoded, and the options of the workload.
/// Canonical text by "section.key". Nothing that says where data was, whose it was, or how it was split.
std::map<std::string, std::string> model_facts(const Configuration& configuration);

/// The configuration that `facts` tell, everything else at its defaults and nothing private; facts of other names are passed over. Throws
/// bad_input naming `origin` where a fact cannot be read, or where they were written by a program that told too little.
Configuration configuration_of_facts(const std::map<std::string, std::string>& facts,
                                     const std::string& origin);

}  // namespace hanse
