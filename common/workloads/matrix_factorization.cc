#include "common/workloads/matrix_factorization.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/numerics/positive_part.h"
#include "common/numerics/rating_sgd.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/customer_side.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

// Without a unit of privacy: 4096 holds the gradient of a customer with a million ratings and the statistics
// likewise.
constexpr double kUnclippedNorm = 4096;
// A first item bias is the item's mean deviation as if this many more ratings had been average.
constexpr double kBiasShrinkage = 10;
// Of the true biases, in half-widths of the range: what noisy ones are shrunk by as well (Efron and Morris 1973).
constexpr double kBiasVariance = 1.0 / 16;
// Without a unit of privacy a merchant's item equations: an item's ten million ratings fit.
constexpr double kUnclippedEquations = 0x1p24;
// What keeps noise from carrying an item away: no entry of a vector is larger than this many half-widths.
constexpr double kFarthest = 4;

/// The variance of noise in counts, as counts below zero tell it: only noise can have made them. 0 when there are few.
double noise_of_counts(std::span<const double> statistics) {
  constexpr std::size_t few = 8;
  double squares = 0;
  std::size_t below = 0;
  for (std::size_t i = 0; i < statistics.size(); i += 2) {
    if (statistics[i] < 0) {
      squares += statistics[i] * statistics[i];
      ++below;
    }
  }
  return below > few ? squares / static_cast<double>(below) : 0;
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
  if (options_.solver == Solver::local && is_customer(options_.unit)) {
    throw bad_input(
        "workload.solver=local of matrix-factorization moves items by all ratings of a merchant at once: set "
        "privacy.unit to merchant or none, or the solver to als or gradient");
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
  parts_ = {.items = options_.items,
            .unknowns = block(),
            .unknowns_max = options_.block,
            .entries_max = options_.entries_per_sum};
  if (const std::size_t needed = ItemPart{.unknowns = parts_.at(0).unknowns}.item_length();
      options_.solver == Solver::als && needed > options_.entries_per_sum) {
    throw bad_input(
        "workload.solver=als: the equations of one item have " + std::to_string(needed) +
        " numbers, more than workload.entries_per_sum=" + std::to_string(options_.entries_per_sum) +
        "; set workload.block, for instance to 32, or a lower workload.rank");
  }
}

CustomerSide MatrixFactorization::customer_side(const Model& model) const {
  return CustomerSide(model.parameters, options_.rank, {.factors = options_.l2, .bias = options_.l2_bias});
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

void MatrixFactorization::start_from(const SavedModel& saved, Model& model) const {
  const std::size_t rank = options_.rank;
  const std::size_t items = saved.columns.size();
  const std::vector<double>& biases = saved.values("item_biases", items);
  const std::vector<double>& factors = saved.values("item_factors", items * rank);
  const CarriedColumns carried(saved, options_.space, {}, {});
  model.parameters[0] = saved.values("mean_rating", 1)[0];
  for (std::size_t item = 0; item < options_.items; ++item) {
    if (const auto origin = carried.origin(item)) {
      const auto first = model.parameters.begin() + static_cast<std::ptrdiff_t>(1 + item * block());
      *first = biases[*origin];
      std::copy_n(factors.begin() + static_cast<std::ptrdiff_t>(*origin * rank), rank, first + 1);
    }
  }
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
  sum.purpose = Purpose::update;
  if (options_.solver == Solver::als) {
    sum.name = "item equations";
    sum.length = part(model).length() + (lanes() ? 2u : 0u);
    sum.clip_norm = options_.clip > 0 ? options_.clip : lanes() ? kUnclippedEquations : 1.0;
    sum.without_privacy = Unit::merchant;
    return sum;
  }
  if (options_.solver == Solver::local) {
    sum.name = "item changes";
    sum.length = options_.items * block() + (lanes() ? 2u : 0u);
    sum.clip_norm = options_.clip > 0 ? options_.clip : lanes() ? kUnclippedEquations : 1.0;
    sum.without_privacy = Unit::merchant;
    return sum;
  }
  sum.name = "item gradients";
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
      return options_.solver == Solver::als     ? equations_contributor(model)
             : options_.solver == Solver::local ? changes_contributor(model)
                                                : gradient_contributor(model);
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
    CustomerSide solver;
    ContributionAccumulator sums;
  };
  const auto scratch = std::make_shared<Scratch>(
      Scratch{customer_side(model), ContributionAccumulator(0, options_.items, block())});
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

Contributor MatrixFactorization::equations_contributor(const Model& model) const {
  struct Scratch {
    CustomerSide side;
    ItemEquations<double> equations;
    std::vector<double> vector;
  };
  const ItemPart now = part(model);
  const auto scratch =
      std::make_shared<Scratch>(Scratch{customer_side(model), ItemEquations<double>(now, block()), {}});
  return [this, scratch, now](const UnitRows& unit, Contribution& out) {
    double squares = 0;
    double count = 0;
    for (std::size_t r = 0; r < unit.train.size(); ++r) {
      const SparseRow ratings = unit.train.row(r);
      if (ratings.columns.empty()) {
        continue;
      }
      const std::span<const double> customer = scratch->side.solve(ratings);
      scratch->vector.assign(customer.begin(), customer.end());
      scratch->vector[0] = 1;
      scratch->equations.begin_customer(scratch->vector);
      for (std::size_t i = 0; i < ratings.columns.size(); ++i) {
        const double error = scratch->side.error(customer, ratings.columns[i], ratings.values[i]);
        squares += error * error;
        scratch->equations.add(ratings.columns[i], 1, error);
      }
      count += static_cast<double>(ratings.columns.size());
    }
    scratch->equations.flush(0, out);
    if (lanes() && count > 0) {
      const double entries[] = {squares, count};
      out.add_block(now.length(), entries);
    }
  };
}

Contributor MatrixFactorization::changes_contributor(const Model& model) const {
  struct Scratch {
    CustomerSide side;
    ItemTable before;
    ItemTable items;
    std::vector<double> counts;
    std::vector<std::uint32_t> order;
    std::vector<float> biases;  ///< Of the merchant's customers, and their factors.
    std::vector<float> factors;
    std::vector<double> change;
  };
  ItemTable before(options_.items, options_.rank);
  for (std::size_t item = 0; item < options_.items; ++item) {
    const double* const from = model.parameters.data() + 1 + item * block();
    before.biases[item] = static_cast<float>(from[0]);
    std::transform(from + 1, from + block(), before.factors_of(item),
                   [](double entry) { return static_cast<float>(entry); });
  }
  const auto scratch = std::make_shared<Scratch>(Scratch{.side = customer_side(model),
                                                         .before = before,
                                                         .items = before,
                                                         .counts = {},
                                                         .order = {},
                                                         .biases = {},
                                                         .factors = {},
                                                         .change = std::vector<double>(block())});
  const RatingSgdRates rates{.mean = static_cast<float>(model.parameters[0]),
                             .learning_rate = static_cast<float>(options_.learning_rate),
                             .l2 = static_cast<float>(options_.l2),
                             .l2_bias = static_cast<float>(options_.l2_bias)};
  return [this, scratch, rates, step = model.step](const UnitRows& unit, Contribution& out) {
    Scratch& s = *scratch;
    const std::size_t customers = unit.train.size();
    const std::size_t stride = s.items.stride;
    s.items = s.before;
    s.counts.assign(options_.items, 0.0);
    s.biases.assign(customers, 0.0f);
    s.factors.assign(customers * stride, 0.0f);
    double squares = 0;
    double count = 0;
    for (std::size_t r = 0; r < customers; ++r) {
      const SparseRow ratings = unit.train.row(r);
      const std::span<const double> customer = s.side.solve(ratings);
      s.biases[r] = static_cast<float>(customer[0]);
      for (std::size_t a = 1; a < block(); ++a) {
        s.factors[r * stride + a - 1] = static_cast<float>(customer[a]);
      }
      for (std::size_t i = 0, known = known_items(ratings, options_.items); i < known; ++i) {
        s.counts[ratings.columns[i]] += 1;
      }
      for (std::size_t i = 0; lanes() && i < ratings.columns.size(); ++i) {
        const double error = s.side.error(customer, ratings.columns[i], ratings.values[i]);
        squares += error * error;
        count += 1;
      }
    }
    s.order.resize(customers);
    std::iota(s.order.begin(), s.order.end(), 0u);
    SeededGenerator generator({options_.seed, step, unit.merchant, 0x6D667367});
    for (std::uint32_t epoch = 0; epoch < options_.local_epochs; ++epoch) {
      shuffle(std::span(s.order), generator);
      for (const std::uint32_t r : s.order) {
        SparseRow ratings = unit.train.row(r);
        const std::size_t known = known_items(ratings, options_.items);
        ratings = {ratings.columns.first(known), ratings.values.first(known)};
        descend_customer(ratings, rates, s.biases[r], std::span(s.factors).subspan(r * stride, stride),
                         s.items);
      }
    }
    for (std::size_t item = 0; item < options_.items; ++item) {
      if (s.counts[item] == 0) {
        continue;
      }
      const auto change = [&](float now, float then) {
        return s.counts[item] * (static_cast<double>(now) - static_cast<double>(then));
      };
      s.change[0] = change(s.items.biases[item], s.before.biases[item]);
      for (std::size_t a = 1; a < block(); ++a) {
        s.change[a] = change(s.items.factors_of(item)[a - 1], s.before.factors_of(item)[a - 1]);
      }
      out.add_block(item * block(), s.change);
    }
    if (count > 0) {
      const double entries[] = {squares, count};
      out.add_block(options_.items * block(), entries);
    }
  };
}

Contributor MatrixFactorization::error_contributor(const Model& model) const {
  const auto solver = std::make_shared<CustomerSide>(customer_side(model));
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
      return options_.solver == Solver::als ? apply_equations(model, total) : apply_steps(model, total);
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
  const double noise = noise_of_counts(total) * (1 + mean * mean) / kBiasVariance;
  // A model that goes on from an earlier one keeps its mean and the biases of items that it knows.
  const auto bias_of = [&](std::size_t item) -> double& { return model.parameters[1 + item * block()]; };
  bool goes_on = false;
  for (std::size_t item = 0; item < options_.items; ++item) {
    goes_on = goes_on || bias_of(item) != 0;
  }
  model.parameters[0] = goes_on ? model.parameters[0] : middle_ + half_width_ * mean;
  for (std::size_t item = 0; item < options_.items; ++item) {
    if (bias_of(item) != 0) {
      continue;
    }
    const double deviation = total[2 * item + 1] - mean * ratings[item];
    const double count = ratings[item];
    const double bias = count > 0 ? deviation / (count + kBiasShrinkage + noise / count) : 0;
    bias_of(item) = half_width_ * std::clamp(bias, -bound_, bound_);
  }
  ++model.step;
  return {{"mean_rating", model.parameters[0]}};
}

/// Minus gradients, to which penalties are added here, or changes of local epochs, which had them.
Metrics MatrixFactorization::apply_steps(Model& model, std::span<const double> total) const {
  const bool penalised = options_.solver == Solver::gradient;
  const std::span<const double> ratings = std::span(model.server_state).last(options_.items);
  const std::span<double> items = std::span(model.parameters).subspan(1);
  std::vector<double> gradient(items.size());
  for (std::size_t item = 0; item < options_.items; ++item) {
    const double scale = 1 / (options_.expected_share * std::max(ratings[item], 1.0));
    for (std::size_t i = item * block(); i < (item + 1) * block(); ++i) {
      const double penalty = i == item * block() ? options_.l2_bias : options_.l2;
      gradient[i] = (penalised ? penalty * items[i] : 0) - scale * total[i];
    }
  }
  optimizer_.apply(model.step, gradient, items, model.server_state);
  ++model.step;
  if (lanes() && total[items.size() + 1] > 0) {
    return {{"train_loss", total[items.size()] / total[items.size() + 1]}};
  }
  return {};
}

/// Each item's own least squares: (A + n l2) step = y - n l2 (b, q), with y the sum of errors as they are.
Metrics MatrixFactorization::apply_equations(Model& model, std::span<const double> total) const {
  const ItemPart now = part(model);
  const std::span<const double> ratings = std::span(model.server_state).last(options_.items);
  NormalEquations<double> equations(now.unknowns);
  for (std::size_t i = 0; i < now.items; ++i) {
    const std::size_t item = now.first_item + i;
    read_item_equations(total.subspan(i * now.item_length(), now.item_length()), equations);
    if (!lanes()) {
      project_to_positive(equations);
    }
    const std::span<double> unknowns =
        std::span(model.parameters).subspan(1 + item * block() + now.first, now.unknowns);
    const double count = options_.expected_share * std::max(ratings[item], 1.0);
    for (std::size_t a = 0; a < now.unknowns; ++a) {
      const double penalty = count * (now.first + a == 0 ? options_.l2_bias : options_.l2);
      equations.at(a, a) += penalty;
      equations.right(a) -= penalty * unknowns[a];
    }
    if (!equations.solve()) {
      continue;
    }
    const double farthest = lanes() ? HUGE_VAL : kFarthest * half_width_;
    for (std::size_t a = 0; a < now.unknowns; ++a) {
      unknowns[a] = std::clamp(unknowns[a] + equations.right(a), -farthest, farthest);
    }
  }
  ++model.step;
  if (lanes() && total[now.length() + 1] > 0) {
    return {{"train_loss", total[now.length()] / total[now.length() + 1]}};
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
  CustomerSide solver = customer_side(model);
  const std::span<const double> solution = solver.solve(ratings).first(block());
  return {solution.begin(), solution.end()};
}

double MatrixFactorization::predict(const Model& model, std::span<const double> customer,
                                    std::uint32_t item) const {
  std::vector<double> padded(customer.begin(), customer.end());
  padded.resize(stride_of<double>(block()));
  return -customer_side(model).error(padded, item, 0.0f);
}

std::unique_ptr<Workload> make_matrix_factorization(const Configuration& configuration,
                                                    const WorkloadFacts& facts) {
  if (facts.kind != RowKind::customer) {
    throw bad_input("workload.name=matrix-factorization needs ratings: set data.format=ratings");
  }
  const Configuration::WorkloadOptions& workload = configuration.workload;
  MatrixFactorization::Options options;
  using Solver = MatrixFactorization::Solver;
  options.solver = solver_option<Solver>(
      workload, {{"gradient", Solver::gradient}, {"als", Solver::als}, {"local", Solver::local}});
  options.block = count_option(workload.other, "block", options.block);
  options.entries_per_sum = count_option(workload.other, "entries_per_sum", options.entries_per_sum);
  options.items = facts.width;
  options.rank = workload.rank;
  options.rating_low = facts.rating_low;
  options.rating_high = facts.rating_high;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  options.l2 = workload.l2 > 0 ? workload.l2 : options.l2;
  options.l2_bias = number_option(workload.other, "l2_bias", options.l2_bias);
  options.init = number_option(workload.other, "init", options.init);
  options.ratings_per_unit = number_option(workload.other, "ratings_per_unit", 0);
  options.local_epochs = workload.local_epochs;
  options.learning_rate = workload.learning_rate;
  options.space = facts.space;
  options.seed = configuration.federation.seed;
  options.server = server_options(configuration);
  auto made = std::make_unique<MatrixFactorization>(std::move(options));
  refuse_turns_of_parts(configuration, made->sums_a_pass());
  return made;
}

}  // namespace hanse
