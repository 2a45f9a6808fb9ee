#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hanse {

/// A Bayesian network of discrete variables (Pearl 1988): P(x) = product over variables v of P(x_v | x of v's parents).
struct BeliefNetwork {
  struct Variable {
    std::string name;
    std::vector<std::string> words;    ///< Its values.
    std::vector<std::size_t> parents;  ///< Indices of variables.
    /// P(value | parents), row-major by the parents in their order, then the value.
    std::vector<double> table = {};
  };
  std::vector<Variable> variables;

  std::size_t size_of(std::size_t variable) const { return variables[variable].words.size(); }
  /// Configurations of its parents: rows of its table.
  std::size_t rows_of(std::size_t variable) const;
  /// The row of its table where all variables have these values.
  std::size_t row_of(std::size_t variable, std::span<const std::size_t> values) const;
  /// P(value of `variable` | its parents) where all variables have these values.
  double factor(std::size_t variable, std::span<const std::size_t> values) const;
};

/// A value of each variable that is known.
using Evidence = std::vector<std::optional<std::size_t>>;

/// Variables in an order in which parents come first; nothing when there is a cycle.
std::optional<std::vector<std::size_t>> parents_first(const BeliefNetwork& network);

/// P(target | evidence), exactly, by elimination of the other variables, the one that makes the smallest table first (Zhang
/// and Poole 1996). Nothing when the evidence has probability 0. Throws bad_input when a table on the way would have more
/// than 2^24 entries.
std::optional<std::vector<double>> posterior(const BeliefNetwork& network, std::size_t target,
                                             const Evidence& evidence);

/// P(target | all others), where all have a value; that of the target itself does not matter. Uniform where the others have
/// probability 0.
std::vector<double> given_all_others(const BeliefNetwork& network, std::size_t target,
                                     std::vector<std::size_t> values);

/// Mutual information in nats of two variables by a table of their probabilities, row-major.
double mutual_information(std::span<const double> joint, std::size_t rows, std::size_t columns);

/// The tree of greatest weight over `nodes` nodes (Prim 1957): the parent of each node, its own index for `root`. weights[i *
/// nodes + j] is that of the edge between i and j; of equal edges the first is taken.
std::vector<std::size_t> maximum_spanning_tree(std::span<const double> weights, std::size_t nodes,
                                               std::size_t root);

}  // namespace hanse
