#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hanse {

/// A row of a table of reference values that is kept outside of the repository.
class OracleRow {
 public:
  OracleRow(const std::vector<std::string>& header, const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < std::min(header.size(), cells.size()); ++i) {
      cells_[header[i]] = cells[i];
    }
  }

  /// Empty when there is no such column.
  const std::string& text(const std::string& column) const {
    static const std::string nothing;
    const auto found = cells_.find(column);
    return found == cells_.end() ? nothing : found->second;
  }
  std::optional<double> number(const std::string& column) const {
    const std::string& cell = text(column);
    char* end = nullptr;
    const double value = std::strtod(cell.c_str(), &end);
    return cell.empty() || *end != '\0' ? std::nullopt : std::optional(value);
  }
  /// Of the "key=value;" list in column params.
  std::optional<double> parameter(const std::string& key) const {
    const std::string list = ";" + text("params") + ";";
    const std::size_t at = list.find(";" + key + "=");
    return at == std::string::npos ? std::nullopt
                                   : std::optional(std::strtod(&list[at + key.size() + 2], nullptr));
  }

 private:
  std::map<std::string, std::string> cells_;
};

inline std::vector<std::string> oracle_cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

/// All rows of `name` (dp-oracles.csv, dp-oracles-audit.csv) in the folder HANSE_ORACLES, or in oracles/ beside
/// HANSE_DATA; none when neither is set. Where HANSE_ORACLES promises a table and there is none, that is an error.
inline std::vector<OracleRow> oracle_rows(const std::string& name) {
  const char* oracles = std::getenv("HANSE_ORACLES");
  const char* data = std::getenv("HANSE_DATA");
  if (oracles == nullptr && data == nullptr) {
    return {};
  }
  const std::filesystem::path folder =
      oracles != nullptr ? std::filesystem::path(oracles) : std::filesystem::path(data) / ".." / "oracles";
  std::ifstream file(folder / name);
  if (!file && oracles != nullptr) {
    throw std::runtime_error("HANSE_ORACLES must be a folder with " + name + " in it, and is " + oracles);
  }
  std::vector<OracleRow> rows;
  std::vector<std::string> header;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::vector<std::string> cells = oracle_cells(line);
    if (header.empty()) {
      header = cells;
    } else {
      rows.emplace_back(header, cells);
    }
  }
  return rows;
}

}  // namespace hanse
