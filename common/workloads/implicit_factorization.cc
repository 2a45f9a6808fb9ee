#include "common/workloads/implicit_factorization.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/numerics/positive_part.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/customer_side.h"
#include "common/workloads/ranking.h"
#include "common/workloads/taste_solver.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

// Without a unit of privacy: nothing is clipped, and whole numbers lie on the grid.
constexpr double kUnclippedCounts = 0x1p12;
constexpr double kUnclippedEquations = 0x1p24;
// What keeps noise from carrying an item away.
constexpr double kFarthest = 16;

TasteSolver::Options taste_of(const ImplicitFactorization::Options& options) {
  return {.items = options.items,
          .rank = options.rank,
          .l2 = options.l2,
          .exponent = options.exponent,
          .unobserved = options.unobserved,
          .confidence = options.confidence};
}

}  // namespace

ImplicitFactorization::ImplicitFactorization(Options options) : options_(options) {
  if (options_.items == 0) {
    throw bad_input(
        "data.item: no items are left to factorise; lower privacy.min_contributors or "
        "workload.kept_at_least, or check the data");
  }
  if (options_.unit == Unit::record) {
    throw bad_input(
        "privacy.unit=record is not possible for implicit-matrix-factorization, because all items of a "
        "customer "
        "meet in its factors; set privacy.unit=customer");
  }
  if (!(options_.l2 > 0) || !(options_.unobserved > 0)) {
    throw bad_input(
        "workload.l2 and workload.unobserved: implicit-matrix-factorization needs positive ones, for "
        "instance "
        "0.01 and 0.1");
  }
  if (options_.items_per_customer == 0 || !(options_.factor_bound > 0) ||
      !(options_.customers_per_unit > 0)) {
    throw bad_input(
        "workload.items_per_customer, workload.factor_bound and workload.customers_per_unit: expected more "
        "than 0");
  }
  if (options_.exponent > 2) {
    throw bad_input("workload.exponent: expected at most 2, and usually 0 to 1");
  }
  parts_ = {.items = options_.items,
            .unknowns = options_.rank,
            .unknowns_max = options_.block,
            .entries_max = options_.entries_per_sum};
  if (const std::size_t needed = ItemPart{.unknowns = parts_.at(0).unknowns}.item_length();
      needed > options_.entries_per_sum) {
    throw bad_input(
        "workload.rank: the equations of one item have " + std::to_string(needed) +
        " numbers, more than workload.entries_per_sum=" + std::to_string(options_.entries_per_sum) +
        "; set workload.block, for instance to 32, or a lower workload.rank");
  }
}

Model ImplicitFactorization::initial_model(std::uint64_t seed) const {
  Model model;
  model.parameters.resize(std::size_t{options_.items} * options_.rank);
  SeededGenerator generator{seed, 0x69616C73u};
  const double scale = options_.init / std::sqrt(static_cast<double>(options_.rank));
  for (double& entry : model.parameters) {
    entry = scale * generator.normal();
  }
  model.server_state.assign(options_.items + 1u, 0.0);  // n_i, then the number of customers.
  return model;
}

void ImplicitFactorization::start_from(const SavedModel& saved, Model& model) const {
  const std::size_t rank = options_.rank;
  const std::vector<double>& factors = saved.values("item_factors", saved.columns.size() * rank);
  const CarriedColumns carried(saved, options_.space, {}, {});
  for (std::size_t item = 0; item < options_.items; ++item) {
    if (const auto origin = carried.origin(item)) {
      std::copy_n(factors.begin() + static_cast<std::ptrdiff_t>(*origin * rank), rank,
                  model.parameters.begin() + static_cast<std::ptrdiff_t>(item * rank));
    }
  }
}

/// Of a customer: G has norm |p|^2, and each item of weight 1 at most |p|^2 in A_i and, where it is not predicted at all, |p| in y_i.
double ImplicitFactorization::equations_clip() const {
  if (options_.clip > 0) {
    return options_.clip;
  }
  if (!is_private()) {
    return kUnclippedEquations;
  }
  const double square = options_.factor_bound * options_.factor_bound;
  return std::sqrt(square * square + options_.items_per_customer * (square * square + square)) *
         units_of_customers();
}

