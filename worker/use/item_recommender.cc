#include "worker/use/item_recommender.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "common/base/failure.h"
#include "common/workloads/item_neighbours.h"
#include "common/workloads/matrix_factorization.h"
#include "common/workloads/taste_solver.h"
#include "common/workloads/workload_options.h"

namespace hanse {
namespace {

std::vector<float> to_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

/// The numbers of an array as indices below `end`.
std::vector<std::uint32_t> indices_of(const AppliedModel& model, const std::string& name, std::size_t values,
                                      std::size_t end) {
  std::vector<std::uint32_t> indices;
  for (const double value : model.array(name, values).values) {
    if (!(value >= 0 && value < static_cast<double>(end) && value == std::floor(value))) {
      throw bad_input(model.origin + " is malformed: array '" + name + "' points at items that it has not");
    }
    indices.push_back(static_cast<std::uint32_t>(value));
  }
  return indices;
}

ItemRecommender by_similarity(const AppliedModel& model) {
  const std::size_t items = model.published.columns.size();
  const NamedArray* kept = model.published.find("kept_items");
  const NamedArray* neighbours = model.published.find("neighbours");
  if (kept == nullptr || neighbours == nullptr || neighbours->shape.size() != 2) {
    throw bad_input(model.origin + " has no neighbours of items");
  }
  const std::size_t places = kept->values.size();
  NeighbourLists lists{.count = neighbours->shape[1], .sources = {}, .weights = {}};
  lists.sources = indices_of(model, "neighbours", places * lists.count, places);
  lists.weights = model.array("neighbour_weights", places * lists.count).values;
  const auto scores = std::make_shared<NeighbourScores>(lists, indices_of(model, "kept_items", places, items),
                                                        to_floats(model.array("offsets", items).values));
  return {.scores = [scores](const SparseRow& own) { return scores->of(own.columns); },
          .reasons = [scores](const SparseRow& own,
                              std::uint32_t item) { return scores->reasons(own.columns, item); }};
}

ItemRecommender by_taste(const AppliedModel& model) {
  struct Taste {
    TasteSolver solver;
    std::vector<float> scores;
  };
  const auto items = static_cast<std::uint32_t>(model.published.columns.size());
  const TasteSolver::Options options = taste_options(model.configuration, items);
  const NamedArray& factors = model.array("item_factors", std::size_t{items} * options.rank);
  const auto taste = std::make_shared<Taste>(Taste{TasteSolver(factors.values, options), {}});
  return {.scores = [taste](const SparseRow& own) -> std::span<const float> {
            const std::span<const float> customer = taste->solver.solve(own);
            taste->scores.resize(taste->solver.items());
            for (std::size_t item = 0; item < taste->scores.size(); ++item) {
              taste->scores[item] = taste->solver.score(customer, item);
            }
            return taste->scores;
          },
          .reasons = [taste](const SparseRow& own,
                             std::uint32_t item) { return taste->solver.reasons(own, item); }};
}

/// The customer's ratings are folded in with the items' factors fixed, as the merchant does in training.
ItemRecommender by_ratings(const AppliedModel& model) {
  struct Ratings {
    CustomerSide side;
    std::vector<float> scores;
  };
  const std::size_t items = model.published.columns.size();
  const Configuration::WorkloadOptions& workload = model.configuration.workload;
  const MatrixFactorization::Options usual;
  const CustomerSide::Penalties penalties{.factors = workload.l2 > 0 ? workload.l2 : usual.l2,
                                          .bias = number_option(workload.other, "l2_bias", usual.l2_bias)};
  const std::size_t rank = workload.rank;
  const std::vector<double>& biases = model.array("item_biases", items).values;
  const std::vector<double>& factors = model.array("item_factors", items * rank).values;
  std::vector<double> parameters = {model.array("mean_rating", 1).values[0]};
  for (std::size_t item = 0; item < items; ++item) {
    parameters.push_back(biases[item]);
    const auto first = factors.begin() + static_cast<std::ptrdiff_t>(item * rank);
    parameters.insert(parameters.end(), first, first + static_cast<std::ptrdiff_t>(rank));
  }
  const auto ratings =
      std::make_shared<Ratings>(Ratings{CustomerSide(parameters, workload.rank, penalties), {}});
  return {.scores = [ratings](const SparseRow& own) -> std::span<const float> {
            const std::span<const double> customer = ratings->side.solve(own);
            ratings->scores.resize(ratings->side.items());
            for (std::uint32_t item = 0; item < ratings->scores.size(); ++item) {
              ratings->scores[item] = static_cast<float>(-ratings->side.error(customer, item, 0));
            }
            return ratings->scores;
          },
          .reasons = {}};
}

}  // namespace

ItemRecommender item_recommender(const AppliedModel& model) {
  const std::string& name = model.workload();
  if (name == "item-similarity") {
    return by_similarity(model);
  }
  if (name == "implicit-matrix-factorization") {
    return by_taste(model);
  }
  if (name == "matrix-factorization") {
    return by_ratings(model);
  }
  throw bad_input(model.origin + " is a model of " + name +
                  ", and items are recommended by item-similarity, matrix-factorization and "
                  "implicit-matrix-factorization" +
                  (model.configuration.data.format == "ratings" ? "" : ": use hanse predict"));
}

std::vector<Recommendation> best_items(std::span<const float> scores, const SparseRow& own, std::size_t most,
                                       const std::vector<bool>& hidden) {
  std::vector<Recommendation> found;
  for (std::uint32_t item = 0; item < scores.size(); ++item) {
    if (std::isfinite(scores[item]) && (hidden.empty() || !hidden[item]) &&
        !std::ranges::binary_search(own.columns, item)) {
      found.push_back({item, scores[item]});
    }
  }
  most = std::min(most, found.size());
  std::ranges::partial_sort(found, found.begin() + static_cast<std::ptrdiff_t>(most),
                            [](const Recommendation& a, const Recommendation& b) {
                              return a.score > b.score || (a.score == b.score && a.item < b.item);
                            });
  found.resize(most);
  return found;
}

}  // namespace hanse
