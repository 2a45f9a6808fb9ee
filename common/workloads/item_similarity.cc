#include "common/workloads/item_similarity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/figure.h"
#include "common/numerics/linear.h"
#include "common/workloads/contribution_accumulator.h"
#include "common/workloads/customer_side.h"
#include "common/workloads/ranking.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

constexpr double kUnclippedCounts = 0x1p12;
constexpr double kUnclippedRanking = 4;  // Six figures and a customer.
constexpr double kRidge = 100;
constexpr double kTieBreaker = 1e-6;  // Of popularity, beside cosines.
constexpr std::size_t kPairsTold = 100;

}  // namespace

ItemSimilarity::ItemSimilarity(Options options) : options_(std::move(options)) {
  if (options_.items == 0) {
    throw bad_input(
        "data.item: no items are left to compare; lower privacy.min_contributors or "
        "workload.kept_at_least, or check the data");
  }
  if (options_.unit == Unit::record) {
    throw bad_input(
        "privacy.unit=record is not possible for item-similarity, because the items of a customer meet in "
        "pairs; set privacy.unit=customer");
  }
  if (options_.items_kept == 0 || options_.neighbours == 0 || options_.items_per_customer == 0 ||
      options_.entries_per_sum < 2 || !(options_.customers_per_unit > 0)) {
    throw bad_input(
        "workload.items_kept, neighbours, items_per_customer, entries_per_sum and customers_per_unit must "
        "be positive for item-similarity");
  }
  if (options_.items_kept > 16384) {
    throw bad_input("workload.items_kept: item-similarity counts all pairs of items, and " +
                    std::to_string(options_.items_kept) + " items are too many: at most 16384");
  }
}

std::size_t ItemSimilarity::cells_per_sum() const {
  return counts_merchants() ? options_.entries_per_sum / 2 : options_.entries_per_sum;
}

ItemSimilarity::Part ItemSimilarity::part(const Model& model) const {
  const std::size_t first = (model.step - 1) * cells_per_sum();
  return {.first = first, .cells = std::min(cells_per_sum(), cells() - first)};
}

/// Of a merchant's cells and their marks: each of at most K (K + 1) / 2 cells counts at most its customers.
double ItemSimilarity::unclipped_norm() const {
  return 2 * power_of_two_above(std::max(options_.train_rows, 1.0) * static_cast<double>(kept() + 1));
}

double ItemSimilarity::noise_deviation() const {
  const double k = options_.items_per_customer;
  return is_private() ? options_.noise_multiplier * std::sqrt(k * (k + 1) / 2) * units_of_customers() : 0;
}

Model ItemSimilarity::initial_model(std::uint64_t) const {
  Model model;
  model.parameters.assign(begin_of_lists() + 2 * kept() * neighbours(), 0.0);
  std::iota(model.parameters.begin() + static_cast<std::ptrdiff_t>(begin_of_kept()),
            model.parameters.begin() + static_cast<std::ptrdiff_t>(begin_of_lists()), 0.0);
  model.server_state.assign(cells(), 0.0);
  return model;
}

std::optional<PrivateSum> ItemSimilarity::next_sum(const Model& model) const {
  PrivateSum sum;
  const double k = options_.items_per_customer;
  if (model.step == 0) {
    sum.name = "item counts";
    sum.purpose = Purpose::statistics;
    sum.length = options_.items + std::size_t{1};
    sum.clip_norm = is_private() ? std::sqrt(k + 1) * units_of_customers() : kUnclippedCounts;
    return sum;
  }
  if (model.step > pair_sums()) {
    return std::nullopt;
  }
  sum.name = "item pairs";
  sum.purpose = Purpose::update;
  sum.length = part(model).cells * (counts_merchants() ? 2 : 1);
  sum.clip_norm = is_private() ? std::sqrt(k * (k + 1) / 2) * units_of_customers() : unclipped_norm();
  sum.without_privacy = Unit::merchant;
  return sum;
}

std::optional<PrivateSum> ItemSimilarity::evaluation_sum(const Model&) const {
  PrivateSum sum;
  sum.name = "test ranks";
  sum.purpose = Purpose::evaluation;
  sum.population = Population::test;
  sum.length = is_private() ? kRankingLength : 2 * kRankingLength - 1;
  sum.clip_norm = is_private() ? kRankingNorm * units_of_customers() : kUnclippedRanking;
  return sum;
}