std::optional<PrivateSum> ImplicitFactorization::next_sum(const Model& model) const {
  PrivateSum sum;
  if (model.step == 0) {
    sum.name = "item counts";
    sum.purpose = Purpose::statistics;
    sum.length = options_.items + 1u;
    sum.clip_norm =
        is_private() ? std::sqrt(options_.items_per_customer + 1.0) * units_of_customers() : kUnclippedCounts;
    return sum;
  }
  const ItemPart now = part(model);
  sum.name = "item equations";
  sum.purpose = Purpose::update;
  sum.length = gram_length(now) + now.length() + (is_private() ? 0u : 2u);
  sum.clip_norm = equations_clip();
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> ImplicitFactorization::evaluation_sum(const Model&) const {
  PrivateSum sum;
  sum.name = "test ranks";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = kRankingLength;
  sum.clip_norm = kRankingNorm * units_of_customers();
  return sum;
}

Contributor ImplicitFactorization::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == std::size_t{options_.items} * options_.rank,
        "a model belongs to its workload");
  switch (sum.purpose) {
    case Purpose::statistics:
      return counts_contributor();
    case Purpose::update:
      return equations_contributor(model);
    case Purpose::evaluation:
      break;
  }
  return ranking_contributor(model);
}

Contributor ImplicitFactorization::counts_contributor() const {
  struct Scratch {
    ContributionAccumulator counts;
    std::vector<std::uint32_t> chosen;
  };
  const auto scratch = std::make_shared<Scratch>(Scratch{ContributionAccumulator(0, options_.items, 1), {}});
  const std::size_t most = is_private() ? options_.items_per_customer : options_.items;
  return [this, scratch, most](const UnitRows& unit, Contribution& out) {
    double customers = 0;
    for (std::size_t r = 0; r < unit.train.size(); ++r) {
      const SparseRow row = unit.train.row(r);
      const auto columns = row.columns.first(known_items(row, options_.items));
      scratch->chosen.resize(columns.size());
      std::iota(scratch->chosen.begin(), scratch->chosen.end(), 0u);
      choose_items(columns, most, options_.seed, scratch->chosen);
      for (const std::uint32_t i : scratch->chosen) {
        scratch->counts[columns[i]] += 1;
      }
      customers += 1;
    }
    scratch->counts.flush(out);
    if (customers > 0) {
      out.add(options_.items, customers);
    }
  };
}

Contributor ImplicitFactorization::equations_contributor(const Model& model) const {
  struct Scratch {
    TasteSolver solver;
    ItemEquations<float> equations;
    NormalEquations<float> gram;
    std::vector<float> vectors;
    std::vector<std::uint32_t> rows;
    std::vector<float> ones;
    std::vector<std::uint32_t> chosen;
    std::vector<double> entries;
  };
  const ItemPart now = part(model);
  const auto scratch =
      std::make_shared<Scratch>(Scratch{.solver = TasteSolver(model.parameters, taste_of(options_)),
                                        .equations = ItemEquations<float>(now, options_.rank),
                                        .gram = NormalEquations<float>(options_.rank),
                                        .vectors = {},
                                        .rows = {},
                                        .ones = {},
                                        .chosen = {},
                                        .entries = {}});
  const std::size_t most = is_private() ? options_.items_per_customer : options_.items;
  const std::uint64_t salt = split_mix(options_.seed ^ split_mix(model.step));
  return [this, scratch, now, most, salt](const UnitRows& unit, Contribution& out) {
    Scratch& s = *scratch;
    s.vectors.clear();
    s.rows.clear();
    double loss = 0;
    double pairs = 0;
    for (std::size_t r = 0; r < unit.train.size(); ++r) {
      const SparseRow items = unit.train.row(r);
      const std::span<const float> solved = s.solver.solve(items);
      const std::size_t known = known_items(items, options_.items);
      if (known == 0) {
        continue;
      }
      float scale = 1;
      if (is_private()) {
        const double norm =
            std::sqrt(static_cast<double>(inner_product(solved.data(), solved.data(), s.solver.stride())));
        scale = norm > options_.factor_bound ? static_cast<float>(options_.factor_bound / norm) : 1;
      }
      const std::size_t begin = s.vectors.size();
      for (const float entry : solved) {
        s.vectors.push_back(scale * entry);
      }
      s.rows.push_back(static_cast<std::uint32_t>(s.rows.size()));
      const std::span<const float> customer = std::span(s.vectors).subspan(begin);
      s.equations.begin_customer(customer);
      s.chosen.clear();
      for (std::uint32_t i = 0; i < known; ++i) {
        if (!is_private() || s.solver.is_kept(items.columns[i])) {
          s.chosen.push_back(i);
        }
      }
      choose_items(items.columns.first(known), most, salt, s.chosen);
      for (const std::uint32_t i : s.chosen) {
        const float weight = s.solver.weight(items.values[i]);
        const float rest = 1 - s.solver.score(customer, items.columns[i]);
        s.equations.add(items.columns[i], weight, weight * rest);
        loss += static_cast<double>(weight * rest * rest);
      }
      loss += is_private() ? 0 : s.solver.loss_of_everything(customer);
      pairs += static_cast<double>(known);
    }
    if (s.rows.empty()) {
      return;
    }
    s.ones.assign(s.rows.size(), 1.0f);
    s.gram.clear();
    s.gram.add(s.vectors.data(), s.rows, s.ones, s.ones);
    s.entries.clear();
    for (std::size_t a = now.first; a < now.first + now.unknowns; ++a) {
      for (std::size_t b = 0; b < options_.rank; ++b) {
        s.entries.push_back(static_cast<double>(s.gram.at(std::min(a, b), std::max(a, b))));
      }
    }
    out.add_block(0, s.entries);
    s.equations.flush(gram_length(now), out);
    if (!is_private()) {
      const double lanes[] = {loss, pairs};
      out.add_block(gram_length(now) + now.length(), lanes);
    }
  };
}

