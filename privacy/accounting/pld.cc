#include "privacy/accounting/pld.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "privacy/accounting/gaussian_curve.h"
#include "privacy/accounting/gaussian_pair.h"
#include "privacy/accounting/grid_law.h"
#include "privacy/accounting/loss_cells.h"
#include "privacy/accounting/tilted_sum.h"

namespace hanse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMostPoints = 1 << 20;
constexpr double kMostCells = 1 << 22;
constexpr int kMostPasses = 5;
// Truncation and aliasing are kept below e^-16 of delta.
constexpr double kNegligible = 14;

/// Equal releases, on their way to the grid.
struct Addend {
  PrivacyLoss loss;
  std::uint64_t count;
  LossSketch removed;
  LossSketch added;
};

enum class Direction { removed, added };

const LossSketch& sketch_of(const Addend& addend, Direction direction) {
  return direction == Direction::removed ? addend.removed : addend.added;
}

/// log of E exp(theta L), and mean and variance of L under that tilt.
struct Moments {
  double log = 0;
  double mean = 0;
  double variance = 0;
};

Moments moments(const LossSketch& sketch, double theta) {
  double top = -kInfinity;
  double bulk = 0;
  for (std::size_t i = 0; i < sketch.loss.size(); ++i) {
    bulk += sketch.p[i];
    if (sketch.p[i] > 0) {
      top = std::max(top, theta * sketch.loss[i]);
    }
  }
  double sum = 0;
  double first = 0;
  double second = 0;
  for (std::size_t i = 0; i < sketch.loss.size(); ++i) {
    const double weight = sketch.p[i] * std::exp(std::min(0.0, theta * sketch.loss[i] - top));
    sum += weight;
    first += weight * sketch.loss[i];
    second += weight * sketch.loss[i] * sketch.loss[i];
  }
  const double mean = first / sum;
  return {top + std::log(sum / bulk), mean, std::max(0.0, second / sum - mean * mean)};
}

Moments moments(const std::vector<Addend>& addends, Direction direction, double theta) {
  Moments total;
  for (const Addend& addend : addends) {
    const Moments one = moments(sketch_of(addend, direction), theta);
    const auto times = static_cast<double>(addend.count);
    total.log += times * one.log;
    total.mean += times * one.mean;
    total.variance += times * one.variance;
  }
  return total;
}

/// log delta at epsilon = K'(theta), by the saddle point: K - theta K' - log(theta (theta + 1) sqrt(2 pi K'')).
double saddle_point(const Moments& at, double theta) {
  return at.log - theta * at.mean - std::log(theta) - std::log1p(theta) -
         std::log(2 * std::numbers::pi * std::max(at.variance, 1e-300)) / 2;
}

/// The tilt under which the sum's mean is about the epsilon of `delta`.
double best_theta(const std::vector<Addend>& addends, Direction direction, double delta) {
  const double target = std::log(delta);
  const auto is_beyond = [&](double log_theta) {
    const double theta = std::exp(log_theta);
    return saddle_point(moments(addends, direction, theta), theta) < target;
  };
  double low = std::log(1e-3);
  double high = 0;
  while (high < std::log(1e12) && !is_beyond(high)) {
    low = high;
    high += 2;
  }
  while (high - low > 0.03) {
    const double middle = low + (high - low) / 2;
    (is_beyond(middle) ? high : low) = middle;
  }
  return std::exp(low);
}

/// How one direction is to be composed.
struct Course {
  Direction direction = Direction::removed;
  Tilt tilt;
  double guess = 0;   ///< Of epsilon.
  double window = 0;  ///< Least width.
  double step = 0;    ///< Largest step for the wished precision.
};

double wished_width(const PldPrecision& precision, double epsilon) {
  return std::max(std::min(precision.absolute, 1e-3 * epsilon), precision.relative * epsilon);
}

Course course_of(const std::vector<Addend>& addends, Direction direction, double delta,
                 const PldPrecision& precision) {
  Course course;
  course.direction = direction;
  const double theta = best_theta(addends, direction, delta);
  const Moments at = moments(addends, direction, theta);
  const double deviation = std::max(std::sqrt(at.variance), 1e-300);
  course.guess = std::max(at.mean, 1e-3 * (at.log - std::log(delta)) / theta);

  const double below = (kNegligible - std::log(delta)) / theta;
  double above = kInfinity;
  for (const double share : {0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5}) {
    const double lambda = share * theta;
    const double rise = moments(addends, direction, theta + lambda).log - at.log;
    const double reach = (rise + kNegligible) / lambda - course.guess;
    if (reach < above) {
      above = reach;
      course.tilt = {theta, lambda};
    }
  }
  course.window = std::max(below, std::isfinite(above) ? above : 20 * deviation) + 2 * deviation;

  // The bracket is about (theta + 1) / 4 times the sum of h^2 wide.
  double count = 0;
  for (const Addend& addend : addends) {
    count += static_cast<double>(addend.count);
  }
  const double width = wished_width(precision, course.guess);
  course.step = std::min(std::sqrt(3 * width / ((theta + 1) * count)), deviation / 4);
  return course;
}

