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

/// What a model says to a merchant, in words and tables. It is made of the model and of released sums alone, so it shows
/// nothing that they do not.
struct Insights {
  std::vector<std::string> sentences;
  std::vector<InsightTable> tables;

  bool empty() const { return sentences.empty() && tables.empty(); }
  void append(const Insights& more) {
    sentences.insert(sentences.end(), more.sentences.begin(), more.sentences.end());
    tables.insert(tables.end(), more.tables.begin(), more.tables.end());
  }
};

}  // namespace hanse
