#include "common/workloads/matrix_factorization.h"

#include <algorithm>
#include <memory>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"

namespace hanse {
namespace {

// Without a unit of privacy: 4096 holds the gradient of a customer with a million ratings and the statistics
// likewise.
constexpr double kUnclippedNorm = 4096;
// A first item bias is the item's mean deviation as if this many more ratings had been average.
constexpr double kBiasShrinkage = 10;

/// Ratings of items that have a row: they come first.
std::size_t known_items(const SparseRow& ratings, std::size_t items) {
  const auto end = std::lower_bound(ratings.columns.begin(), ratings.columns.end(), items);
  return static_cast<std::size_t>(end - ratings.columns.begin());
}

/// Ridge solution of one customer, and its memory.
class CustomerSolver {
 public:
  CustomerSolver(const Model& model, std::uint32_t rank, double l2, double l2_bias)
      : parameters_(model.parameters),
        order_(rank + 1u),
        l2_(l2),
        l2_bias_(l2_bias),
        items_((parameters_.size() - 1) / order_),
        unknown_(order_),
        gram_(order_ * order_),
        solution_(order_) {}

  /// (a_u, p_u) that minimises sum (r - mean - b_i - a - p . q_i)^2 + l2 n (a^2 + |p|^2).
  std::span<const double> solve(const SparseRow& ratings) {
    std::fill(gram_.begin(), gram_.end(), 0.0);
    std::fill(solution_.begin(), solution_.end(), 0.0);
    for (std::size_t i = 0; i < ratings.columns.size(); ++i) {
      // The item's block is (b, q); the customer's bias multiplies 1, so (b, q) is read as (1, q).
      const double* const item = item_block(ratings.columns[i]);
      const double residual = static_cast<double>(ratings.values[i]) - parameters_[0] - item[0];
      gram_[0] += 1;
      solution_[0] += residual;
      for (std::size_t a = 1; a < order_; ++a) {
        double* const row = gram_.data() + a * order_;
        const double q = item[a];
        row[0] += q;
        solution_[a] += residual * q;
        for (std::size_t b = 1; b <= a; ++b) {
          row[b] += q * item[b];
        }
      }
    }
    const auto at_least_one = [](std::size_t count) {
      return static_cast<double>(std::max<std::size_t>(count, 1));
    };
    gram_[0] += l2_bias_ * at_least_one(ratings.columns.size());
    for (std::size_t a = 1; a < order_; ++a) {
      gram_[a * order_ + a] += l2_ * at_least_one(known_items(ratings, items_));
    }
    if (!solve_cholesky(gram_, solution_)) {
      // Only a model far astray gets here. Stopping would tell the coordinator who rated what.
      std::fill(solution_.begin(), solution_.end(), 0.0);
    }
    return solution_;
  }

  double error(std::span<const double> customer, std::uint32_t item, float rating) const {
    const double* const block = item_block(item);
    double prediction = parameters_[0] + block[0] + customer[0];
    for (std::size_t a = 1; a < order_; ++a) {
      prediction += customer[a] * block[a];
    }
    return static_cast<double>(rating) - prediction;
  }

 private:
  const double* item_block(std::uint32_t item) const {
    return item < items_ ? parameters_.data() + 1 + item * order_ : unknown_.data();
  }

  std::span<const double> parameters_;
  std::size_t order_;
  double l2_;
  double l2_bias_;
  std::size_t items_;
  std::vector<double> unknown_;  ///< The block of an item without a row: zeros.
  std::vector<double> gram_;
  std::vector<double> solution_;
};

/// Calls `take` with the training ratings (perhaps none) and the test ratings of each customer of the unit.
/// Rows are sorted by customer, so this is one merge.
template <class Take>
void for_each_tested_customer(const UnitRows& unit, const Take& take) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < unit.test.size(); ++i) {
    while (at < unit.train.size() && unit.train.customer(at) < unit.test.customer(i)) {
      ++at;
    }
    const bool known = at < unit.train.size() && unit.train.customer(at) == unit.test.customer(i);
    take(known ? unit.train.row(at) : SparseRow{}, unit.test.row(i));
  }
}

}  // namespace

MatrixFactorization::MatrixFactorization(Options options)
    : options_(std::move(options)), optimizer_(options_.server) {
  if (options_.items == 0) {
    throw bad_input(
        "data.item: no items are left to factorise; lower privacy.min_contributors or "
        "workload.kept_at_least, or check "
        "the ratings");
  }
  if (options_.rank == 0) {
    throw bad_input("workload.rank: expected at least 1");
  }
  if (options_.unit == Unit::record) {
    throw bad_input(
        "privacy.unit=record is not possible for matrix-factorization, because all ratings of a customer "
        "meet in its factors; set privacy.unit=customer");
  }
  if (!(options_.l2 > 0) || !(options_.l2_bias > 0)) {
    throw bad_input(
        "workload.l2 and workload.l2_bias: matrix-factorization needs positive penalties, for instance 0.12");
  }
  if (std::isnan(options_.rating_low) || std::isnan(options_.rating_high)) {
    if (options_.unit != Unit::none) {
      throw bad_input(
          "data.rating: privacy needs the public range of ratings, for instance data.rating=rating[1..5]");
    }
  } else {
    middle_ = (options_.rating_low + options_.rating_high) / 2;
    half_width_ = std::max((options_.rating_high - options_.rating_low) / 2, 1e-9);
    bound_ = 1;
  }
  if (options_.ratings_per_unit <= 0) {
    options_.ratings_per_unit = options_.unit == Unit::merchant ? 4096 : 64;
  }
}