struct Composed {
  EpsilonOfSum epsilon;
  Course course;
};

/// One pass over all addends at one step.
std::vector<Composed> compose_on_grid(const std::vector<Addend>& addends, std::vector<Course> courses,
                                      double step, std::size_t points, double delta) {
  Fourier fourier(points);
  std::vector<TiltedSum> sums;
  for (Course& course : courses) {
    // On a grid as coarse as this, losses have no finer features to look for. Only the milder direction gets here.
    const double most = 1 / step;
    course.tilt.lambda *= std::min(1.0, most / course.tilt.theta);
    course.tilt.theta = std::min(course.tilt.theta, most);
    sums.emplace_back(fourier, step, course.tilt);
  }
  for (const Addend& addend : addends) {
    const LossCells cells = addend.loss.cells(step / 2);
    for (std::size_t i = 0; i < courses.size(); ++i) {
      const Direction direction = courses[i].direction;
      const Tilt tilt = courses[i].tilt;
      const LossSketch& sketch = sketch_of(addend, direction);
      const GridLaws laws = connect_the_dots(direction == Direction::removed ? cells : mirrored(cells));
      sums[i].add(laws, addend.count, moments(sketch, tilt.theta).log,
                  moments(sketch, tilt.theta + tilt.lambda).log, fourier);
    }
  }
  std::vector<Composed> composed;
  for (std::size_t i = 0; i < courses.size(); ++i) {
    composed.push_back({sums[i].epsilon(delta), courses[i]});
  }
  return composed;
}

EpsilonBracket bracket_of(const std::vector<Composed>& directions, double step, std::size_t points) {
  EpsilonBracket bracket;
  const Composed* worst = &directions.front();
  for (const Composed& one : directions) {
    bracket.lower = std::max(bracket.lower, one.epsilon.lower);
    if (one.epsilon.upper > worst->epsilon.upper) {
      worst = &one;
    }
  }
  bracket.upper = worst->epsilon.upper;
  bracket.errors = {.aliasing = worst->epsilon.aliasing,
                    .round_off = worst->epsilon.round_off,
                    .truncation = worst->epsilon.truncation};
  bracket.errors.discretisation = std::max(0.0, bracket.upper - bracket.lower - bracket.errors.aliasing -
                                                    bracket.errors.round_off - bracket.errors.truncation);
  bracket.grid_step = step;
  bracket.points = points;
  bracket.tilt = worst->course.tilt.theta;
  bracket.adds = worst->course.direction == Direction::added;
  return bracket;
}

/// One release: its curve, without a grid.
EpsilonBracket of_single_release(const PrivacyLoss& loss, double delta) {
  const auto holds = [&](double epsilon, double sign) {
    const auto below = [&](const PrivacyLoss::Delta& at) { return at.value + sign * at.error <= delta; };
    return below(loss.delta(epsilon, false)) && below(loss.delta(epsilon, true));
  };
  const auto smallest = [&](double sign) {
    if (holds(0, sign)) {
      return 0.0;
    }
    double low = 0;
    double high = 1e-6;
    for (; !holds(high, sign); high *= 4) {
      low = high;
      if (high > 600) {
        return kInfinity;
      }
    }
    for (int step = 0; step < 60; ++step) {
      const double middle = low + (high - low) / 2;
      (holds(middle, sign) ? high : low) = middle;
    }
    return sign > 0 ? high : low;
  };
  EpsilonBracket bracket;
  bracket.upper = smallest(1);
  bracket.lower = smallest(-1);
  bracket.errors.round_off = bracket.upper - bracket.lower;
  bracket.adds = loss.delta(bracket.lower, true).value > loss.delta(bracket.lower, false).value;
  return bracket;
}

