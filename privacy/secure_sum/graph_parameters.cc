#include "privacy/secure_sum/graph_parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/config/configuration.h"

namespace hanse {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
/// More than the rounding of a bound can be, in bits.
constexpr double kRounding = 1e-9;
/// The two ways to lose secrecy share its probability evenly.
constexpr double kSecurityEach = kGraphSecurityBits + 1;

/// Sums of logarithms of factorials, as log2 of probabilities.
class Tails {
 public:
  explicit Tails(std::uint32_t population) : log_factorial_(population + 1) {
    long double sum = 0;
    for (std::uint32_t i = 1; i <= population; ++i) {
      sum += std::log2(static_cast<long double>(i));
      log_factorial_[i] = static_cast<double>(sum);
    }
  }

  double choose(std::uint32_t n, std::uint32_t k) const {
    return log_factorial_[n] - log_factorial_[k] - log_factorial_[n - k];
  }

  /// An upper bound of log2 P[X(population, marked, drawn) >= least], X hypergeometric. Up to the mean it is 0.
  double at_least(std::uint32_t population, std::uint32_t marked, std::uint32_t drawn,
                  std::uint32_t least) const {
    const std::uint32_t most = std::min(marked, drawn);
    if (std::uint64_t{least} * population <= std::uint64_t{marked} * drawn) {
      return 0;
    }
    if (least > most) {
      return kNever;
    }
    // Beyond the mean the terms only fall.
    const double first = term(population, marked, drawn, least);
    double sum = 1;
    for (std::uint32_t x = least + 1; x <= most; ++x) {
      const double next = std::exp2(term(population, marked, drawn, x) - first);
      sum += next;
      if (next < 1e-20) {
        break;
      }
    }
    return std::min(0.0, first + std::log2(sum) + kRounding);
  }

 private:
  double term(std::uint32_t population, std::uint32_t marked, std::uint32_t drawn, std::uint32_t x) const {
    if (drawn - x > population - marked) {
      return kNever;
    }
    return choose(marked, x) + choose(population - marked, drawn - x) - choose(population, drawn);
  }

  std::vector<double> log_factorial_;
};

/// Thresholds that hold for one k: from the safe ones to those that are still reached. None when first > last.
struct Thresholds {
  std::uint32_t first = 1;
  std::uint32_t last = 0;
  bool connected = false;
  bool hold() const { return connected && first <= last; }
};

/// The bounds for one federation, and the search over them.
class RingBounds {
 public:
  explicit RingBounds(const RingAssumptions& assumed)
      : assumed_(assumed),
        population_(assumed.holders == ShareHolders::neighbours ? assumed.merchants : assumed.merchants - 1),
        union_(std::log2(assumed.merchants)),
        tails_(assumed.merchants) {
    check(
        assumed.merchants >= 3 && assumed.corrupt < assumed.merchants && assumed.missing < assumed.merchants,
        "a ring has at least three merchants, not all of them corrupt and not all of them missing");
  }

  std::uint32_t holders(std::uint32_t k) const {
    return assumed_.holders == ShareHolders::neighbours ? k : k + 1;
  }
  double split_view(std::uint32_t k, std::uint32_t t) const {
    const std::uint32_t h = holders(k);
    return 2 * t <= h
               ? union_
               : union_ + tails_.at_least(population_, std::min(assumed_.corrupt, population_), k, 2 * t - h);
  }
  double disconnection(std::uint32_t k) const {
    const std::uint32_t n = assumed_.merchants;
    const std::uint32_t gone = std::min(n, assumed_.corrupt + assumed_.missing);
    if (k > gone || k + 1 >= n) {
      return kNever;
    }
    return union_ + std::log2(n - k - 1) - 1 + tails_.choose(n - k, gone - k) - tails_.choose(n, gone) +
           kRounding;
  }
  double too_few(std::uint32_t k, std::uint32_t t) const {
    if (t > holders(k)) {
      return union_;
    }
    if (assumed_.missing == 0) {
      return kNever;
    }
    const std::uint32_t others_missing = population_ + assumed_.missing - assumed_.merchants;
    return t > k ? union_ : union_ + tails_.at_least(population_, others_missing, k, k - t + 1);
  }
  bool safe(std::uint32_t k, std::uint32_t t) const { return split_view(k, t) <= -kSecurityEach; }
  bool connected(std::uint32_t k) const { return disconnection(k) <= -kSecurityEach; }
  bool reached(std::uint32_t k, std::uint32_t t) const { return too_few(k, t) <= -kGraphFailureBits; }

