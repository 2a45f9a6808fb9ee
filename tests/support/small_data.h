#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/data/dataset.h"

namespace hanse::test {

/// One customer of a made-up federation, to be dealt to any merchant.
struct Person {
  struct Row {
    std::vector<std::uint32_t> columns;
    std::vector<float> values;
    float label = 0;
  };
  std::vector<Row> train;
  std::vector<Row> test;
};

inline void append(RowBlock& block, const Person::Row& row, std::uint32_t customer, bool labelled) {
  block.features.columns.insert(block.features.columns.end(), row.columns.begin(), row.columns.end());
  block.features.values.insert(block.features.values.end(), row.values.begin(), row.values.end());
  block.features.row_begin.push_back(block.features.columns.size());
  if (labelled) {
    block.labels.push_back(row.label);
  }
  block.customers.push_back(customer);
}

/// Deals person i to merchant i mod `merchants`.
inline Dataset deal_people(const std::vector<Person>& people, std::uint32_t merchants, RowKind kind,
                           const FeatureSpace& space) {
  Dataset data;
  data.kind = kind;
  data.space = space;
  const bool labelled = kind == RowKind::record && space.label != LabelKind::none;
  for (std::uint32_t m = 0; m < merchants; ++m) {
    MerchantRows rows;
    rows.id = m;
    rows.name = "merchant " + std::to_string(m);
    rows.train_begin = data.train.features.rows();
    rows.test_begin = data.test.features.rows();
    for (std::size_t i = m; i < people.size(); i += merchants) {
      const auto customer = static_cast<std::uint32_t>(i / merchants);
      for (const Person::Row& row : people[i].train) {
        append(data.train, row, customer, labelled);
      }
      for (const Person::Row& row : people[i].test) {
        append(data.test, row, customer, labelled);
      }
    }
    rows.train_end = data.train.features.rows();
    rows.test_end = data.test.features.rows();
    data.merchants.push_back(rows);
  }
  return data;
}

/// The row with its zeros.
inline std::vector<double> dense_row(const SparseRow& row, std::size_t width) {
  std::vector<double> dense(width, 0.0);
  for (std::size_t e = 0; e < row.columns.size(); ++e) {
    dense[row.columns[e]] = static_cast<double>(row.values[e]);
  }
  return dense;
}

/// Two numeric columns (one without a public range, with a missing value now and then), four hashed ones of
/// which a row has one, and the intercept. Labels follow the first column.
inline FeatureSpace record_space() {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  FeatureSpace space;
  space.numeric = 2;
  space.width = 7;
  space.names = {"spent", "visits", "town#0", "town#1", "town#2", "town#3", "intercept"};
  space.range_low = {-3, unknown};
  space.range_high = {3, unknown};
  space.counted = true;
  space.counted_ranges = space.sparse_ranges = {{.begin = 2, .end = 6, .name = "town"}};
  return space;
}

inline std::vector<Person> record_people(std::size_t count, bool with_missing) {
  SeededGenerator generator{7, 1};
  std::vector<Person> people(count);
  for (Person& person : people) {
    const std::size_t rows = 2 + generator.below(3);
    for (std::size_t i = 0; i < rows; ++i) {
      const double spent = 2 * generator.uniform() - 1;
      double visits = 4 * generator.uniform();
      if (with_missing && generator.below(10) == 0) {
        visits = std::numeric_limits<double>::quiet_NaN();
      }
      const auto town = static_cast<std::uint32_t>(2 + (generator.below(20) == 0 ? 3 : generator.below(3)));
      const bool bought = spent + 0.5 * generator.normal() > 0.2;
      Person::Row row{.columns = {0, 1, town, 6},
                      .values = {static_cast<float>(spent), static_cast<float>(visits), 1, 1},
                      .label = bought ? 1.0f : 0.0f};
      (i == 0 ? person.test : person.train).push_back(row);
    }
  }
  return people;
}

/// The same rows with three classes: those who spent little, and of the others those of the first town, and the rest.
inline FeatureSpace class_space() {
  FeatureSpace space = record_space();
  space.label = LabelKind::one_of_many;
  space.classes = {"saver", "townsman", "spender"};
  return space;
}

inline std::vector<Person> class_people(std::size_t count) {
  std::vector<Person> people = record_people(count, false);
  for (Person& person : people) {
    for (std::vector<Person::Row>* rows : {&person.train, &person.test}) {
      for (Person::Row& row : *rows) {
        row.label = row.label == 0 ? 0.0f : row.columns[2] == 2 ? 1.0f : 2.0f;
      }
    }
  }
  return people;
}

/// Visits of a shop as sequences of four states, of which nobody's first is "order".
inline FeatureSpace state_space() {
  FeatureSpace space;
  space.width = 5;
  space.names = {"state=visit", "state=browse", "state=cart", "state=order", "intercept"};
  space.sparse_ranges = {{.begin = 0, .end = 4, .name = "state"}};
  space.label = LabelKind::none;
  return space;
}

inline std::vector<Person> state_people() {
  SeededGenerator generator{7, 3};
  std::vector<Person> people(30);
  for (std::size_t i = 0; i < people.size(); ++i) {
    std::uint32_t state = 0;
    const std::size_t rows = 2 + generator.below(6);
    for (std::size_t step = 0; step < rows; ++step) {
      (i % 5 == 0 ? people[i].test : people[i].train).push_back({.columns = {state, 4}, .values = {1, 1}});
      state = generator.below(3) == 0 ? 0 : (state + 1 + static_cast<std::uint32_t>(generator.below(2))) % 4;
    }
  }
  return people;
}

/// Two columns of words, the second of which some rows lack, and a label that depends on both.
inline FeatureSpace words_space() {
  FeatureSpace space;
  space.width = 6;
  space.names = {"month=May", "month=Nov", "month=Dec", "visitor=new", "visitor=known", "intercept"};
  space.sparse_ranges = {{.begin = 0, .end = 3, .name = "month"}, {.begin = 3, .end = 5, .name = "visitor"}};
  return space;
}

inline std::vector<Person> words_people() {
  SeededGenerator generator{7, 4};
  std::vector<Person> people(30);
  for (Person& person : people) {
    const std::size_t rows = 2 + generator.below(4);
    for (std::size_t i = 0; i < rows; ++i) {
      const auto month = static_cast<std::uint32_t>(generator.below(3));
      const std::uint32_t visitor = 3 + (generator.below(3 + month) < 2 ? 0 : 1);
      const bool buys = generator.below(month == 1 ? 2 : 4) == 0 && (visitor == 4 || generator.below(2) == 0);
      Person::Row row{.columns = {month, visitor, 5}, .values = {1, 1, 1}, .label = buys ? 1.0F : 0.0F};
      if (generator.below(10) == 0) {
        row = {.columns = {month, 5}, .values = {1, 1}, .label = row.label};
      }
      (i == 0 ? person.test : person.train).push_back(row);
    }
  }
  return people;
}

/// Sales of two categories in 24 weeks, amounts from 0 to 20 as labels: of cheese ever more, of soup the same each week.
inline FeatureSpace week_space() {
  FeatureSpace space;
  space.width = 27;
  for (int week = 1; week <= 24; ++week) {
    space.names.push_back("week=" + std::to_string(week));
  }
  space.names.insert(space.names.end(), {"kind=cheese", "kind=soup", "intercept"});
  space.sparse_ranges = {{.begin = 0, .end = 24, .name = "week"}, {.begin = 24, .end = 26, .name = "kind"}};
  space.label = LabelKind::number;
  space.label_low = 0;
  space.label_high = 20;
  return space;
}

inline std::vector<Person> week_people() {
  SeededGenerator generator{7, 5};
  std::vector<Person> people(40);
  for (Person& person : people) {
    for (std::uint32_t week = 0; week < 24; ++week) {
      for (std::uint32_t kind = 0; kind < 2; ++kind) {
        if (generator.below(40) != 0) {
          const double amount = (kind == 0 ? 2 + week / 6.0 : 6) + generator.uniform();
          person.train.push_back(
              {.columns = {week, 24 + kind, 26}, .values = {1, 1, 1}, .label = static_cast<float>(amount)});
        }
      }
    }
  }
  return people;
}

/// Ratings from 1 to 5 of `items` items with a taste in them; a test row for every customer but the first,
/// and no training row for the second.
inline FeatureSpace rating_space(std::uint32_t items) {
  FeatureSpace space;
  space.width = items;
  for (std::uint32_t i = 0; i < items; ++i) {
    space.names.push_back("item=" + std::to_string(i + 1));
  }
  space.sparse_ranges = {{.begin = 0, .end = items, .name = "item"}};
  space.rating_low = 1;
  space.rating_high = 5;
  return space;
}

inline std::vector<Person> rating_people(std::size_t count, std::uint32_t items) {
  SeededGenerator generator{7, 2};
  std::vector<Person> people(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double taste = generator.normal();
    Person::Row train;
    Person::Row test;
    for (std::uint32_t item = 0; item < items; ++item) {
      const double wish = 3 + 0.3 * (item % 3) + taste * (item % 2 == 0 ? 1 : -1) + 0.3 * generator.normal();
      const float rating = static_cast<float>(wish < 1 ? 1 : wish > 5 ? 5 : wish);
      Person::Row& row = generator.below(4) == 0 ? test : train;
      if (generator.below(3) != 0) {
        row.columns.push_back(item);
        row.values.push_back(rating);
      }
    }
    if (!train.columns.empty() && i != 1) {
      people[i].train.push_back(train);
    }
    if (!test.columns.empty() && i != 0) {
      people[i].test.push_back(test);
    }
  }
  return people;
}

}  // namespace hanse::test