Model MatrixFactorization::initial_model(std::uint64_t seed) const {
  Model model;
  const std::size_t items = options_.items;
  model.parameters.assign(1 + items * block(), 0.0);
  model.parameters[0] = middle_;
  SeededGenerator generator{seed, 0x6d66u};
  const double scale = options_.init / std::sqrt(static_cast<double>(options_.rank));
  for (std::size_t item = 0; item < items; ++item) {
    for (std::size_t a = 1; a < block(); ++a) {
      model.parameters[1 + item * block() + a] = scale * generator.normal();
    }
  }
  // The optimiser's memory, then each item's number of ratings.
  model.server_state.assign(optimizer_.state_size(items * block()) + items, 0.0);
  return model;
}

std::optional<PrivateSum> MatrixFactorization::next_sum(const Model& model) const {
  PrivateSum sum;
  if (model.step == 0) {
    sum.name = "item statistics";
    sum.purpose = Purpose::statistics;
    sum.length = 2 * std::size_t{options_.items};
    sum.clip_norm = lanes() ? kUnclippedNorm : std::sqrt(2 * options_.ratings_per_unit);
    return sum;
  }
  sum.name = "item gradients";
  sum.purpose = Purpose::update;
  sum.length = options_.items * block() + (lanes() ? 2u : 0u);
  sum.clip_norm = options_.clip > 0 ? options_.clip : lanes() ? kUnclippedNorm : 1.0;
  return sum;
}

std::optional<PrivateSum> MatrixFactorization::evaluation_sum(const Model&) const {
  PrivateSum sum;
  sum.name = "test errors";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = 2;
  // One rating adds at most 1 to each entry; a unit surely counts in full up to a quarter of its ratings.
  sum.clip_norm = lanes() ? 0x1p20 : options_.ratings_per_unit / 4 * std::sqrt(2.0);
  return sum;
}

Contributor MatrixFactorization::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == 1 + options_.items * block(), "a model belongs to its workload");
  switch (sum.purpose) {
    case Purpose::statistics:
      return statistics_contributor();
    case Purpose::update:
      return gradient_contributor(model);
    case Purpose::evaluation:
      break;
  }
  return error_contributor(model);
}

Contributor MatrixFactorization::statistics_contributor() const {
  const auto sums = std::make_shared<ContributionAccumulator>(0, options_.items, 2);
  return [this, sums](const UnitRows& unit, Contribution& out) {
    for (std::size_t r = 0; r < unit.train.size(); ++r) {
      const SparseRow ratings = unit.train.row(r);
      for (std::size_t i = 0, known = known_items(ratings, options_.items); i < known; ++i) {
        const std::span<double> lane = sums->block(ratings.columns[i]);
        lane[0] += 1;
        lane[1] += (static_cast<double>(ratings.values[i]) - middle_) / half_width_;
      }
    }
    sums->flush(out);
  };
}

Contributor MatrixFactorization::gradient_contributor(const Model& model) const {
  struct Scratch {
    CustomerSolver solver;
    ContributionAccumulator sums;
  };
  const auto scratch =
      std::make_shared<Scratch>(Scratch{CustomerSolver(model, options_.rank, options_.l2, options_.l2_bias),
                                        ContributionAccumulator(0, options_.items, block())});
  const std::size_t lanes_at = options_.items * block();
  return [scratch, lanes_at, with_loss = lanes(), items = options_.items](const UnitRows& unit,
                                                                          Contribution& out) {
    double squares = 0;
    double count = 0;
    for (std::size_t r = 0; r < unit.train.size(); ++r) {
      const SparseRow ratings = unit.train.row(r);
      if (ratings.columns.empty()) {
        continue;
      }
      const std::span<const double> customer = scratch->solver.solve(ratings);
      const std::size_t known = known_items(ratings, items);
      for (std::size_t i = 0; i < ratings.columns.size(); ++i) {
        const double error = scratch->solver.error(customer, ratings.columns[i], ratings.values[i]);
        squares += error * error;
        if (i >= known) {
          continue;
        }
        const std::span<double> gradient = scratch->sums.block(ratings.columns[i]);
        gradient[0] += error;
        for (std::size_t a = 1; a < gradient.size(); ++a) {
          gradient[a] += error * customer[a];
        }
      }
      count += static_cast<double>(ratings.columns.size());
    }
    scratch->sums.flush(out);
    if (with_loss && count > 0) {
      // Scaled down, so that a customer's thousands of ratings leave the norm far below its bound.
      const double entries[] = {squares / kUnclippedNorm, count / kUnclippedNorm};
      out.add_block(lanes_at, entries);
    }
  };
}