Contributor ItemSimilarity::contributor(const Model& model, const PrivateSum& sum) const {
  check(model.parameters.size() == begin_of_lists() + 2 * kept() * neighbours(),
        "a model belongs to its workload");
  switch (sum.purpose) {
    case Purpose::statistics:
      return counts_contributor();
    case Purpose::update:
      return pairs_contributor(model);
    case Purpose::evaluation:
      break;
  }
  return ranking_contributor(model);
}

Contributor ItemSimilarity::counts_contributor() const {
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
      scratch->chosen.assign(columns.begin(), columns.end());
      choose_items(columns, most, options_.seed, scratch->chosen);
      for (const std::uint32_t item : scratch->chosen) {
        scratch->counts[item] += 1;
      }
      customers += 1;
    }
    scratch->counts.flush(out);
    if (customers > 0) {
      out.add(options_.items, customers);
    }
  };
}

namespace {

/// Calls use(cell) for each cell of the triangle that lies in [first, first + cells), of these places; increasing.
template <class Use>
void for_each_cell(std::span<const std::uint32_t> places, std::size_t first, std::size_t cells,
                   const Use& use) {
  for (std::size_t a = 0; a < places.size(); ++a) {
    const std::size_t row = triangle_size(places[a]);
    if (row + places[a] < first) {
      continue;
    }
    if (row >= first + cells) {
      return;
    }
    for (std::size_t b = 0; b <= a; ++b) {
      const std::size_t cell = row + places[b];
      if (cell >= first && cell < first + cells) {
        use(cell - first);
      }
    }
  }
}

/// The runs of entries that are not zero, from `first` on.
void add_runs(std::span<const double> entries, std::size_t first, Contribution& out) {
  for (std::size_t begin = 0; begin < entries.size();) {
    std::size_t end = begin;
    while (end < entries.size() && entries[end] != 0) {
      ++end;
    }
    if (end > begin) {
      out.add_block(first + begin, entries.subspan(begin, end - begin));
    }
    begin = end + 1;
  }
}

}  // namespace

Contributor ItemSimilarity::pairs_contributor(const Model& model) const {
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Scratch {
    std::vector<std::uint32_t> place_of;  // Of a column among those kept.
    std::vector<std::uint32_t> columns;
    std::vector<std::uint32_t> places;
    std::vector<double> cells;
  };
  const auto scratch = std::make_shared<Scratch>();
  scratch->place_of.assign(options_.items, kNone);
  for (std::uint32_t place = 0; const std::uint32_t item : kept_items(model)) {
    scratch->place_of[item] = place++;
  }
  const Part now = part(model);
  const auto places_of = [this, scratch](const SparseRow& row) -> std::span<const std::uint32_t> {
    Scratch& s = *scratch;
    s.columns.clear();
    for (const std::uint32_t column : row.columns.first(known_items(row, options_.items))) {
      if (s.place_of[column] != kNone) {
        s.columns.push_back(s.place_of[column]);
      }
    }
    s.places = s.columns;
    if (is_private()) {
      choose_items(s.columns, options_.items_per_customer, options_.seed, s.places);
    }
    return s.places;
  };
  return [this, scratch, now, places_of](const UnitRows& unit, Contribution& out) {
    if (unit.train.size() == 1 && !counts_merchants()) {  // Its cells come in order.
      for_each_cell(places_of(unit.train.row(0)), now.first, now.cells,
                    [&](std::size_t cell) { out.add(cell, 1); });
      return;
    }
    std::vector<double>& cells = scratch->cells;
    cells.assign(unit.train.empty() ? 0 : now.cells, 0.0);
    for (std::size_t r = 0; r < unit.train.size(); ++r) {
      for_each_cell(places_of(unit.train.row(r)), now.first, now.cells,
                    [&](std::size_t cell) { cells[cell] += 1; });
    }
    add_runs(cells, 0, out);
    if (counts_merchants()) {
      std::ranges::transform(cells, cells.begin(), [](double count) { return count > 0 ? 1.0 : 0.0; });
      add_runs(cells, now.cells, out);
    }
  };
}

std::vector<std::uint32_t> ItemSimilarity::kept_items(const Model& model) const {
  std::vector<std::uint32_t> items;
  for (const double item : std::span(model.parameters).subspan(begin_of_kept(), kept())) {
    items.push_back(static_cast<std::uint32_t>(item));
  }
  return items;
}

