// Passes of a merchant over its own rows: a factorization machine with Adagrad, and the floor under it, the same steps
// as loops over arrays. Items are nonzeros.

#include <benchmark/benchmark.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "common/base/seeded_generator.h"
#include "common/workloads/factor_table.h"
#include "tests/benchmarks/measurements.h"

namespace hanse {
namespace {

using benchmark::DoNotOptimize;
using benchmark::State;

constexpr double kRate = 0.05;

/// Rows with an intercept each, in the order in which a pass goes over them.
struct Sample {
  std::uint32_t columns = 0;
  RowBlock block;
  std::vector<std::uint32_t> order;

  std::size_t nonzeros() const { return block.features.nonzeros() - block.features.rows(); }
  Rows rows() const { return {block, 0, block.features.rows()}; }
};

void shuffle(Sample& sample, SeededGenerator& generator) {
  sample.order.resize(sample.block.features.rows());
  std::iota(sample.order.begin(), sample.order.end(), 0u);
  for (std::size_t i = sample.order.size(); i > 1; --i) {
    std::swap(sample.order[i - 1], sample.order[generator.below(i)]);
  }
}

/// `numbers` columns in every row, then one of `words` columns for each of `fields`.
Sample sample_of(std::size_t rows, std::uint32_t numbers, std::uint32_t fields, std::uint32_t words) {
  SeededGenerator generator{17, rows};
  Sample sample;
  sample.columns = numbers + fields * words;
  CsrMatrix& features = sample.block.features;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto add = [&](std::uint32_t column, double value) {
      features.columns.push_back(column);
      features.values.push_back(static_cast<float>(value));
    };
    for (std::uint32_t j = 0; j < numbers; ++j) {
      add(j, generator.normal());
    }
    for (std::uint32_t field = 0; field < fields; ++field) {
      add(numbers + field * words + static_cast<std::uint32_t>(generator.below(words)), 1);
    }
    add(sample.columns, 1);
    features.row_begin.push_back(features.columns.size());
    sample.block.labels.push_back(generator.below(4) == 0 ? 1.0F : 0.0F);
  }
  shuffle(sample, generator);
  return sample;
}

/// As many visits and columns as the public set of shoppers has: all in the second level of cache.
const Sample& visits() {
  static const Sample sample = sample_of(12'330, 5, 7, 10);
  return sample;
}
/// Clicks: 39 words a row out of a million columns, which are in no cache.
const Sample& clicks() {
  static const Sample sample = sample_of(50'000, 0, 39, (1u << 20) / 39);
  return sample;
}

double first_factor(std::size_t column, std::size_t f) {
  return 0.01 * std::sin(static_cast<double>(column + 31 * f));
}

void factor_table_pass(State& state, const Sample& sample, std::size_t rank) {
  FactorTable table(sample.columns, rank);
  std::vector<double> parameters(rank + 1, 0.0);
  for (std::size_t j = 0; j < sample.columns; ++j) {
    for (std::size_t f = 0; f < rank; ++f) {
      parameters[1 + f] = first_factor(j, f);
    }
    table.set(j, parameters);
  }
  double bias = 0;
  double memory = FactorTable::kFirstMemory;
  for (auto _ : state) {
    table.descend(sample.rows(), sample.order, {}, {.learning_rate = kRate}, bias, memory);
    DoNotOptimize(bias);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sample.nonzeros()));
}

/// The floor: no padding, no look ahead, whatever the compiler makes of the loops for the plain architecture.
void plain_pass(State& state, const Sample& sample, std::size_t rank) {
  std::vector<float> weights(sample.columns), weight_memories(sample.columns, 1.0F),
      factor_memories(sample.columns, 1.0F), factors(sample.columns * rank), sums(rank);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    factors[i] = static_cast<float>(first_factor(i / rank, i % rank));
  }
  double bias = 0;
  double memory = 1;
  const auto rate = static_cast<float>(kRate);
  const Rows rows = sample.rows();
  for (auto _ : state) {
    for (const std::uint32_t r : sample.order) {
      const SparseRow row = rows.row(r);
      const std::size_t count = row.columns.size() - 1;
      std::fill(sums.begin(), sums.end(), 0.0F);
      double score = bias;
      float squares = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t j = row.columns[i];
        const float x = row.values[i];
        score += static_cast<double>(weights[j] * x);
        for (std::size_t f = 0; f < rank; ++f) {
          const float term = factors[j * rank + f] * x;
          sums[f] += term;
          squares += term * term;
        }
      }
      float pairs = 0;
      for (std::size_t f = 0; f < rank; ++f) {
        pairs += sums[f] * sums[f];
      }
      score += static_cast<double>(pairs - squares) / 2;
      const double residual = 1 / (1 + std::exp(-score)) - static_cast<double>(rows.label(r));
      memory += residual * residual;
      bias -= kRate * residual / std::sqrt(memory);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t j = row.columns[i];
        const float x = row.values[i];
        const float slope = static_cast<float>(residual) * x;
        float norm = 0;
        for (std::size_t f = 0; f < rank; ++f) {
          const float gradient = slope * (sums[f] - factors[j * rank + f] * x);
          norm += gradient * gradient;
        }
        weight_memories[j] += slope * slope;
        factor_memories[j] += norm / static_cast<float>(rank);
        weights[j] -= rate * slope / std::sqrt(weight_memories[j]);
        const float step = rate / std::sqrt(factor_memories[j]);
        for (std::size_t f = 0; f < rank; ++f) {
          const float gradient = slope * (sums[f] - factors[j * rank + f] * x);
          factors[j * rank + f] -= step * gradient;
        }
      }
    }
    DoNotOptimize(bias);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sample.nonzeros()));
}

}  // namespace

void register_factorization(int repetitions) {
  for (const std::size_t rank : {std::size_t{8}, std::size_t{32}}) {
    const std::string of_rank = ", rank " + std::to_string(rank);
    const auto add = [&](const char* what, const Sample& (*sample)(), auto pass) {
      benchmark::RegisterBenchmark((what + of_rank).c_str(), [=](State& state) {
        pass(state, sample(), rank);
      })->Repetitions(repetitions);
    };
    add("FM pass, visits", visits, factor_table_pass);
    add("FM pass, visits, plain loops", visits, plain_pass);
    add("FM pass, clicks", clicks, factor_table_pass);
    add("FM pass, clicks, plain loops", clicks, plain_pass);
  }
}

}  // namespace hanse
