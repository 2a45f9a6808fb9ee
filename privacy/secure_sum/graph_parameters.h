#pragma once

#include <cstdint>
#include <optional>

#include "common/base/result.h"
#include "privacy/secure_sum/neighbours.h"

namespace hanse {

struct Configuration;

/// Probability that the masks of some merchant are not safe, and that a round finds too few holders, in bits:
/// 2^-40 and 2^-20.
inline constexpr double kGraphSecurityBits = 40;
inline constexpr double kGraphFailureBits = 20;

/// Who holds shares of a merchant's secrets: the k neighbours and itself, as here, or the neighbours alone, as
/// in the published bound, which also counts them as drawn from all N merchants instead of the N - 1 others.
enum class ShareHolders { neighbours_and_self, neighbours };

/// N merchants on a ring in a uniformly random order, each masking with the k / 2 next on either side; C of
/// them collude with the coordinator, D drop out of a round or are not invited to it.
struct RingAssumptions {
  std::uint32_t merchants = 0;
  std::uint32_t corrupt = 0;
  std::uint32_t missing = 0;
  ShareHolders holders = ShareHolders::neighbours_and_self;
};
/// k neighbours each, and t holders that open a secret.
struct RingParameters {
  std::uint32_t neighbours = 0;
  std::uint32_t threshold = 0;
  friend bool operator==(const RingParameters&, const RingParameters&) = default;
};

/// Upper bounds, as log2 of probabilities, of the three ways in which (k, t) can fail (Bell et al. 2020,
/// secure aggregation with (poly)logarithmic overhead). With h holders of a secret, and X(M, m, k) the number
/// of marked ones among k drawn without replacement from M of which m are marked:
///
///   split view     N P[X(N-1, C, k) >= 2t - h]: so many corrupt holders of one merchant, together with two
///                  halves of the honest ones that are told opposite stories, open both of its secrets;
///   disconnection  N (N-k-1) / 2 P[k given merchants are all corrupt or missing]: two gaps of k / 2 cut the
///                  ring in two, whose sums would each be seen;
///   too few        N P[X(N-1, N-D, k) < t]: fewer holders are left than open the secret of a merchant that
///                  is missing itself.
///
/// The last two count who drops out as chance. A coordinator that says of whom it likes that they dropped has less
/// room than D: a merchant stays only as long as t holders of its secrets do, so at most h - t of its
/// neighbours can be taken from it, and a gap beside it needs k / 2 - (h - t) corrupt ones in a row besides.
struct RingRisks {
  double split_view = 0;
  double disconnection = 0;
  double too_few = 0;
};
RingRisks risks_of(const RingAssumptions& assumed, const RingParameters& ring);

/// The smallest even k below N - 1, with the smallest t, whose split views and disconnections together stay
/// below 2^-40 and that finds too few holders at most with 2^-20; nothing when there is none.
std::optional<RingParameters> find_ring(const RingAssumptions& assumed);

/// What is assumed of the merchants and wished of their graph: the keys of [aggregation], and
/// federation.cohort. Who is not invited to a round counts as missing.
struct GraphWishes {
  double corrupt = 0.1;    ///< Fraction of merchants assumed to collude with the coordinator, [0, 1).
  double dropouts = 0.05;  ///< Fraction of those invited assumed to drop out of a round, [0, 1).
  double cohort = 1;       ///< Fraction of merchants invited to a round, (0, 1].
  std::uint32_t neighbours =
      0;  ///< k; 0: all up to kCompleteGraphMax merchants, beyond as many as are needed.
  std::uint32_t threshold = 0;  ///< t; 0: as needed, and two thirds of the holders, plus one, when all are.
  friend bool operator==(const GraphWishes&, const GraphWishes&) = default;
};

/// The wishes of a configuration.
GraphWishes graph_wishes(const Configuration& configuration);

/// How the merchants of a session mask and share.
struct SessionGraph {
  std::uint32_t neighbours = 0;  ///< Of each merchant; merchants - 1: all.
  ThresholdRule threshold;
  bool complete(std::uint32_t merchants) const { return neighbours + 1 >= merchants; }
};

/// The graph of `merchants` (at least 2). A function of its arguments alone: coordinator and workers derive it
/// from their own configurations. Wishes that do not keep what is assumed are an error, never mended: one
/// sentence with the key, which of the three conditions fails, and the nearest numbers that hold.
Result<SessionGraph> plan_graph(std::uint32_t merchants, const GraphWishes& wishes);

/// Why these wishes cannot be kept by many merchants, or nothing: what can be said before it is known how many
/// there are.
std::optional<Error> fault_of(const GraphWishes& wishes);

}  // namespace hanse
