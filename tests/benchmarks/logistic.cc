#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "common/base/check.h"
#include "common/base/seeded_generator.h"
#include "common/workloads/logistic_regression.h"
#include "privacy/pipeline.h"
#include "tests/benchmarks/measurements.h"

namespace hanse {
namespace {

using benchmark::DoNotOptimize;
using benchmark::State;

/// Rows of `numeric` numbers, then of a one in each of `words` groups of `group` columns, then the intercept.
struct Shape {
  std::uint32_t numeric;
  std::uint32_t words;
  std::uint32_t group;
  std::uint32_t merchants;
  std::uint32_t rows;  ///< Of a merchant.
  std::uint32_t width() const { return numeric + words * group + 1; }
};
/// As the purchase task of the examples, and as a job that other frameworks were measured on: 100 merchants of 100 rows of 100
/// numbers.
constexpr Shape kPurchases{.numeric = 10, .words = 7, .group = 9, .merchants = 20, .rows = 500};
constexpr Shape kNumbers{.numeric = 100, .words = 0, .group = 1, .merchants = 100, .rows = 100};

Dataset made_up(const Shape& shape) {
  SeededGenerator generator{1, 2};
  Dataset data;
  std::vector<double> truth;
  for (std::uint32_t column = 0; column < shape.width(); ++column) {
    truth.push_back(generator.normal() / std::sqrt(shape.numeric + shape.words));
  }
  const auto put = [&](std::uint32_t column, double value, double& score) {
    data.train.features.columns.push_back(column);
    data.train.features.values.push_back(static_cast<float>(value));
    score += truth[column] * value;
  };
  for (std::uint32_t id = 0; id < shape.merchants; ++id) {
    MerchantRows merchant;
    merchant.id = id;
    merchant.train_begin = data.train.features.rows();
    for (std::uint32_t row = 0; row < shape.rows; ++row) {
      double score = generator.normal();
      for (std::uint32_t column = 0; column < shape.numeric; ++column) {
        put(column, generator.normal(), score);
      }
      for (std::uint32_t word = 0; word < shape.words; ++word) {
        const auto chosen = static_cast<std::uint32_t>(generator.below(shape.group));
        put(shape.numeric + word * shape.group + chosen, 1, score);
      }
      put(shape.width() - 1, 1, score);
      data.train.features.row_begin.push_back(data.train.features.columns.size());
      data.train.labels.push_back(score > 0 ? 1.0f : 0.0f);
      data.train.customers.push_back(row);
    }
    merchant.train_end = data.train.features.rows();
    data.merchants.push_back(merchant);
  }
  return data;
}

std::int64_t nonzeros(const State& state, const Dataset& data) {
  return state.iterations() * static_cast<std::int64_t>(data.train.features.nonzeros());
}

double plain_logit(const SparseRow& row, const std::vector<double>& weights) {
  double logit = 0;
  for (std::size_t entry = 0; entry < row.columns.size(); ++entry) {
    logit += static_cast<double>(row.values[entry]) * weights[row.columns[entry]];
  }
  return logit;
}

/// The floor of a gradient: one plain loop over all rows, without loss. Items are nonzeros.
void plain_pass(State& state) {
  const Dataset data = made_up(kPurchases);
  const std::vector<double> weights(kPurchases.width(), 0.01);
  std::vector<double> gradient(kPurchases.width());
  for (auto _ : state) {
    for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
      const SparseRow row = data.train.features.row(i);
      const double residual =
          1 / (1 + std::exp(-plain_logit(row, weights))) - static_cast<double>(data.train.labels[i]);
      for (std::size_t entry = 0; entry < row.columns.size(); ++entry) {
        gradient[row.columns[entry]] += residual * static_cast<double>(row.values[entry]);
      }
    }
    DoNotOptimize(gradient.data());
  }
  state.SetItemsProcessed(nonzeros(state, data));
}

/// A pass of the workload as a round has it, grid included; `unit` says whose vectors are clipped.
void logistic_pass(State& state, Unit unit, Unit privacy) {
  const Dataset data = made_up(kPurchases);
  LogisticRegression::Options options;
  options.width = kPurchases.width();
  options.train_rows = static_cast<double>(data.train.features.rows());
  options.merchants = kPurchases.merchants;
  options.unit = privacy;
  options.clip = privacy == Unit::none ? 0 : 3;
  const LogisticRegression workload(options);
  Model model = workload.initial_model(1);
  model.parameters.assign(model.parameters.size(), 0.01);
  const PrivateSum sum = *workload.next_sum(model);
  const SumParameters parameters = choose_parameters({.length = sum.length,
                                                      .clip_norm = sum.clip_norm,
                                                      .units_max = 1u << 20,
                                                      .merchants = kPurchases.merchants,
                                                      .noise_multiplier = privacy == Unit::none ? 0.0 : 1.0});
  const Contributor contribute = workload.contributor(model, sum);
  Contribution contribution;
  for (auto _ : state) {
    for (const MerchantRows& merchant : data.merchants) {
      const UnitSource units = [&](const auto& take) {
        for_each_unit(data, merchant, unit, Population::train, [&](const UnitRows& rows) {
          contribution.clear();
          contribute(rows, contribution);
          take(contribution);
        });
      };
      DoNotOptimize(LocalSum::of(units, parameters));
    }
  }
  state.SetItemsProcessed(nonzeros(state, data));
}

constexpr double kRate = 0.1;
constexpr std::size_t kBatch = 10;

/// The floor of a round of local epochs: batch by batch, plain loops over dense rows of float. Items are rounds.
void plain_local_round(State& state) {
  const Dataset data = made_up(kNumbers);
  const std::size_t width = kNumbers.width();
  std::vector<double> global(width, 0.0);
  std::vector<double> mean(width);
  std::vector<double> local(width);
  double residuals[kBatch];
  for (auto _ : state) {
    std::fill(mean.begin(), mean.end(), 0.0);
    for (const MerchantRows& merchant : data.merchants) {
      local = global;
      for (std::size_t begin = merchant.train_begin; begin < merchant.train_end; begin += kBatch) {
        for (std::size_t i = 0; i < kBatch; ++i) {
          const float* const x = data.train.features.values.data() + (begin + i) * width;
          double logit = 0;
          for (std::size_t j = 0; j < width; ++j) {
            logit += static_cast<double>(x[j]) * local[j];
          }
          residuals[i] = 1 / (1 + std::exp(-logit)) - static_cast<double>(data.train.labels[begin + i]);
        }
        for (std::size_t i = 0; i < kBatch; ++i) {
          const float* const x = data.train.features.values.data() + (begin + i) * width;
          for (std::size_t j = 0; j < width; ++j) {
            local[j] -= kRate / kBatch * residuals[i] * static_cast<double>(x[j]);
          }
        }
      }
      for (std::size_t j = 0; j < width; ++j) {
        mean[j] += (local[j] - global[j]) / kNumbers.merchants;
      }
    }
    DoNotOptimize(mean.data());
  }
  state.SetItemsProcessed(state.iterations());
}

LogisticRegression numbers_workload(const Dataset& data, LogisticRegression::Solver solver) {
  LogisticRegression::Options options;
  options.width = kNumbers.width();
  options.train_rows = static_cast<double>(data.train.features.rows());
  options.merchants = kNumbers.merchants;
  options.solver = solver;
  options.batch = kBatch;
  options.learning_rate = kRate;
  options.shuffle = false;
  options.equal_weights = true;
  return LogisticRegression(options);
}

/// One sum of all merchants and the step after it, without masks: what a round costs the workload. False when it is finished.
bool train_once(const LogisticRegression& workload, const Dataset& data, Model& model) {
  const auto sum = workload.next_sum(model);
  if (!sum) {
    return false;
  }
  const Contributor contribute = workload.contributor(model, *sum);
  std::vector<double> total(sum->length, 0.0);
  Contribution contribution;
  for (const MerchantRows& merchant : data.merchants) {
    for_each_unit(data, merchant, Unit::merchant, Population::train, [&](const UnitRows& rows) {
      contribution.clear();
      contribute(rows, contribution);
      const double* value = contribution.values().data();
      for (const Contribution::Block& block : contribution.blocks()) {
        for (std::size_t i = 0; i < block.count; ++i) {
          total[block.first + i] += *value++;
        }
      }
    });
  }
  workload.apply(model, *sum, total);
  return true;
}

void local_round(State& state) {
  const Dataset data = made_up(kNumbers);
  const LogisticRegression workload = numbers_workload(data, LogisticRegression::Solver::local);
  for (auto _ : state) {
    Model model = workload.initial_model(1);
    check(train_once(workload, data, model), "local training has no end of its own");
    DoNotOptimize(model.parameters.data());
  }
  state.SetItemsProcessed(state.iterations());
}

void newton_to_the_optimum(State& state) {
  const Dataset data = made_up(kNumbers);
  const LogisticRegression workload = numbers_workload(data, LogisticRegression::Solver::newton);
  for (auto _ : state) {
    Model model = workload.initial_model(1);
    while (train_once(workload, data, model)) {
      check(model.step < 20, "Newton's method comes to an end");
    }
    DoNotOptimize(model.parameters.data());
  }
}

}  // namespace

void register_logistic() {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("gradient: a plain loop", plain_pass);
  RegisterBenchmark("logistic: a pass, each merchant clipped", logistic_pass, Unit::merchant, Unit::merchant);
  RegisterBenchmark("logistic: a pass, each record clipped", logistic_pass, Unit::record, Unit::record);
  RegisterBenchmark("logistic: a pass without privacy", logistic_pass, Unit::record, Unit::none);
  RegisterBenchmark("local epochs of 10,000 x 100: plain loops", plain_local_round);
  RegisterBenchmark("logistic: local epochs of 10,000 x 100", local_round);
  RegisterBenchmark("logistic: the optimum of 10,000 x 100", newton_to_the_optimum);
}

}  // namespace hanse
