#include "common/workloads/warm_start.h"

#include <algorithm>
#include <unordered_map>

#include "common/base/check.h"
#include "common/base/failure.h"

namespace hanse {

const std::vector<double>& SavedModel::values(std::string_view name, std::size_t count) const {
  const auto found = std::ranges::find(arrays, name, &NamedArray::name);
  if (found == arrays.end() || found->values.size() != count) {
    throw bad_input("federation.start: the model has no array '" + std::string(name) + "' of " +
                    std::to_string(count) + " values, which this workload would go on from");
  }
  return found->values;
}

CarriedColumns::CarriedColumns(const SavedModel& saved, const FeatureSpace& space,
                               std::span<const double> mean, std::span<const double> deviation)
    : columns_(space.width), saved_columns_(saved.columns.size()) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < saved.columns.size(); ++i) {
    places.emplace(saved.columns[i], i);
  }
  check(space.names.size() == space.width, "every encoded column has a name");
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (const auto found = places.find(space.names[j]); found != places.end()) {
      columns_[j].origin = found->second;
    }
  }
  const auto rescale = [&](Column& column, std::size_t number) {
    const auto old = columns_[number].origin;
    if (old && *old < saved.mean.size()) {
      column.scale = deviation[number] / saved.deviation[*old];
      column.shift = (mean[number] - saved.mean[*old]) / saved.deviation[*old];
    }
  };
  for (std::size_t j = 0; j < space.numeric; ++j) {
    rescale(columns_[j], j);
  }
  for (const CrossRange& cross : space.crosses) {
    for (std::uint32_t j = cross.begin; j < cross.end; ++j) {
      rescale(columns_[j], cross.number);
      columns_[j].word = cross.words_begin + (j - cross.begin);
    }
  }
}

std::vector<double> CarriedColumns::weights(std::span<const double> weights) const {
  check(weights.size() == saved_columns_, "a saved model has a weight for each of its columns");
  std::vector<double> carried(columns_.size(), 0.0);
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (const auto origin = columns_[j].origin) {
      carried[j] += columns_[j].scale * weights[*origin];
      carried[columns_[j].word.value_or(columns_.size() - 1)] += columns_[j].shift * weights[*origin];
    }
  }
  return carried;
}

CarriedColumns::Factors CarriedColumns::factors(std::span<const double> weights,
                                                std::span<const double> factors, std::size_t rank) const {
  check(factors.size() == (saved_columns_ - 1) * rank, "a saved model has factors for each of its columns");
  Factors carried{.weights = this->weights(weights),
                  .factors = std::vector<double>((columns_.size() - 1) * rank, 0.0)};
  const auto old = [&](std::size_t j) { return factors.subspan(*columns_[j].origin * rank, rank); };
  const auto moves = [&](std::size_t j) {
    return columns_[j].origin && !columns_[j].word && columns_[j].shift != 0;
  };
  std::vector<double> shifts(rank, 0.0);
  double squares = 0;
  for (std::size_t j = 0; j + 1 < columns_.size(); ++j) {
    for (std::size_t f = 0; moves(j) && f < rank; ++f) {
      const double part = columns_[j].shift * old(j)[f];
      shifts[f] += part;
      squares += part * part;
    }
  }
  double all = 0;
  for (const double shift : shifts) {
    all += shift * shift;
  }
  carried.weights.back() += (all - squares) / 2;
  for (std::size_t j = 0; j + 1 < columns_.size(); ++j) {
    if (!columns_[j].origin) {
      continue;
    }
    const double own = moves(j) ? columns_[j].shift : 0;
    for (std::size_t f = 0; f < rank; ++f) {
      const double v = old(j)[f];
      carried.weights[j] += columns_[j].scale * v * (shifts[f] - own * v);
      carried.factors[j * rank + f] = columns_[j].scale * v;
    }
  }
  return carried;
}

}  // namespace hanse
