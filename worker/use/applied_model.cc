#include "worker/use/applied_model.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "common/base/failure.h"
#include "common/config/model_facts.h"
#include "common/data/feature_space.h"
#include "common/data/read_dataset.h"
#include "privacy/published/model_encoding.h"

namespace hanse {
namespace {

/// A vocabulary file may have changed since training, and then its words have other columns.
void check_columns(const AppliedModel& model, const FeatureSpace& space) {
  const std::vector<std::uint32_t>& column_of = model.encoding.column_of;
  std::size_t words = 0;
  for (const ColumnRange& text : space.texts) {
    words += text.end - text.begin;
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  bool same = column_of.size() == space.width && model.encoding.idf.size() == words &&
              model.encoding.mean.size() == space.numeric &&
              model.encoding.deviation.size() == space.numeric &&
              std::ranges::all_of(model.encoding.mean, finite) &&
              std::ranges::all_of(model.encoding.deviation, finite) &&
              std::ranges::all_of(model.encoding.idf, finite);
  for (std::uint32_t number = 0; same && number < space.numeric; ++number) {
    same = column_of[number] == number && model.encoding.deviation[number] > 0;
  }
  for (std::size_t raw = 0; same && raw < column_of.size(); ++raw) {
    if (column_of[raw] != kDropped) {
      const std::string& name = model.encoding.names[column_of[raw]];
      same = name == space.names[raw] || name.find("=other") != std::string::npos;
    }
  }
  if (!same) {
    throw bad_input(model.origin +
                    " was trained on other columns than the data's vocabulary files give: put the files that "
                    "were there in training beside the data");
  }
}

/// Every row counts here, whatever was dropped from training.
std::vector<std::string> without_drops(const std::vector<std::string>& clean) {
  std::vector<std::string> kept;
  std::ranges::copy_if(clean, std::back_inserter(kept),
                       [](const std::string& rule) { return !rule.ends_with(":drop"); });
  return kept;
}

}  // namespace

const NamedArray& AppliedModel::array(const std::string& name, std::size_t values) const {
  const auto found = std::ranges::find(published.arrays, name, &NamedArray::name);
  if (found == published.arrays.end() || found->values.size() != values) {
    throw bad_input(origin + " has no array '" + name + "' of " + std::to_string(values) +
                    " values, as a model of " + published.workload + " has");
  }
  return *found;
}

AppliedModel read_applied_model(const std::filesystem::path& where) {
  AppliedModel model{
      .origin = where.string(), .published = read_model(where), .configuration = {}, .encoding = {}};
  model.configuration = configuration_of_facts(model.published.facts, model.origin);
  model.encoding = encoding_of(model.published, model.origin);
  return model;
}

Dataset read_own_rows(const AppliedModel& model, const std::filesystem::path& file) {
  Configuration configuration = model.configuration;
  Configuration::Data& data = configuration.data;
  data.path = file.string();
  data.partition = "iid:1";
  data.test = "none";
  data.time.clear();
  if (data.format == "ratings") {
    Dataset own = read_dataset(configuration, 1, 1);
    check_columns(model, feature_space(configuration));
    encode(own, model.encoding);
    return own;
  }
  data.customer.clear();
  if (data.format == "csv") {
    data.label.clear();
  }
  data.positive.clear();
  data.clean = without_drops(data.clean);
  Dataset own = read_dataset(configuration, 1, 1);
  check_columns(model, own.space);
  encode(own, model.encoding);
  return own;
}

}  // namespace hanse