NeighbourLists ItemSimilarity::lists(const Model& model) const {
  NeighbourLists lists{.count = neighbours(), .sources = {}, .weights = {}};
  const std::size_t entries = kept() * lists.count;
  for (const double source : std::span(model.parameters).subspan(begin_of_lists(), entries)) {
    lists.sources.push_back(static_cast<std::uint32_t>(source));
  }
  const auto weights = std::span(model.parameters).last(entries);
  lists.weights.assign(weights.begin(), weights.end());
  return lists;
}

Contributor ItemSimilarity::ranking_contributor(const Model& model) const {
  struct Scratch {
    NeighbourScores scores;
    std::vector<float> popularity;
  };
  const auto floats = [&](std::size_t begin) {
    const auto part = std::span(model.parameters).subspan(begin, options_.items);
    return std::vector<float>(part.begin(), part.end());
  };
  const auto scratch = std::make_shared<Scratch>(
      Scratch{NeighbourScores(lists(model), kept_items(model), floats(begin_of_offsets())), floats(0)});
  return [this, scratch](const UnitRows& unit, Contribution& out) {
    double total[2 * kRankingLength - 1] = {};
    for_each_tested_customer(unit, [&](const SparseRow& seen, const SparseRow& wanted) {
      const auto add = [&](std::span<const float> scores, double* figures) {
        const RankingQuality quality = rank_items(scores, seen.columns, wanted.columns);
        figures[0] += quality.ndcg_10;
        figures[1] += quality.recall_20;
        figures[2] += quality.hit_rate_10;
      };
      add(scratch->scores.of(seen.columns), total);
      total[3] += 1;
      if (!is_private()) {
        add(scratch->popularity, total + kRankingLength);
      }
    });
    if (total[3] > 0) {
      out.add_block(0, std::span(total).first(is_private() ? kRankingLength : 2 * kRankingLength - 1));
    }
  };
}

Metrics ItemSimilarity::apply(Model& model, const PrivateSum& sum, std::span<const double> total) const {
  check(total.size() == sum.length, "a total is as long as its sum");
  switch (sum.purpose) {
    case Purpose::statistics:
      std::ranges::transform(total, model.parameters.begin(),
                             [](double count) { return std::max(count, 0.0); });
      keep_items(model);
      find_offsets(model, {});
      ++model.step;
      return {};
    case Purpose::update:
      take_cells(model, total);
      if (model.step == pair_sums()) {
        solve(model);
      }
      ++model.step;
      return {};
    case Purpose::evaluation:
      break;
  }
  Metrics metrics = ranking_metrics(total.first(kRankingLength));
  if (!is_private()) {
    const double by_popularity[] = {total[4], total[5], total[6], total[3]};
    for (const auto& [name, value] : ranking_metrics(by_popularity)) {
      metrics[name + "_popularity"] = value;
    }
  }
  return metrics;
}

void ItemSimilarity::keep_items(Model& model) const {
  std::vector<std::uint32_t> order(options_.items);
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(
      order, [&](std::uint32_t a, std::uint32_t b) { return model.parameters[a] > model.parameters[b]; });
  order.resize(kept());
  std::ranges::sort(order);
  std::ranges::copy(order, model.parameters.begin() + static_cast<std::ptrdiff_t>(begin_of_kept()));
}

void ItemSimilarity::take_cells(Model& model, std::span<const double> total) const {
  const Part now = part(model);
  const auto merchants = total.subspan(counts_merchants() ? now.cells : 0);
  for (std::size_t cell = 0; cell < now.cells; ++cell) {
    const bool hidden = counts_merchants() && merchants[cell] < options_.min_contributors;
    model.server_state[now.first + cell] = hidden ? 0 : total[cell];
  }
}

/// The triangle of X^T X for X with centred columns.
std::vector<double> ItemSimilarity::covariances(const Model& model) const {
  std::vector<double> cells = model.server_state;
  const auto count = [&](std::size_t i) { return model.server_state[triangle_size(i) + i]; };
  const double customers = std::max(model.parameters[options_.items], 1.0);
  for (std::size_t i = 0; i < kept(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double& cell = cells[triangle_size(i) + j];
      const bool hidden = counts_merchants() && cell == 0;
      cell -= hidden ? 0 : count(i) * count(j) / customers;
    }
  }
  return cells;
}

