// Matrix factorization at one merchant: an epoch of stochastic gradient descent over ratings (items are updates), a pass of
// implicit alternating least squares, and the floors under them, the same sums as loops over arrays.

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/base/seeded_generator.h"
#include "common/numerics/normal_equations.h"
#include "common/numerics/rating_sgd.h"
#include "tests/benchmarks/measurements.h"

namespace hanse {
namespace {

using benchmark::DoNotOptimize;
using benchmark::State;

// As many customers, items and ratings as MovieLens 100K has; a few items have most ratings.
constexpr std::size_t kCustomers = 943;
constexpr std::size_t kItems = 1682;
constexpr std::size_t kRatingsEach = 106;
constexpr RatingSgdRates kRates{.mean = 3.5F, .learning_rate = 0.01F, .l2 = 0.1F, .l2_bias = 0.1F};

struct Sample {
  CsrMatrix by_customer;
  CsrMatrix by_item;
};

const Sample& ratings() {
  static const Sample sample = [] {
    SeededGenerator generator{23};
    Sample made;
    std::vector<std::vector<std::uint32_t>> customers_of(kItems);
    for (std::uint32_t u = 0; u < kCustomers; ++u) {
      std::vector<bool> has(kItems, false);
      for (std::size_t count = 0; count < kRatingsEach;) {
        const auto item = static_cast<std::size_t>(kItems * generator.uniform() * generator.uniform());
        count += has[item] ? 0U : 1U;
        has[item] = true;
      }
      for (std::uint32_t item = 0; item < kItems; ++item) {
        if (has[item]) {
          made.by_customer.columns.push_back(item);
          made.by_customer.values.push_back(static_cast<float>(1 + generator.below(5)));
          customers_of[item].push_back(u);
        }
      }
      made.by_customer.row_begin.push_back(made.by_customer.columns.size());
    }
    for (const auto& customers : customers_of) {
      made.by_item.columns.insert(made.by_item.columns.end(), customers.begin(), customers.end());
      made.by_item.row_begin.push_back(made.by_item.columns.size());
    }
    return made;
  }();
  return sample;
}

float first_factor(std::size_t i) {
  return static_cast<float>(0.1 * std::sin(static_cast<double>(i)));
}

void descend_ratings(State& state, std::size_t rank) {
  const CsrMatrix& rows = ratings().by_customer;
  ItemTable items(kItems, rank);
  std::vector<float> biases(kCustomers), factors(kCustomers * items.stride);
  for (std::size_t item = 0; item < kItems; ++item) {
    for (std::size_t a = 0; a < rank; ++a) {
      items.factors_of(item)[a] = first_factor(item * rank + a);
    }
  }
  for (auto _ : state) {
    for (std::size_t u = 0; u < kCustomers; ++u) {
      descend_customer(rows.row(u), kRates, biases[u],
                       std::span(factors).subspan(u * items.stride, items.stride), items);
    }
    DoNotOptimize(items.factors.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.nonzeros()));
}

/// The floor: one loop over ratings as a textbook has it.
void descend_plainly(State& state, std::size_t rank) {
  const CsrMatrix& rows = ratings().by_customer;
  std::vector<float> a(kCustomers), b(kItems), p(kCustomers * rank), q(kItems * rank);
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] = first_factor(i);
  }
  for (auto _ : state) {
    for (std::size_t u = 0; u < kCustomers; ++u) {
      const SparseRow row = rows.row(u);
      float* const pu = p.data() + u * rank;
      for (std::size_t j = 0; j < row.columns.size(); ++j) {
        float* const qi = q.data() + row.columns[j] * rank;
        float prediction = kRates.mean + a[u] + b[row.columns[j]];
        for (std::size_t f = 0; f < rank; ++f) {
          prediction += pu[f] * qi[f];
        }
        const float error = row.values[j] - prediction;
        a[u] += kRates.learning_rate * (error - kRates.l2_bias * a[u]);
        b[row.columns[j]] += kRates.learning_rate * (error - kRates.l2_bias * b[row.columns[j]]);
        for (std::size_t f = 0; f < rank; ++f) {
          const float before = pu[f];
          pu[f] += kRates.learning_rate * (error * qi[f] - kRates.l2 * before);
          qi[f] += kRates.learning_rate * (error * before - kRates.l2 * qi[f]);
        }
      }
    }
    DoNotOptimize(q.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.nonzeros()));
}

/// Solves each row's vector from those of its columns: half a pass.
void solve_rows(const CsrMatrix& rows, const std::vector<float>& others, std::vector<float>& own,
                std::size_t rank) {
  const std::size_t stride = stride_of<float>(rank);
  NormalEquations<float> everything(rank);
  NormalEquations<float> equations(rank);
  const std::size_t count = others.size() / stride;
  std::vector<std::uint32_t> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i] = static_cast<std::uint32_t>(i);
  }
  std::vector<float> weights(count, 0.1F);
  everything.add(others.data(), all, weights, std::vector<float>(count, 0.0F));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const SparseRow row = rows.row(i);
    weights.assign(row.columns.size(), 1.0F);
    equations.assign(everything);
    equations.add(others.data(), row.columns, weights, weights);
    for (std::size_t a = 0; a < rank; ++a) {
      equations.at(a, a) += 1;
    }
    check(equations.solve(), "the equations are positive");
    std::copy(equations.solution().begin(), equations.solution().end(),
              own.begin() + static_cast<std::ptrdiff_t>(i * stride));
  }
}

void alternate(State& state, std::size_t rank) {
  const std::size_t stride = stride_of<float>(rank);
  std::vector<float> items(kItems * stride), customers(kCustomers * stride);
  for (std::size_t item = 0; item < kItems; ++item) {
    for (std::size_t a = 0; a < rank; ++a) {
      items[item * stride + a] = first_factor(item * rank + a);
    }
  }
  CsrMatrix by_item = ratings().by_item;
  by_item.values.assign(by_item.columns.size(), 1.0F);
  for (auto _ : state) {
    solve_rows(ratings().by_customer, items, customers, rank);
    solve_rows(by_item, customers, items, rank);
    DoNotOptimize(items.data());
  }
}

/// The floor under a pass: its products alone, of both sides, without gathering or solving.
void outer_products(State& state, std::size_t rank) {
  std::vector<float> vector(rank, 0.5F), sums(rank * rank);
  for (auto _ : state) {
    for (std::size_t i = 0; i < 2 * ratings().by_customer.nonzeros(); ++i) {
      vector[i % rank] += 0.001F;
      for (std::size_t a = 0; a < rank; ++a) {
        const float factor = vector[a];
        for (std::size_t b = a; b < rank; ++b) {
          sums[a * rank + b] += factor * vector[b];
        }
      }
    }
    DoNotOptimize(sums.data());
  }
}

}  // namespace

void register_ratings(int repetitions) {
  for (const std::size_t rank : {std::size_t{32}, std::size_t{64}, std::size_t{128}}) {
    const std::string of_rank = ", rank " + std::to_string(rank);
    const auto add = [&](const char* what, auto pass) {
      benchmark::RegisterBenchmark((what + of_rank).c_str(), [=](State& state) {
        pass(state, rank);
      })->Repetitions(repetitions);
    };
    add("ratings: an epoch", descend_ratings);
    add("ratings: an epoch, a plain loop", descend_plainly);
    if (rank < 128) {
      add("implicit least squares: a pass", alternate);
      add("implicit least squares: its products, plain loops", outer_products);
    }
  }
}

}  // namespace hanse
