#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/numerics/belief_network.h"
#include "common/workloads/facts.h"
#include "common/workloads/marked_cells.h"
#include "common/workloads/test_rows.h"
#include "common/workloads/workload.h"

namespace hanse {

/// What goes with what, and what if? A Bayesian network of the categorical columns and, where there is one, of the label 0 or
/// 1 (Pearl 1988), by one private sum of tables of counts:
///
///   given structure   for each variable v the table N(parents of v, v);   P(v | parents) = (N + a) / (sum over v of N + a k)
///   learnt            the tables N(u, v) of all pairs; the tree of greatest mutual information
///                     I(u; v) = sum p(u,v) ln p(u,v) / p(u) p(v), the likeliest of all trees (Chow and Liu 1968), with
///                     workload.target at its root, and P as before along its edges
///
/// for k values of v and a = workload.smoothing. workload.structure = buys:month,visitor; visitor:month says that buys has the
/// parents month and visitor, and visitor the parent month; variables that it does not name have none.
///
/// A row adds 1 to one cell of each of the T tables whose variables it has all, so that the norm of a row's vector is at most
/// sqrt T, and just that where nothing is missing: that is the sensitivity with Unit::record, nothing is ever clipped, and
/// privacy.clip has no use. Vectors of customers and merchants, of several rows, are scaled down to norm C where they are
/// longer: a unit that comes or goes moves the sum by at most C = privacy.clip, otherwise 8 sqrt T for a customer and
/// 256 sqrt T for a merchant. Natural unit: the record.
/// With noise each table is projected to the simplex of its own sum (common/numerics/distributions.h); the distribution of the
/// tree's root is the mean of its tables'. Without a unit of privacy counts are exact.
///
/// Figures of test rows that lack no value: workload.target (otherwise the label, or the first column) foreseen from all others
/// gives test_accuracy, test_accuracy_base (its most frequent value always) and test_loss, the mean of -ln P(target | others);
/// test_joint_loss is the mean of -ln P(row). Norm of one: (hit, base hit, loss / 16, joint loss / 64, 1), at most sqrt 5.
///
/// Layout of the parameters: the tables as released, one after the other, each row-major by its variables: parents in their
/// order and then the variable; of pairs (u, v) with u < v, in this order.
class BayesianNetwork final : public Workload {
 public:
  struct Variable {
    std::string name;
    std::vector<std::string> words;
    std::uint32_t first = 0;  ///< Column of the first word.
    bool is_label = false;
  };
  struct Options {
    std::vector<Variable> variables;  ///< By increasing column; the label is last.
    std::optional<std::vector<std::vector<std::size_t>>>
        parents;  ///< Of each, without a cycle; nothing: a tree is learnt.
    std::size_t target = 0;
    double smoothing = 0.1;
    Unit unit = Unit::none;  ///< Of privacy.
    double clip = 0;         ///< 0: the unit's own.
    double noise = 0;        ///< Noise multiplier.
    double train_rows = 1;
    std::uint32_t min_contributors =
        1;  ///< Merchants of a cell, without a unit of privacy (common/workloads/marked_cells.h).
    TestRows test;
  };
  explicit BayesianNetwork(Options options);

  std::string_view name() const override { return "bayesian-network"; }
  Unit natural_unit() const override { return Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  /// "variables" (first column, or -1 for the label, and number of words of each), "parents" (1 where the column is a parent of
  /// the row) and "table_0", "table_1", ...: P of each variable, whose parents come in increasing order.
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;
  /// The logit of the label 1, given all else.
  RowScorer scorer(const Model& model) const override;

  BeliefNetwork network(const Model& model) const;

 private:
  struct Table {
    std::vector<std::size_t> variables;
    std::size_t begin = 0;
    std::size_t size = 1;
  };
  bool exact() const { return options_.unit == Unit::none; }
  MarkedCells cells() const { return {length(), exact() ? options_.min_contributors : 1}; }
  std::size_t length() const { return tables_.back().begin + tables_.back().size; }
  double clip_norm() const;
  void read_row(const Rows& rows, std::size_t i, std::vector<std::size_t>& values) const;
  Contributor test_contributor(const Model& model, const PrivateSum& sum) const;
  std::vector<double> counts_of(const Model& model, const Table& table) const;
  std::vector<std::size_t> learnt_tree(const Model& model, std::vector<double>& information) const;
  std::vector<double> pair_counts(const Model& model, std::size_t parent, std::size_t child) const;
  std::vector<double> root_counts(const Model& model, std::size_t root) const;
  InsightTable probability_table(const Model& model, const BeliefNetwork& network,
                                 std::size_t variable) const;

  Options options_;
  std::vector<Table> tables_;
};

/// As [workload], [data] and [privacy] ask for it. Throws bad_input naming the key.
std::unique_ptr<Workload> make_bayesian_network(const Configuration& configuration,
                                                const WorkloadFacts& facts);

}  // namespace hanse