Contributor MatrixFactorization::error_contributor(const Model& model) const {
  const auto solver = std::make_shared<CustomerSolver>(model, options_.rank, options_.l2, options_.l2_bias);
  const bool bounded = !std::isnan(options_.rating_low) && !std::isnan(options_.rating_high);
  return [this, solver, bounded](const UnitRows& unit, Contribution& out) {
    double squares = 0;
    double count = 0;
    for_each_tested_customer(unit, [&](const SparseRow& known, const SparseRow& asked) {
      const std::span<const double> customer = solver->solve(known);
      for (std::size_t i = 0; i < asked.columns.size(); ++i) {
        const double rating = static_cast<double>(asked.values[i]);
        double prediction = rating - solver->error(customer, asked.columns[i], asked.values[i]);
        if (bounded) {
          prediction = std::clamp(prediction, options_.rating_low, options_.rating_high);
        }
        const double error = (rating - prediction) / (2 * half_width_);
        squares += error * error;
        count += 1;
      }
    });
    if (count > 0) {
      const double entries[] = {squares, count};
      out.add_block(0, entries);
    }
  };
}

Metrics MatrixFactorization::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  switch (sum.purpose) {
    case Purpose::statistics:
      return apply_statistics(model, total);
    case Purpose::update:
      return apply_gradients(model, total);
    case Purpose::evaluation:
      break;
  }
  if (!(total[1] >= 0.5)) {
    return {};
  }
  return {{"test_rmse", 2 * half_width_ * std::sqrt(std::max(total[0], 0.0) / total[1])}};
}

Metrics MatrixFactorization::apply_statistics(Model& model, std::span<const double> total) const {
  const std::span<double> ratings = std::span(model.server_state).last(options_.items);
  double all = 0;
  double sum = 0;
  for (std::size_t item = 0; item < options_.items; ++item) {
    ratings[item] = std::max(total[2 * item], 0.0);
    all += total[2 * item];
    sum += total[2 * item + 1];
  }
  const double mean = all >= 1 ? std::clamp(sum / all, -bound_, bound_) : 0;
  model.parameters[0] = middle_ + half_width_ * mean;
  for (std::size_t item = 0; item < options_.items; ++item) {
    const double deviation = total[2 * item + 1] - mean * ratings[item];
    const double bias = deviation / (ratings[item] + kBiasShrinkage);
    model.parameters[1 + item * block()] = half_width_ * std::clamp(bias, -bound_, bound_);
  }
  ++model.step;
  return {{"mean_rating", model.parameters[0]}};
}

Metrics MatrixFactorization::apply_gradients(Model& model, std::span<const double> total) const {
  const std::span<double> ratings = std::span(model.server_state).last(options_.items);
  const std::span<double> items = std::span(model.parameters).subspan(1);
  std::vector<double> gradient(items.size());
  for (std::size_t item = 0; item < options_.items; ++item) {
    const double scale = 1 / (options_.expected_share * std::max(ratings[item], 1.0));
    for (std::size_t i = item * block(); i < (item + 1) * block(); ++i) {
      const double penalty = i == item * block() ? options_.l2_bias : options_.l2;
      gradient[i] = penalty * items[i] - scale * total[i];
    }
  }
  optimizer_.apply(model.step, gradient, items, model.server_state);
  ++model.step;
  if (lanes() && total[items.size() + 1] > 0) {
    return {{"train_loss", total[items.size()] / total[items.size() + 1]}};
  }
  return {};
}

std::vector<NamedArray> MatrixFactorization::arrays(const Model& model) const {
  const std::size_t rank = options_.rank;
  NamedArray biases{.name = "item_biases", .shape = {options_.items}, .values = {}};
  NamedArray factors{.name = "item_factors", .shape = {options_.items, rank}, .values = {}};
  for (std::size_t item = 0; item < options_.items; ++item) {
    const auto first = model.parameters.begin() + static_cast<std::ptrdiff_t>(1 + item * block());
    biases.values.push_back(*first);
    factors.values.insert(factors.values.end(), first + 1, first + static_cast<std::ptrdiff_t>(block()));
  }
  return {{.name = "mean_rating", .shape = {1}, .values = {model.parameters[0]}},
          std::move(biases),
          std::move(factors)};
}

std::vector<double> MatrixFactorization::solve_customer(const Model& model, const SparseRow& ratings) const {
  CustomerSolver solver(model, options_.rank, options_.l2, options_.l2_bias);
  const std::span<const double> solution = solver.solve(ratings);
  return {solution.begin(), solution.end()};
}

double MatrixFactorization::predict(const Model& model, std::span<const double> customer,
                                    std::uint32_t item) const {
  return -CustomerSolver(model, options_.rank, options_.l2, options_.l2_bias).error(customer, item, 0.0f);
}

}  // namespace hanse
