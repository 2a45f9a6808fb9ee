#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "privacy/accounting/rdp.h"

namespace hanse {

/// Adds up releases. Equal mechanisms are counted, not summed: their curve of RDP over the orders is computed
/// once, so a thousand equal rounds cost as much as one, and the result depends neither on the order of the
/// events nor on how they are grouped (to the last bit). A copy shares the curves: to ask "what if this round
/// too", compose into a copy.
class RdpAccountant {
 public:
  explicit RdpAccountant(std::span<const double> orders = default_orders());

  /// Adds `event.count` releases. The event must be valid (`is_valid`).
  void compose(const DpEvent& event);
  /// Adds all that `other`, of the same orders, has composed.
  void compose(const RdpAccountant& other);
  /// Adds at each order the larger of what two others have composed: what somebody lost who was among those that one of them is
  /// about, nobody knows which.
  void compose_larger(const RdpAccountant& one, const RdpAccountant& other);
  /// Epsilon of everything composed so far at `delta` in (0, 1); 0 when nothing was.
  EpsilonAtOrder epsilon(double delta) const;
  /// The same by one of its orders. Where what is composed depends on what was released before, this is the valid bound, for an
  /// order that was fixed before the first release (the Renyi filter of Feldman and Zrnic 2021): the best order in hindsight
  /// is then itself a choice made with the data in sight.
  double epsilon_at(double order, double delta) const;
  /// Whether anything was released without noise: epsilon is then infinite at every delta.
  bool without_noise() const { return without_noise_; }

 private:
  // Law, noise multiplier, sampling rate, coins, adjacency, steps: what makes two events equal.
  using Mechanism = std::tuple<NoiseLaw, double, double, std::uint32_t, Adjacency, double>;
  struct Releases {
    std::shared_ptr<const std::vector<double>> curve;  // RDP of one release at each of orders_.
    std::uint64_t count = 0;
  };

  bool empty() const { return releases_.empty() && unnamed_.empty(); }
  double total(std::size_t i) const;
  double converted(std::size_t i, double delta) const;

  std::vector<double> orders_;
  std::map<Mechanism, Releases> releases_;
  std::vector<double> unnamed_;  ///< RDP at each order that is no mechanism's; empty: none.
  bool without_noise_ = false;
};

/// The default order at which a budget of `epsilon` at `delta` admits most Gaussian noise, the largest of
/// (epsilon - conversion(order)) / order: one that follows from the budget alone, for a Renyi filter.
double order_of_budget(double epsilon, double delta);

}  // namespace hanse
