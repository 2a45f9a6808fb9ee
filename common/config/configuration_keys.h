#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/config/configuration.h"

namespace hanse {

/// One key of the configuration: all that reading, checking, writing and explaining it needs.
struct Key {
  std::string name;   ///< "section.key".
  std::string range;  ///< Unit or range, for --help.
  std::string help;
  /// The value as canonical text; nothing when there is none to write (a workload's own key that was not
  /// given).
  std::function<std::optional<std::string>(const Configuration&)> read;
  /// Sets the value; gives back what was expected when `text` is not it.
  std::function<std::optional<std::string>(Configuration&, const std::string& text)> write;
};

/// The one table of all keys.
const std::vector<Key>& key_table();

/// Splits a list at its commas; those within brackets, braces or quotes do not split. Nothing when an entry
/// is empty or a quote is left open.
std::optional<std::vector<std::string>> split_list(const std::string& text);

}  // namespace hanse