Contributor ImplicitFactorization::ranking_contributor(const Model& model) const {
  struct Scratch {
    TasteSolver solver;
    std::vector<float> scores;
  };
  const auto scratch =
      std::make_shared<Scratch>(Scratch{TasteSolver(model.parameters, taste_of(options_)), {}});
  return [scratch](const UnitRows& unit, Contribution& out) {
    double total[kRankingLength] = {};
    std::vector<float>& scores = scratch->scores;
    for_each_tested_customer(unit, [&](const SparseRow& seen, const SparseRow& wanted) {
      const std::span<const float> customer = scratch->solver.solve(seen);
      scores.resize(scratch->solver.items());
      for (std::size_t item = 0; item < scores.size(); ++item) {
        scores[item] = scratch->solver.score(customer, item);
      }
      const RankingQuality quality = rank_items(scores, seen.columns, wanted.columns);
      total[0] += quality.ndcg_10;
      total[1] += quality.recall_20;
      total[2] += quality.hit_rate_10;
      total[3] += 1;
    });
    if (total[3] > 0) {
      out.add_block(0, total);
    }
  };
}

Metrics ImplicitFactorization::apply(Model& model, const PrivateSum& sum,
                                     std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  switch (sum.purpose) {
    case Purpose::statistics:
      std::transform(total.begin(), total.end(), model.server_state.begin(),
                     [](double count) { return std::max(count, 0.0); });
      if (is_private()) {
        keep_popular_items(model);
      }
      ++model.step;
      return {};
    case Purpose::update: {
      const std::span<const double> lanes = is_private() ? std::span<const double>() : total.last(2);
      apply_equations(model, total);
      return !lanes.empty() && lanes[1] > 0 ? Metrics{{"train_loss", lanes[0] / lanes[1]}} : Metrics();
    }
    case Purpose::evaluation:
      break;
  }
  return ranking_metrics(total);
}

void ImplicitFactorization::keep_popular_items(Model& model) const {
  const std::size_t items = options_.items;
  const std::span<const double> counts = std::span(model.server_state).first(items);
  std::vector<std::uint32_t> order(items);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return counts[a] > counts[b]; });
  const double largest = std::max(counts[order[0]], 1.0);
  for (std::size_t place = 0; place < items; ++place) {
    const std::uint32_t item = order[place];
    const std::span<double> vector =
        std::span(model.parameters).subspan(std::size_t{item} * options_.rank, options_.rank);
    if (place >= options_.items_kept || !(counts[item] > 0)) {
      std::fill(vector.begin(), vector.end(), 0.0);
    } else {
      vector[0] = counts[item] / largest;
    }
  }
}