  /// Safety grows with t, and so does the risk of having too few: both ends are found by halving.
  Thresholds thresholds(std::uint32_t k) const {
    std::uint32_t low = 1;
    std::uint32_t high = holders(k) + 1;
    while (low < high) {
      const std::uint32_t middle = (low + high) / 2;
      if (safe(k, middle)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    const std::uint32_t first = low;
    low = 0;
    high = holders(k);
    while (low < high) {
      const std::uint32_t middle = (low + high + 1) / 2;
      if (reached(k, middle)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return {first, low, connected(k)};
  }

  /// The smallest k, and the smallest t, or t = `threshold` when that is not 0.
  std::optional<RingParameters> find(std::uint32_t threshold = 0) const {
    for (std::uint32_t k = 2; k + 1 < assumed_.merchants; k += 2) {
      if (!connected(k)) {
        continue;
      }
      const Thresholds those = thresholds(k);
      const std::uint32_t t = threshold == 0 ? those.first : threshold;
      if (those.first <= t && t <= those.last) {
        return RingParameters{k, t};
      }
    }
    return std::nullopt;
  }

 private:
  RingAssumptions assumed_;
  std::uint32_t population_;
  double union_;
  Tails tails_;
};

std::string text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}
std::string probability(double log2) {
  return log2 >= 0 ? "1" : "2^" + std::to_string(static_cast<int>(std::ceil(log2)));
}
/// A fraction that is surely not above `count` of `all`, with three digits.
std::string fraction(std::uint32_t count, std::uint32_t all) {
  return text(std::floor(1000.0 * count / all) / 1000);
}
std::string setting(const RingParameters& ring) {
  return "aggregation.neighbours=" + std::to_string(ring.neighbours) +
         " with aggregation.threshold=" + std::to_string(ring.threshold);
}

std::uint32_t part_of(std::uint32_t merchants, double fraction) {
  return static_cast<std::uint32_t>(std::floor(fraction * merchants + 1e-9));
}

/// The wishes in numbers of merchants.
struct Counts {
  std::uint32_t merchants = 0;
  std::uint32_t invited = 0;
  std::uint32_t corrupt = 0;
  std::uint32_t dropouts = 0;  ///< Of those invited.
  std::uint32_t missing() const { return merchants - invited + dropouts; }
};
Counts counts_of(std::uint32_t merchants, const GraphWishes& wishes) {
  Counts counts{.merchants = merchants};
  counts.invited =
      std::clamp(static_cast<std::uint32_t>(std::ceil(wishes.cohort * merchants)), 1u, merchants);
  counts.corrupt = part_of(merchants, wishes.corrupt);
  counts.dropouts = part_of(counts.invited, wishes.dropouts);
  return counts;
}
std::string assumption_of(const Counts& counts, const GraphWishes& wishes) {
  return std::to_string(counts.merchants) + " merchants, aggregation.corrupt=" + text(wishes.corrupt) +
         " and aggregation.dropouts=" + text(wishes.dropouts) +
         (wishes.cohort < 1 ? " (with federation.cohort=" + text(wishes.cohort) + ")" : std::string());
}

// --- everyone with everyone: numbers of merchants, no chance ---

Result<SessionGraph> plan_complete(const Counts& counts, const GraphWishes& wishes) {
  const ThresholdRule rule{.fixed = wishes.threshold, .corrupt = counts.corrupt};
  // A fixed number must be safe for all holders that can be invited, a following one is for each.
  const std::uint32_t safe = (counts.merchants + counts.corrupt) / 2 + 1;
  const std::uint32_t left = counts.invited - counts.dropouts;
  const std::uint32_t threshold = holder_threshold(counts.invited, rule);
  if (wishes.threshold > 0 && threshold < safe) {
    return Error{
        "aggregation.threshold=" + std::to_string(threshold) + " is not safe against split views for " +
        assumption_of(counts, wishes) +
        ": halves that are told opposite stories would open both secrets of a merchant; give at least " +
        std::to_string(safe) + ", or 0"};
  }
  if (threshold > left) {
    const std::uint32_t needed = (counts.invited + counts.corrupt) / 2 + 1;
    const std::string nearest =
        wishes.threshold == 0 && counts.invited == counts.merchants && needed <= left
            ? "give aggregation.threshold=" + std::to_string(needed)
        : wishes.threshold > 0 && safe <= left
            ? "give aggregation.threshold=" + std::to_string(safe) + " to " + std::to_string(left)
        : threshold <= counts.invited
            ? "the nearest that holds is aggregation.dropouts=" +
                  fraction(counts.invited - threshold, counts.invited)
            : "invite more merchants (federation.cohort=all), or assume fewer corrupt";
    return Error{"aggregation.threshold: " + std::to_string(threshold) +
                 " holders are needed to open a secret, and " + std::to_string(left) + " are left for " +
                 assumption_of(counts, wishes) + ": too few holders; " + nearest};
  }
  return SessionGraph{.neighbours = counts.merchants - 1, .threshold = rule};
}

// --- a ring: probabilities ---

RingAssumptions ring_of(const Counts& counts) {
  return {.merchants = counts.merchants, .corrupt = counts.corrupt, .missing = counts.missing()};
}

/// The largest value in [0, high] for which `holds`, which holds for all smaller ones too; nothing when for none.
template <class Holds>
std::optional<std::uint32_t> largest(std::uint32_t high, const Holds& holds) {
  if (!holds(0)) {
    return std::nullopt;
  }
  std::uint32_t low = 0;
  while (low < high) {
    const std::uint32_t middle = (low + high + 1) / 2;
    if (holds(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/// No ring at all: what about the assumptions would have to give.
Error no_ring(const Counts& counts, const GraphWishes& wishes, const RingBounds& bounds) {
  const std::uint32_t k = (counts.merchants - 2) / 2 * 2;
  const Thresholds those = bounds.thresholds(k);
  const std::string why =
      !those.connected
          ? "the graph of the honest that stay falls apart"
          : "safety against split views needs aggregation.threshold=" + std::to_string(those.first) +
                " even of " + std::to_string(k + 1) + " holders, and only " + std::to_string(those.last) +
                " are sure to be left";
  const auto holds = [&](std::uint32_t corrupt, std::uint32_t missing) {
    return find_ring({.merchants = counts.merchants, .corrupt = corrupt, .missing = missing}).has_value();
  };
  std::string nearest;
  if (const auto corrupt =
          largest(counts.corrupt, [&](std::uint32_t c) { return holds(c, counts.missing()); })) {
    nearest = "aggregation.corrupt=" + fraction(*corrupt, counts.merchants);
  }
  const std::uint32_t uninvited = counts.merchants - counts.invited;
  if (const auto missing =
          largest(counts.missing(), [&](std::uint32_t m) { return holds(counts.corrupt, m); })) {
    nearest += nearest.empty() ? "" : ", or ";
    nearest += *missing >= uninvited
                   ? "aggregation.dropouts=" + fraction(*missing - uninvited, counts.invited)
                   : "federation.cohort=" +
                         text(std::ceil(1000.0 * (counts.merchants - *missing) / counts.merchants) / 1000) +
                         " without dropouts";
  }
  return Error{
      "no graph short of everyone masking with everyone keeps " + assumption_of(counts, wishes) + ": " + why +
      "; the nearest that holds is " +
      (nearest.empty() ? "aggregation.neighbours=" + std::to_string(counts.merchants - 1) : nearest)};
}

Result<SessionGraph> plan_ring(const Counts& counts, const GraphWishes& wishes) {
  const RingBounds bounds(ring_of(counts));
  const std::optional<RingParameters> best = bounds.find();
  if (!best) {
    return no_ring(counts, wishes, bounds);
  }
  const std::string nearest = "; the nearest that holds is " + setting(*best);
  RingParameters ring = *best;
  if (wishes.neighbours > 0) {
    ring.neighbours = wishes.neighbours;
    if (ring.neighbours % 2 != 0) {
      return Error{"aggregation.neighbours=" + std::to_string(ring.neighbours) +
                   " is odd, and each merchant masks with as many on either side; give " +
                   std::to_string(std::max(ring.neighbours + 1, best->neighbours))};
    }
    if (!bounds.connected(ring.neighbours)) {
      return Error{"aggregation.neighbours=" + std::to_string(ring.neighbours) + " is too few for " +
                   assumption_of(counts, wishes) + ": the graph of the honest that stay falls apart with " +
                   probability(bounds.disconnection(ring.neighbours)) + nearest};
    }
    const Thresholds those = bounds.thresholds(ring.neighbours);
    if (!those.hold()) {
      return Error{"aggregation.neighbours=" + std::to_string(ring.neighbours) + " is too few for " +
                   assumption_of(counts, wishes) + ": safety against split views needs " +
                   std::to_string(those.first) + " of " + std::to_string(ring.neighbours + 1) +
                   " holders to open a secret, and only " + std::to_string(those.last) +
                   " are sure to be left" + nearest};
    }
    ring.threshold = those.first;
  }
  if (wishes.threshold > 0) {
    const std::optional<RingParameters> with_it = bounds.find(wishes.threshold);
    if (wishes.neighbours == 0 && with_it) {
      ring.neighbours = with_it->neighbours;
    }
    ring.threshold = wishes.threshold;
    const std::string but =
        wishes.neighbours > 0 && with_it ? "; the nearest that holds is " + setting(*with_it) : nearest;
    if (!bounds.safe(ring.neighbours, ring.threshold)) {
      return Error{"aggregation.threshold=" + std::to_string(ring.threshold) + " of " +
                   std::to_string(ring.neighbours + 1) + " holders is too few for " +
                   assumption_of(counts, wishes) +
                   ": split views open both secrets of a merchant with probability " +
                   probability(bounds.split_view(ring.neighbours, ring.threshold)) + but};
    }
    if (!bounds.reached(ring.neighbours, ring.threshold)) {
      return Error{"aggregation.threshold=" + std::to_string(ring.threshold) + " of " +
                   std::to_string(ring.neighbours + 1) + " holders is too many for " +
                   assumption_of(counts, wishes) + ": too few holders are left with probability " +
                   probability(bounds.too_few(ring.neighbours, ring.threshold)) + but};
    }
  }
  return SessionGraph{.neighbours = ring.neighbours, .threshold = {.fixed = ring.threshold, .corrupt = 0}};
}

}  // namespace

RingRisks risks_of(const RingAssumptions& assumed, const RingParameters& ring) {
  const RingBounds bounds(assumed);
  check(ring.neighbours % 2 == 0 && ring.neighbours >= 2 && ring.neighbours + 1 < assumed.merchants,
        "a ring has an even number of neighbours, fewer than all");
  return {.split_view = bounds.split_view(ring.neighbours, ring.threshold),
          .disconnection = bounds.disconnection(ring.neighbours),
          .too_few = bounds.too_few(ring.neighbours, ring.threshold)};
}

std::optional<RingParameters> find_ring(const RingAssumptions& assumed) {
  return RingBounds(assumed).find();
}

GraphWishes graph_wishes(const Configuration& configuration) {
  return {.corrupt = configuration.aggregation.corrupt,
          .dropouts = configuration.aggregation.dropouts,
          .cohort = configuration.federation.cohort,
          .neighbours = configuration.aggregation.neighbours,
          .threshold = configuration.aggregation.threshold};
}

Result<SessionGraph> plan_graph(std::uint32_t merchants, const GraphWishes& wishes) {
  check(merchants >= 2, "a graph has at least two merchants");
  const Counts counts = counts_of(merchants, wishes);
  const bool complete =
      wishes.neighbours == 0 ? merchants <= kCompleteGraphMax : wishes.neighbours >= merchants - 1;
  return complete ? plan_complete(counts, wishes) : plan_ring(counts, wishes);
}

std::optional<Error> fault_of(const GraphWishes& wishes) {
  if (wishes.cohort * (1 - 2 * wishes.dropouts) <= wishes.corrupt) {
    return Error{"aggregation.corrupt=" + text(wishes.corrupt) +
                 " and aggregation.dropouts=" + text(wishes.dropouts) + " leave no safe threshold" +
                 (wishes.cohort < 1 ? " for federation.cohort=" + text(wishes.cohort) : std::string()) +
                 ": the corrupt and twice the dropouts must stay below those invited; assume less" +
                 (wishes.cohort < 1 ? ", or invite more" : "")};
  }
  if (wishes.neighbours > 0 && wishes.threshold > wishes.neighbours + 1) {
    return Error{"aggregation.threshold=" + std::to_string(wishes.threshold) +
                 " is more than the holders, which are aggregation.neighbours=" +
                 std::to_string(wishes.neighbours) + " and the merchant itself"};
  }
  return std::nullopt;
}

}  // namespace hanse