void ItemSimilarity::solve(Model& model) const {
  const double noise = noise_deviation();
  const double spread = 2 * noise * std::sqrt(static_cast<double>(kept()));
  const bool ease = options_.kind == Kind::ease;
  const std::vector<double> weights =
      ease ? ease_weights(covariances(model), kept(), (options_.l2 > 0 ? options_.l2 : kRidge) + spread)
           : cosine_weights(model.server_state, kept(), options_.l2 + 2 * noise, 2 * noise);
  const NeighbourLists found = strongest_neighbours(weights, kept(), neighbours());
  auto out = model.parameters.begin() + static_cast<std::ptrdiff_t>(begin_of_lists());
  out = std::ranges::copy(found.sources, out).out;
  std::ranges::copy(found.weights, out);
  find_offsets(model, found);
}

/// What a customer without any item gives each: as popular as it is, less what its neighbours account for. Of pairs that were counted,
/// the diagonal tells popularity; with noise better than the counts before them do.
void ItemSimilarity::find_offsets(Model& model, const NeighbourLists& lists) const {
  const double customers = std::max(model.parameters[options_.items], 1.0);
  const bool ease = options_.kind == Kind::ease;
  const std::span<double> offsets = std::span(model.parameters).subspan(begin_of_offsets(), options_.items);
  const std::vector<std::uint32_t> items = kept_items(model);
  std::vector<double> counts(model.parameters.begin(), model.parameters.begin() + options_.items);
  if (model.step == pair_sums()) {
    for (std::size_t place = 0; place < items.size(); ++place) {
      counts[items[place]] = std::max(model.server_state[triangle_size(place) + place], 0.0);
    }
  }
  for (std::size_t item = 0; item < options_.items; ++item) {
    offsets[item] = (ease ? 1 : kTieBreaker) * counts[item] / customers;
  }
  for (std::size_t at = 0; ease && at < lists.weights.size(); ++at) {
    offsets[items[at / lists.count]] -= lists.weights[at] * counts[items[lists.sources[at]]] / customers;
  }
}

std::vector<NamedArray> ItemSimilarity::arrays(const Model& model) const {
  const auto part = [&](std::size_t begin, std::size_t count) {
    const auto span = std::span(model.parameters).subspan(begin, count);
    return std::vector<double>(span.begin(), span.end());
  };
  const std::size_t entries = kept() * neighbours();
  return {{.name = "item_counts", .shape = {options_.items}, .values = part(0, options_.items)},
          {.name = "customers", .shape = {1}, .values = part(options_.items, 1)},
          {.name = "offsets", .shape = {options_.items}, .values = part(begin_of_offsets(), options_.items)},
          {.name = "kept_items", .shape = {kept()}, .values = part(begin_of_kept(), kept())},
          {.name = "neighbours", .shape = {kept(), neighbours()}, .values = part(begin_of_lists(), entries)},
          {.name = "neighbour_weights",
           .shape = {kept(), neighbours()},
           .values = part(begin_of_lists() + entries, entries)}};
}

Insights ItemSimilarity::insights(const Model& model) const {
  if (model.step <= pair_sums()) {
    return {.sentences = {"The run ended before all pairs of items were counted: items are ranked by their "
                          "popularity alone."},
            .tables = {}};
  }
  struct Pair {
    std::size_t a, b;
    double both, cosine, lift;
  };
  const std::span<const double> g = model.server_state;
  const auto count = [&](std::size_t i) { return std::max(g[triangle_size(i) + i], 1.0); };
  const double customers = std::max(model.parameters[options_.items], 1.0);
  const double of_noise = noise_deviation() * std::sqrt(2 * std::log(static_cast<double>(cells()) + 1));
  const double support = std::max(options_.min_support, of_noise);
  std::vector<Pair> pairs;
  for (std::size_t a = 0; a < kept(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const double both = g[triangle_size(a) + b];
      const double of_both = std::max(count(a), both) * std::max(count(b), both);  // Noise may say less.
      const double by_chance = of_both / customers;
      if (both >= support && both > by_chance + of_noise) {
        pairs.push_back({a, b, both, both / std::sqrt(of_both), both / by_chance});
      }
    }
  }
  std::ranges::stable_sort(pairs, [](const Pair& a, const Pair& b) { return a.lift > b.lift; });
  const std::vector<std::uint32_t> items = kept_items(model);
  const auto label = [&](std::size_t place) {
    const std::uint32_t item = items[place];
    return item < options_.names.size() ? options_.names[item] : "item " + std::to_string(item);
  };
  InsightTable table{.name = "bought_together",
                     .title = "Bought together",
                     .columns = {"item", "together with", "customers", "cosine", "lift"},
                     .rows = {}};
  for (const Pair& pair : std::span(pairs).first(std::min(pairs.size(), kPairsTold))) {
    table.rows.push_back({label(pair.a), label(pair.b), std::round(pair.both), pair.cosine, pair.lift});
  }
  std::string told = std::to_string(pairs.size()) + " of " + std::to_string(cells() - kept()) +
                     " pairs of items are together at " + figure(std::round(support)) +
                     " customers or more, and more often than by chance.";
  if (of_noise > options_.min_support) {
    told +=
        " Below that, noise of deviation " + rough_figure(noise_deviation()) + " alone may have made a pair.";
  }
  return {.sentences = {std::move(told),
                        "Lift is how many times more often a pair is at one customer than if its items had "
                        "nothing to do with each other."},
          .tables = {std::move(table)}};
}

