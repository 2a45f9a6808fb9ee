#include "common/data/feature_space.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/failure.h"
#include "common/data/column_spec.h"
#include "common/data/csv_columns.h"
#include "common/data/vocabulary.h"

namespace hanse {
namespace {

struct LabelOf {
  std::string_view workload;
  LabelKind label;
};
/// Of the workloads whose label is not 0 or 1.
constexpr LabelOf kLabels[] = {
    {"linear", LabelKind::number},
    {"trend", LabelKind::number},
    {"softmax", LabelKind::one_of_many},
};

void add_columns(FeatureSpace& space, const Vocabulary& vocabulary) {
  const std::uint32_t begin = space.width;
  space.width += vocabulary.width();
  for (std::uint32_t word = 0; word < vocabulary.width(); ++word) {
    space.names.push_back(vocabulary.column_name(word));
  }
  space.sparse_ranges.push_back({begin, space.width, vocabulary.name()});
  if (vocabulary.counted()) {
    space.counted = true;
    space.counted_ranges.push_back({begin, space.width, vocabulary.name()});
  }
}

void add_cross(FeatureSpace& space, const CsvColumns& columns, const CsvColumns::Cross& cross) {
  const std::uint32_t width = columns.words[cross.words].width();
  const std::uint32_t words = columns.begins[cross.words];
  space.crosses.push_back({.begin = space.width,
                           .end = space.width + width,
                           .words_begin = words,
                           .number = static_cast<std::uint32_t>(cross.number)});
  for (std::uint32_t word = 0; word < width; ++word) {
    space.names.push_back(space.names[words + word] + "*" + space.names[cross.number]);
  }
  space.width += width;
}

void add_intercept(FeatureSpace& space) {
  ++space.width;
  space.names.push_back("intercept");
}

FeatureSpace csv_space(const Configuration::Data& data, const std::filesystem::path& folder) {
  const CsvColumns columns = csv_columns(data, folder);
  FeatureSpace space;
  for (const NumericSpec& spec : columns.numbers) {
    space.names.push_back(column_name_of(spec));
    space.range_low.push_back(spec.low);
    space.range_high.push_back(spec.high);
  }
  space.numeric = space.width = static_cast<std::uint32_t>(columns.numbers.size());
  for (const Vocabulary& words : columns.words) {
    add_columns(space, words);
  }
  for (const CsvColumns::Cross& cross : columns.crosses) {
    add_cross(space, columns, cross);
  }
  add_intercept(space);
  return space;
}

FeatureSpace libsvm_space(const Configuration::Data& data) {
  FeatureSpace space;
  space.width = data.features;
  for (std::uint32_t i = 1; i <= data.features; ++i) {
    space.names.push_back("feature" + std::to_string(i));
  }
  space.sparse_ranges.push_back({0, space.width, "feature"});
  add_intercept(space);
  return space;
}

FeatureSpace ratings_space(const Configuration::Data& data, const std::filesystem::path& folder) {
  FeatureSpace space;
  space.label = LabelKind::none;
  add_columns(space, Vocabulary(read_word_spec(data.item, "data.item", kItemBuckets), folder, "data.item"));
  if (!data.rating.empty()) {
    const NumericSpec rating = read_numeric_spec(data.rating, "data.rating");
    space.rating_low = rating.low;
    space.rating_high = rating.high;
  }
  return space;
}

}  // namespace

RowKind row_kind(const Configuration& configuration) {
  return configuration.data.format == "ratings" ? RowKind::customer : RowKind::record;
}

LabelKind label_kind(const Configuration& configuration) {
  const std::string& task = configuration.workload.task;
  if (row_kind(configuration) != RowKind::record ||
      (configuration.data.format == "csv" && configuration.data.label.empty())) {
    return LabelKind::none;
  }
  if (task != "auto") {
    return task == "regression"   ? LabelKind::number
           : task == "multiclass" ? LabelKind::one_of_many
                                  : LabelKind::binary;
  }
  const auto known = std::ranges::find(kLabels, configuration.workload.name, &LabelOf::workload);
  return known == std::end(kLabels) ? LabelKind::binary : known->label;
}

Vocabulary class_vocabulary(const Configuration& configuration) {
  const Configuration::Data& data = configuration.data;
  const WordSpec spec = read_word_spec(data.label, "data.label", kCategoryBuckets);
  if (spec.kind == WordSpec::Kind::hashed || spec.kind == WordSpec::Kind::counted) {
    throw bad_input("data.label = '" + data.label +
                    "' does not list the classes, which all must know: write " + spec.name + "{a|b|c}, " +
                    spec.name + "[0..9] or " + spec.name + "@FILE");
  }
  if (!data.positive.empty()) {
    throw bad_input("data.positive = '" + data.positive +
                    "' makes the label 0 or 1, and workload.task is multiclass: leave one of them out");
  }
  return Vocabulary(spec, std::filesystem::path(data.path).parent_path(), "data.label");
}

NumericSpec label_spec(const Configuration& configuration) {
  const Configuration::Data& data = configuration.data;
  if (!data.positive.empty()) {
    throw bad_input("data.positive = '" + data.positive +
                    "' makes the label 0 or 1, and workload.task is regression: leave one of them out");
  }
  if (data.partition.starts_with("dirichlet")) {
    throw bad_input(
        "data.partition = " + data.partition +
        " deals rows by a label of 0 or 1, and with regression it is a number: use iid:N or column");
  }
  if (data.label.empty()) {  // Format libsvm has labels without a name.
    return {};
  }
  NumericSpec label = read_numeric_spec(data.label, "data.label");
  if (data.format == "libsvm" && label.transform != Transform::none) {
    throw bad_input("data.label = '" + data.label +
                    "' transforms the label, and format libsvm takes labels as they are: leave the transform "
                    "out, and write transformed labels into the file");
  }
  return label;
}

FeatureSpace feature_space(const Configuration& configuration) {
  const Configuration::Data& data = configuration.data;
  const std::filesystem::path folder = std::filesystem::path(data.path).parent_path();
  if (data.format == "ratings") {
    return ratings_space(data, folder);
  }
  FeatureSpace space = data.format == "libsvm" ? libsvm_space(data) : csv_space(data, folder);
  space.label = label_kind(configuration);
  if (space.label == LabelKind::number) {
    const NumericSpec label = label_spec(configuration);
    space.label_low = label.low;
    space.label_high = label.high;
  }
  if (space.label == LabelKind::one_of_many) {
    space.classes = class_vocabulary(configuration).words();
  }
  return space;
}

}  // namespace hanse
