#include "coordinator/output/insights_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/check.h"
#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/base/printable.h"
#include "coordinator/output/text.h"

namespace hanse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kRowsShown = 20;

std::string shown(const InsightCell& cell) {
  const double* number = std::get_if<double>(&cell);
  return number != nullptr ? number_text(*number, 5) : printable(std::get<std::string>(cell));
}

/// Columns on a screen of UTF-8 text: its characters, each of which we take for one wide.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string table_text(const InsightTable& table) {
  const std::size_t rows = std::min(table.rows.size(), kRowsShown);
  std::vector<std::size_t> width;
  for (const std::string& column : table.columns) {
    width.push_back(columns_of(column));
  }
  std::vector<bool> numbers(table.columns.size(), true);
  for (std::size_t r = 0; r < rows; ++r) {
    check(table.rows[r].size() == table.columns.size(), "a row has a cell for each column");
    for (std::size_t c = 0; c < width.size(); ++c) {
      width[c] = std::max(width[c], columns_of(shown(table.rows[r][c])));
      numbers[c] = numbers[c] && std::holds_alternative<double>(table.rows[r][c]);
    }
  }
  const auto padded = [&](const std::string& text, std::size_t c) {
    const std::string blank(width[c] - columns_of(text), ' ');
    return "  " + (numbers[c] ? blank + text : c + 1 < width.size() ? text + blank : text);
  };
  std::string text = "\n" + printable(table.title) + "\n";
  for (std::size_t c = 0; c < width.size(); ++c) {
    text += padded(printable(table.columns[c]), c);
  }
  text += '\n';
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < width.size(); ++c) {
      text += padded(shown(table.rows[r][c]), c);
    }
    text += '\n';
  }
  if (rows < table.rows.size()) {
    text += "  and " + std::to_string(table.rows.size() - rows) + " more in model/insights.json\n";
  }
  return text;
}

InsightCell cell_of(const Json& cell) {
  if (cell.is_null()) {
    return std::nan("");
  }
  return cell.is_number() ? InsightCell(cell.get<double>()) : InsightCell(cell.get<std::string>());
}

}  // namespace

std::string insights_text(const Insights& insights) {
  std::string text;
  for (const std::string& sentence : insights.sentences) {
    text += printable(sentence) + "\n";
  }
  for (const InsightTable& table : insights.tables) {
    text += table_text(table);
  }
  return text;
}

std::string encode_insights(const Insights& insights, const std::string& workload) {
  Json tables = Json::array();
  for (const InsightTable& table : insights.tables) {
    Json rows = Json::array();
    for (const auto& row : table.rows) {
      Json cells = Json::array();
      for (const InsightCell& cell : row) {
        std::visit([&](const auto& value) { cells.push_back(value); }, cell);
      }
      rows.push_back(std::move(cells));
    }
    tables.push_back({{"name", table.name},
                      {"title", table.title},
                      {"columns", table.columns},
                      {"rows", std::move(rows)}});
  }
  const Json json = {{"schema", kInsightsFormatVersion},
                     {"workload", workload},
                     {"sentences", insights.sentences},
                     {"tables", std::move(tables)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Insights decode_insights(const std::string& text, const std::string& origin) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema").get<int>() != kInsightsFormatVersion) {
      throw bad_input(origin + ": insights of schema " + json.at("schema").dump() +
                      ", and this program reads schema " + std::to_string(kInsightsFormatVersion));
    }
    Insights insights{.sentences = json.at("sentences").get<std::vector<std::string>>(), .tables = {}};
    for (const Json& source : json.at("tables")) {
      InsightTable table{.name = source.at("name").get<std::string>(),
                         .title = source.at("title").get<std::string>(),
                         .columns = source.at("columns").get<std::vector<std::string>>(),
                         .rows = {}};
      for (const Json& row : source.at("rows")) {
        std::vector<InsightCell> cells;
        for (const Json& cell : row) {
          cells.push_back(cell_of(cell));
        }
        if (cells.size() != table.columns.size()) {
          throw bad_input(origin + ": a row of table '" + table.name + "' has not a cell for each column");
        }
        table.rows.push_back(std::move(cells));
      }
      insights.tables.push_back(std::move(table));
    }
    return insights;
  } catch (const Json::exception& error) {
    throw bad_input(origin + " is no insights file: " + error.what());
  }
}

std::optional<std::filesystem::path> write_insights(const std::filesystem::path& folder,
                                                    const Insights& insights, const std::string& workload) {
  if (insights.empty()) {
    return std::nullopt;
  }
  make_folder_durably(folder);
  write_durably(folder / "insights.json", encode_insights(insights, workload));
  return folder / "insights.json";
}

}  // namespace hanse
