#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/workloads/facts.h"
#include "common/workloads/marked_cells.h"
#include "common/workloads/test_rows.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Where does a customer go next? A Markov chain of states (pages of a session, brands bought one after the other), by one
/// private sum of transition counts (Markov 1906; the maximum likelihood estimator of Anderson and Goodman 1957):
///
///   N_ij = number of times that state j came right after state i,      P_ij = (N_ij + a) / (sum_j N_ij + a n)
///
/// for n states and a = workload.smoothing, so that what was never seen is rare and not impossible. A state is a word of the only
/// categorical column; a sequence is the training rows of one customer at one merchant, by data.time or in the order of the
/// file. From and to a row without a state no transition is counted. With workload.ends there is one state more, `outside`,
/// from which every sequence comes and to which it goes: it is where sessions begin and end.
///
/// A unit contributes its counts. Sensitivity: a unit's vector is scaled down to norm C where it is longer, so a unit that comes
/// or goes moves the sum by at most C. A customer of m transitions has norm m at most, when all of them are alike, and sqrt m
/// when no two are. Natural unit: the customer; a single row has no transition, so Unit::record is refused. C = privacy.clip,
/// otherwise 4 for a customer and 64 for a merchant.
/// With noise each row of N is projected to the simplex of its own sum (common/numerics/distributions.h). Without a unit of
/// privacy merchants' vectors are added, nothing is clipped, counts are exact, and transitions of fewer than min_contributors
/// merchants count as none (common/workloads/marked_cells.h).
///
/// Of P follow
///   pi       the stationary distribution: shares of states in the long run. `outside` is left out of it.
///   steps    to workload.target, expected from each state; passing `outside` is a step. With workload.ends also the
///            probability of reaching the target before leaving.
/// and the next state is foreseen as the likeliest after the last. Figures over transitions of test rows: test_accuracy,
/// test_accuracy_base (always the state that follows most often) and test_loss, the mean of -ln P. Test sequences are the
/// test rows of a customer; without workload.ends its last training row comes before them. To hold back whole sequences write
/// data.test = customers:FRACTION.
///
/// Norm of one test transition: (hit, base hit, min(-ln P, 16) / 16, 1), at most 2.
///
/// Layout of the parameters: N as released, row-major, `outside` last.
class MarkovChain final : public Workload {
 public:
  struct Options {
    std::uint32_t first = 0;          ///< Column of the first state.
    std::vector<std::string> states;  ///< Their words, one a column.
    bool ends = false;
    std::optional<std::size_t> target;  ///< Index of a state; states.size() is `outside`.
    double smoothing = 0.1;             ///< Positive.
    Unit unit = Unit::none;             ///< Of privacy.
    double clip = 0;                    ///< 0: the unit's own.
    double noise = 0;                   ///< Noise multiplier.
    double train_rows = 1;
    std::uint32_t min_contributors = 1;  ///< Merchants of a transition, without a unit of privacy.
    TestRows test;
  };
  explicit MarkovChain(Options options);

  std::string_view name() const override { return "markov-chain"; }
  Unit natural_unit() const override { return Unit::customer; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;

  /// P, row-major. No step leads from `outside` to itself.
  std::vector<double> transitions(const Model& model) const;

 private:
  MarkedCells cells() const { return {size() * size(), exact() ? options_.min_contributors : 1}; }
  bool exact() const { return options_.unit == Unit::none; }
  std::size_t size() const { return options_.states.size() + (options_.ends ? 1u : 0u); }
  double clip_norm() const;
  std::size_t state_of(const SparseRow& row) const;
  /// Calls use(from, to) for each transition of each customer in `rows`, with their states before them, if any.
  template <class Use>
  void for_each_transition(const Rows& before, const Rows& rows, const Use& use) const;
  std::string name_of_state(std::size_t state) const;
  Contributor test_contributor(const Model& model, const PrivateSum& sum) const;
  InsightTable state_table(const Model& model, const std::vector<double>& chain) const;
  InsightTable transition_table(const Model& model, const std::vector<double>& chain) const;
  double noise_bound() const;
  std::vector<double> long_run(const std::vector<double>& chain) const;

  Options options_;
};

/// As [workload] and [privacy] ask for it. Throws bad_input naming the key.
std::unique_ptr<Workload> make_markov_chain(const Configuration& configuration, const WorkloadFacts& facts);

}  // namespace hanse