namespace {

/// "product_category=EGGS" as "EGGS": all items come from one column.
std::vector<std::string> item_names(const FeatureSpace& space) {
  std::vector<std::string> names = space.names;
  const std::string column = space.sparse_ranges.empty() ? "" : space.sparse_ranges.front().name + "=";
  for (std::string& name : names) {
    if (column.size() > 1 && name.starts_with(column)) {
      name.erase(0, column.size());
    }
  }
  return names;
}

void refuse_repetition(const Configuration& configuration) {
  const Configuration::Privacy& privacy = configuration.privacy;
  if (privacy.turns > 1 || privacy.adaptive_clip || privacy.sampling_rate < 1) {
    throw bad_input(
        "workload.name=item-similarity counts every customer once: leave out privacy.turns, "
        "privacy.adaptive_clip and privacy.sampling_rate");
  }
  if (privacy.unit == Unit::none && configuration.aggregation.ring == "32") {
    throw bad_input(
        "aggregation.ring=32 has too few digits for exact counts of pairs without a unit of privacy: "
        "leave it at auto");
  }
}

}  // namespace

std::unique_ptr<Workload> make_item_similarity(const Configuration& configuration,
                                               const WorkloadFacts& facts) {
  if (facts.kind != RowKind::customer) {
    throw bad_input("workload.name=item-similarity needs customers and items: set data.format=ratings");
  }
  refuse_repetition(configuration);
  const OtherOptions& other = configuration.workload.other;
  ItemSimilarity::Options options;
  options.items = facts.width;
  options.names = item_names(facts.space);
  const auto model = other.find("model");
  options.kind = model != other.end() && model->second == "cosine" ? ItemSimilarity::Kind::cosine
                                                                   : ItemSimilarity::Kind::ease;
  options.unit = configuration.privacy.unit;
  options.l2 = configuration.workload.l2;
  options.items_kept =
      count_option(other, "items_kept", options.unit == Unit::none ? options.items_kept : 256u);
  options.neighbours = count_option(other, "neighbours", options.neighbours);
  options.entries_per_sum = count_option(other, "entries_per_sum", options.entries_per_sum);
  options.min_contributors = facts.merchants > 1 ? configuration.privacy.min_contributors : 1;
  options.items_per_customer = count_option(other, "items_per_customer", options.items_per_customer);
  options.customers_per_unit = number_option(other, "customers_per_unit", options.customers_per_unit);
  options.noise_multiplier = facts.update_noise;
  options.train_rows = facts.train_rows;
  options.min_support = number_option(other, "min_support", options.min_support);
  options.seed = configuration.federation.seed;
  auto made = std::make_unique<ItemSimilarity>(std::move(options));
  // Before training, when nobody has counted rows, hashed items are not thinned out yet.
  if (facts.train_rows > 1 && made->pair_sums() > configuration.federation.rounds) {
    throw bad_input("federation.rounds: the pairs of items take " + std::to_string(made->pair_sums()) +
                    " sums, and there are " + std::to_string(configuration.federation.rounds) +
                    " rounds; set it to that, raise workload.entries_per_sum or lower workload.items_kept");
  }
  return made;
}

}  // namespace hanse