void ImplicitFactorization::apply_equations(Model& model, std::span<const double> total) const {
  const ItemPart now = part(model);
  const std::size_t rank = options_.rank;
  const std::span<const double> gram = total.first(gram_length(now));
  const double customers = model.server_state.back();
  const double largest = *std::max_element(model.server_state.begin(), model.server_state.end() - 1);
  NormalEquations<double> equations(now.unknowns);
  std::vector<double> before(rank);
  for (std::size_t i = 0; i < now.items; ++i) {
    const std::size_t item = now.first_item + i;
    read_item_equations(total.subspan(gram.size() + i * now.item_length(), now.item_length()), equations);
    const std::span<double> vector = std::span(model.parameters).subspan(item * rank, rank);
    std::copy(vector.begin(), vector.end(), before.begin());
    if (is_private() && std::all_of(before.begin(), before.end(), [](double entry) { return entry == 0; })) {
      continue;
    }
    const double pairs = model.server_state[item] + options_.unobserved * customers;
    const double penalty =
        options_.expected_share * options_.l2 * std::pow(std::max(pairs, 1e-3), options_.exponent);
    for (std::size_t a = 0; a < now.unknowns; ++a) {
      double everything = 0;
      for (std::size_t b = 0; b < rank; ++b) {
        everything += gram[a * rank + b] * before[b];
      }
      // With a unit of privacy vectors are held at where counts put them, which is worth more than zero.
      const double held_at =
          is_private() && now.first + a == 0 ? model.server_state[item] / std::max(largest, 1.0) : 0;
      equations.right(a) -= options_.unobserved * everything + penalty * (before[now.first + a] - held_at);
      for (std::size_t b = a; b < now.unknowns; ++b) {
        // Both halves of G were sent; with noise their mean is the better one.
        equations.at(a, b) +=
            options_.unobserved / 2 * (gram[a * rank + now.first + b] + gram[b * rank + now.first + a]);
      }
    }
    if (is_private()) {
      project_to_positive(equations);
    }
    for (std::size_t a = 0; a < now.unknowns; ++a) {
      equations.at(a, a) += penalty;
    }
    if (!equations.solve()) {
      continue;
    }
    for (std::size_t a = 0; a < now.unknowns; ++a) {
      vector[now.first + a] = std::clamp(vector[now.first + a] + equations.right(a), -kFarthest, kFarthest);
    }
  }
  ++model.step;
}

std::vector<NamedArray> ImplicitFactorization::arrays(const Model& model) const {
  return {{.name = "item_factors", .shape = {options_.items, options_.rank}, .values = model.parameters}};
}

std::unique_ptr<Workload> make_implicit_factorization(const Configuration& configuration,
                                                      const WorkloadFacts& facts) {
  if (facts.kind != RowKind::customer) {
    throw bad_input(
        "workload.name=implicit-matrix-factorization needs customers and items: set data.format=ratings");
  }
  const Configuration::WorkloadOptions& workload = configuration.workload;
  if (workload.solver != "gradient" && workload.solver != "als") {
    throw bad_input("workload.solver: implicit-matrix-factorization knows als only; got '" + workload.solver +
                    "'");
  }
  ImplicitFactorization::Options options;
  options.items = facts.width;
  options.rank = workload.rank;
  options.unit = configuration.privacy.unit;
  options.clip = configuration.privacy.clip;
  options.expected_share = expected_share(configuration);
  const TasteSolver::Options taste = taste_options(configuration, facts.width);
  options.l2 = taste.l2;
  options.exponent = taste.exponent;
  options.unobserved = taste.unobserved;
  options.confidence = taste.confidence;
  options.init = number_option(workload.other, "init", options.init);
  options.block = count_option(workload.other, "block", options.block);
  options.entries_per_sum = count_option(workload.other, "entries_per_sum", options.entries_per_sum);
  options.items_per_customer = count_option(workload.other, "items_per_customer", options.items_per_customer);
  options.items_kept = count_option(workload.other, "items_kept", options.items_kept);
  options.factor_bound = number_option(workload.other, "factor_bound", options.factor_bound);
  options.customers_per_unit =
      number_option(workload.other, "customers_per_unit", options.customers_per_unit);
  options.space = facts.space;
  options.seed = configuration.federation.seed;
  auto made = std::make_unique<ImplicitFactorization>(options);
  refuse_turns_of_parts(configuration, made->sums_a_pass());
  return made;
}

}  // namespace hanse
