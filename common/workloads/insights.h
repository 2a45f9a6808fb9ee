#pragma once

#include <string>
#include <variant>
#include <vector>

namespace hanse {

/// A number, or a word.
using InsightCell = std::variant<double, std::string>;

/// A table for people and for programs: every row has a cell for each column.
struct InsightTable {
  std::string name;   ///< For programs: "centres".
  std::string title;  ///< For people: "Segments of customers".
  std::vector<std::string> columns;
  std::vector<std::vector<InsightCell>> rows;
};

/// What a model says to a merchant, in words and tables. It is made of the model alone, so it shows nothing that the model
/// does not.
struct Insights {
  std::vector<std::string> sentences;
  std::vector<InsightTable> tables;

  bool empty() const { return sentences.empty() && tables.empty(); }
};

}  // namespace hanse