EpsilonBracket compose_numerically(const std::vector<Addend>& addends, double delta,
                                   const PldPrecision& precision) {
  std::vector<Course> courses = {course_of(addends, Direction::removed, delta, precision)};
  const bool symmetric =
      std::all_of(addends.begin(), addends.end(), [](const Addend& a) { return a.loss.is_symmetric(); });
  if (!symmetric) {
    courses.push_back(course_of(addends, Direction::added, delta, precision));
  }
  double range = 0;
  for (const Addend& addend : addends) {
    range = std::max(range, addend.loss.range() * addend.loss.work());
  }
  // The direction with the larger epsilon decides on the step.
  double window = 0;
  double guess = -kInfinity;
  double step = kInfinity;
  for (const Course& course : courses) {
    window = std::max(window, course.window);
    if (course.guess > guess) {
      guess = course.guess;
      step = course.step;
    }
  }
  EpsilonBracket best;
  double width_before = 0;
  double step_before = 0;
  for (int pass = 0; pass < kMostPasses; ++pass) {
    step = std::max({step, window / kMostPoints, range / kMostCells});
    const auto points =
        static_cast<std::size_t>(std::exp2(std::ceil(std::log2(std::max(16.0, window / step)))));
    const bool finest = step <= 1.01 * std::max(window / kMostPoints, range / kMostCells);
    const EpsilonBracket bracket =
        bracket_of(compose_on_grid(addends, courses, step, points, delta), step, points);
    if (pass == 0 || bracket.upper - bracket.lower < best.upper - best.lower) {
      best = bracket;
    }
    const double width = best.upper - best.lower;
    // Isolated losses (coarse integers) narrow the lower end by h instead of h^2: not worth a much longer transform.
    const bool slow =
        pass > 0 && points > (1U << 17) && width > width_before * std::pow(step / step_before, 1.5);
    width_before = width;
    step_before = step;
    const double wish = wished_width(precision, best.upper);
    if (width <= wish || finest || slow || best.upper == 0) {
      break;
    }
    step *= std::clamp(0.9 * std::sqrt(wish / width), 0.1, 0.7);
  }
  return best;
}

}  // namespace

void PldAccountant::compose(const DpEvent& event) {
  check(is_valid(event), "a composed event is valid");
  if (event.count == 0 || event.sampling_rate == 0) {
    return;
  }
  if (is_without_noise(event)) {
    without_noise_ = true;
    return;
  }
  std::uint64_t& count = counts_[{event.noise, event.noise_multiplier, event.sampling_rate, event.coins,
                                  event.adjacency, event.sensitivity_steps}];
  count = saturating_sum(count, event.count);
}

EpsilonBracket PldAccountant::epsilon(double delta) const {
  check(delta > 0 && delta < 1, "delta is in (0, 1)");
  double mu_squared = 0;
  std::vector<DpEvent> others;
  double count = 1;
  bool gaussian_limit = false;
  for (const auto& [mechanism, times] : counts_) {
    DpEvent event{.count = times};
    std::tie(event.noise, event.noise_multiplier, event.sampling_rate, event.coins, event.adjacency,
             event.sensitivity_steps) = mechanism;
    gaussian_limit =
        gaussian_limit || (event.noise == NoiseLaw::discrete_gaussian && event.sensitivity_steps == 0);
    if (event.noise != NoiseLaw::discrete_gaussian_1d && gaussian_multiplier(event) == 0) {
      return {.upper = kInfinity};
    }
    if (event.sampling_rate == 1 && event.noise != NoiseLaw::discrete_gaussian_1d && precision_.closed_form) {
      const double sensitivity = event.adjacency == Adjacency::replace_one ? 2 : 1;
      mu_squared += static_cast<double>(times) * std::pow(sensitivity / gaussian_multiplier(event), 2);
      continue;
    }
    others.push_back(event);
    count += static_cast<double>(times);
  }
  EpsilonBracket bracket;
  if (without_noise_) {
    bracket.lower = bracket.upper = kInfinity;
  } else if (others.empty()) {
    if (mu_squared > 0) {
      const double epsilon = gaussian_epsilon(std::sqrt(mu_squared), delta);
      bracket.errors.round_off = 2e-10 * epsilon;
      bracket.lower = epsilon * (1 - 1e-10);
      bracket.upper = epsilon * (1 + 1e-10);
    }
  } else {
    if (mu_squared > 0) {
      others.push_back({.noise = NoiseLaw::gaussian, .noise_multiplier = 1 / std::sqrt(mu_squared)});
    }
    std::vector<Addend> addends;
    const double tail = delta * std::exp(-kNegligible) / count;
    for (const DpEvent& event : others) {
      PrivacyLoss loss(event, tail);
      LossSketch sketch = loss.sketch();
      LossSketch added = mirrored(sketch);
      addends.push_back({std::move(loss), event.count, std::move(sketch), std::move(added)});
    }
    const bool single = addends.size() == 1 && addends.front().count == 1 && precision_.closed_form;
    bracket = single ? of_single_release(addends.front().loss, delta) : EpsilonBracket{.upper = kInfinity};
    if (!std::isfinite(bracket.upper)) {
      bracket = compose_numerically(addends, delta, precision_);
    }
  }
  bracket.gaussian_limit = gaussian_limit;
  return bracket;
}

}  // namespace hanse
