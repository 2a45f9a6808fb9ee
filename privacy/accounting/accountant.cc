#include "privacy/accounting/accountant.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "common/base/check.h"

namespace hanse {
namespace {

std::shared_ptr<const std::vector<double>> curve_of(const DpEvent& event, const std::vector<double>& orders) {
  std::vector<double> curve;
  curve.reserve(orders.size());
  for (const double order : orders) {
    curve.push_back(rdp(event, order));
  }
  return std::make_shared<const std::vector<double>>(std::move(curve));
}

// [BBGHS20] theorem 21.
double convert(double total_rdp, double order, double delta) {
  return total_rdp + std::log1p(-1 / order) - (std::log(delta) + std::log(order)) / (order - 1);
}

}  // namespace

RdpAccountant::RdpAccountant(std::span<const double> orders) : orders_(orders.begin(), orders.end()) {
  check(!orders_.empty(), "an accountant has at least one order");
  for (const double order : orders_) {
    check(std::isfinite(order) && order > 1, "orders are finite and above 1");
  }
}

void RdpAccountant::compose(const DpEvent& event) {
  check(is_valid(event), "a composed event has a finite noise multiplier >= 0 and a sampling rate in [0, 1]");
  if (event.count == 0 || event.sampling_rate == 0) {
    return;
  }
  if (is_without_noise(event)) {
    without_noise_ = true;
    return;
  }
  Releases& releases = releases_[{event.noise, event.noise_multiplier, event.sampling_rate, event.coins,
                                  event.adjacency, event.sensitivity_steps}];
  if (!releases.curve) {
    releases.curve = curve_of(event, orders_);
  }
  releases.count = saturating_sum(releases.count, event.count);
}

void RdpAccountant::compose(const RdpAccountant& other) {
  check(orders_ == other.orders_, "accountants of the same orders add up");
  for (const auto& [mechanism, releases] : other.releases_) {
    Releases& own = releases_[mechanism];
    own.curve = releases.curve;
    own.count = saturating_sum(own.count, releases.count);
  }
  unnamed_.resize(other.unnamed_.empty() ? unnamed_.size() : orders_.size());
  std::transform(other.unnamed_.begin(), other.unnamed_.end(), unnamed_.begin(), unnamed_.begin(),
                 std::plus<>());
  without_noise_ = without_noise_ || other.without_noise_;
}

void RdpAccountant::compose_larger(const RdpAccountant& one, const RdpAccountant& other) {
  check(orders_ == one.orders_ && orders_ == other.orders_, "accountants of the same orders add up");
  unnamed_.resize(orders_.size());
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    unnamed_[i] += std::max(one.total(i), other.total(i));
  }
  without_noise_ = without_noise_ || one.without_noise_ || other.without_noise_;
}

double RdpAccountant::total(std::size_t i) const {
  double total = unnamed_.empty() ? 0 : unnamed_[i];
  for (const auto& [mechanism, releases] : releases_) {
    total += static_cast<double>(releases.count) * (*releases.curve)[i];
  }
  return total;
}

double RdpAccountant::converted(std::size_t i, double delta) const {
  return convert(total(i), orders_[i], delta);
}

double RdpAccountant::epsilon_at(double order, double delta) const {
  check(delta > 0 && delta < 1, "delta is in (0, 1)");
  const auto found = std::find(orders_.begin(), orders_.end(), order);
  check(found != orders_.end(), "the order is one of the accountant's");
  if (without_noise_) {
    return std::numeric_limits<double>::infinity();
  }
  const auto i = static_cast<std::size_t>(found - orders_.begin());
  return empty() ? 0 : std::max(0.0, converted(i, delta));
}

EpsilonAtOrder RdpAccountant::epsilon(double delta) const {
  check(delta > 0 && delta < 1, "delta is in (0, 1)");
  if (without_noise_) {
    return {std::numeric_limits<double>::infinity(), orders_.front()};
  }
  if (empty()) {
    return {0, orders_.back()};
  }
  EpsilonAtOrder best{std::numeric_limits<double>::infinity(), orders_.front()};
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    const double candidate = converted(i, delta);
    if (candidate < best.epsilon) {
      best = {candidate, orders_[i]};
    }
  }
  best.epsilon = std::max(0.0, best.epsilon);
  return best;
}

double order_of_budget(double epsilon, double delta) {
  check(delta > 0 && delta < 1, "delta is in (0, 1)");
  double best = default_orders().back();
  double most = -std::numeric_limits<double>::infinity();
  for (const double order : default_orders()) {
    const double admitted = (epsilon - convert(0, order, delta)) / order;
    if (admitted > most) {
      most = admitted;
      best = order;
    }
  }
  return best;
}

EpsilonAtOrder epsilon(std::span<const DpEvent> events, double delta, std::span<const double> orders) {
  RdpAccountant accountant(orders);
  for (const DpEvent& event : events) {
    accountant.compose(event);
  }
  return accountant.epsilon(delta);
}

EpsilonAtOrder epsilon_over_real_orders(std::span<const DpEvent> events, double delta) {
  std::vector<double> orders(default_orders().begin(), default_orders().end());
  orders.insert(orders.begin(), {1.001, 1.003, 1.01, 1.03});
  EpsilonAtOrder best = epsilon(events, delta, orders);
  while (best.order == orders.back() && best.order < 1e6 &&
         best.epsilon > 0) {  // Higher orders cost more time.
    orders.push_back(2 * best.order);
    const EpsilonAtOrder higher = epsilon(events, delta, std::span(&orders.back(), 1));
    best = higher.epsilon < best.epsilon ? higher : best;
  }
  const auto at = std::find(orders.begin(), orders.end(), best.order);
  if (best.epsilon == 0 || !std::isfinite(best.epsilon) || at == orders.end()) {
    return best;
  }
  // Golden sections of log(order - 1) between the neighbours of the best order.
  const double golden = 0.6180339887498949;
  double low = std::log((at == orders.begin() ? *at - 0.0009 : *(at - 1)) - 1);
  double high = std::log((at + 1 == orders.end() ? *at * 2 : *(at + 1)) - 1);
  while (high - low > 1e-4) {
    const double orders_inside[] = {1 + std::exp(high - golden * (high - low)),
                                    1 + std::exp(low + golden * (high - low))};
    const double left = epsilon(events, delta, std::span(orders_inside, 1)).epsilon;
    const double right = epsilon(events, delta, std::span(orders_inside + 1, 1)).epsilon;
    if (std::min(left, right) < best.epsilon) {
      best = left < right ? EpsilonAtOrder{left, orders_inside[0]} : EpsilonAtOrder{right, orders_inside[1]};
    }
    (left < right ? high : low) = std::log(orders_inside[left < right ? 1 : 0] - 1);
  }
  return best;
}

}  // namespace hanse
