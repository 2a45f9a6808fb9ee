#include "common/numerics/smoothing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "common/base/check.h"
#include "common/numerics/normal.h"

namespace hanse {
namespace {

constexpr std::size_t kWindowMax = 12;
constexpr double kLowest = 0.05;  // Parameters of the grid ...
constexpr double kHighest = 0.95;
constexpr std::size_t kGrid = 7;
constexpr double kSmallestStep = 1e-3;  // ... and of the search from its best point.
constexpr double kLeast = 0.01;
constexpr double kMost = 0.99;

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return sum / static_cast<double>(values.size());
}

/// Level, trend and season behind some values.
struct State {
  double level = 0;
  double trend = 0;
  std::vector<double> season;  ///< By place in the period.
  std::size_t seen = 0;

  double next(std::size_t ahead) const {
    const double base = level + static_cast<double>(ahead) * trend;
    return season.empty() ? base : base + season[(seen + ahead - 1) % season.size()];
  }
};

State first_state(const SmoothingModel& model, std::span<const double> series) {
  State state;
  state.seen = warm_up(model);
  check(series.size() >= state.seen, "a forecast has seen what its method begins with");
  switch (model.method) {
    case Smoothing::naive:
    case Smoothing::moving_average:
      break;
    case Smoothing::simple:
      state.level = series[0];
      break;
    case Smoothing::holt:
      state.level = series[1];
      state.trend = series[1] - series[0];
      break;
    case Smoothing::holt_winters: {
      const std::size_t m = model.period;
      const double first = mean_of(series.first(m));
      const double second = mean_of(series.subspan(m, m));
      state.trend = (second - first) / static_cast<double>(m);
      // The second season's mean lies in its middle; the level is that of its end.
      state.level = second + state.trend * (static_cast<double>(m) - 1) / 2;
      for (std::size_t i = 0; i < m; ++i) {
        const double within = state.trend * (static_cast<double>(i) - (static_cast<double>(m) - 1) / 2);
        state.season.push_back((series[i] - first + series[m + i] - second) / 2 - within);
      }
      break;
    }
  }
  return state;
}

void take(const SmoothingModel& model, double value, State& state) {
  const double before = state.level;
  double* const season = state.season.empty() ? nullptr : &state.season[state.seen % state.season.size()];
  const double plain = season == nullptr ? value : value - *season;
  state.level = model.level * plain + (1 - model.level) * (state.level + state.trend);
  if (model.method != Smoothing::simple) {
    state.trend = model.trend * (state.level - before) + (1 - model.trend) * state.trend;
  }
  if (season != nullptr) {
    *season = model.season * (value - state.level) + (1 - model.season) * *season;
  }
  ++state.seen;
}

bool by_window(const SmoothingModel& model) {
  return model.method == Smoothing::naive || model.method == Smoothing::moving_average;
}

/// The parameters that a method has.
std::vector<double SmoothingModel::*> parameters_of(Smoothing method) {
  switch (method) {
    case Smoothing::naive:
    case Smoothing::moving_average:
      return {};
    case Smoothing::simple:
      return {&SmoothingModel::level};
    case Smoothing::holt:
      return {&SmoothingModel::level, &SmoothingModel::trend};
    case Smoothing::holt_winters:
      return {&SmoothingModel::level, &SmoothingModel::trend, &SmoothingModel::season};
  }
  return {};
}

}  // namespace

const char* name_of(Smoothing method) {
  switch (method) {
    case Smoothing::naive:
      return "last value";
    case Smoothing::moving_average:
      return "moving average";
    case Smoothing::simple:
      return "simple smoothing";
    case Smoothing::holt:
      return "Holt";
    case Smoothing::holt_winters:
      return "Holt-Winters";
  }
  return "unknown";
}

std::size_t warm_up(const SmoothingModel& model) {
  switch (model.method) {
    case Smoothing::naive:
    case Smoothing::simple:
      return 1;
    case Smoothing::moving_average:
      return model.window;
    case Smoothing::holt:
      return 2;
    case Smoothing::holt_winters:
      return 2 * model.period;
  }
  return 1;
}

std::vector<double> forecast(const SmoothingModel& model, std::span<const double> seen, std::size_t horizon) {
  if (by_window(model)) {
    check(seen.size() >= model.window, "a forecast has seen what its method begins with");
    return std::vector<double>(horizon, mean_of(seen.last(model.window)));
  }
  State state = first_state(model, seen);
  for (const double value : seen.subspan(state.seen)) {
    take(model, value, state);
  }
  std::vector<double> values;
  for (std::size_t ahead = 1; ahead <= horizon; ++ahead) {
    values.push_back(state.next(ahead));
  }
  return values;
}

double mean_square_ahead(const SmoothingModel& model, std::span<const double> series, std::size_t begin) {
  begin = std::max(begin, warm_up(model));
  check(begin < series.size(), "errors are of some values");
  double sum = 0;
  State state = by_window(model) ? State() : first_state(model, series);
  for (std::size_t t = by_window(model) ? begin : state.seen; t < series.size(); ++t) {
    const double ahead =
        by_window(model) ? mean_of(series.subspan(t - model.window, model.window)) : state.next(1);
    sum += t >= begin ? (series[t] - ahead) * (series[t] - ahead) : 0;
    if (!by_window(model)) {
      take(model, series[t], state);
    }
  }
  return sum / static_cast<double>(series.size() - begin);
}

bool can_fit(Smoothing method, std::size_t values, std::size_t period) {
  SmoothingModel model{.method = method, .window = 2, .period = period};
  return (method != Smoothing::holt_winters || period >= 2) && values >= 2 * warm_up(model) + 4;
}

SmoothingModel fitted(Smoothing method, std::span<const double> series, std::size_t period) {
  SmoothingModel model{.method = method, .period = method == Smoothing::holt_winters ? period : 0};
  if (method == Smoothing::moving_average) {
    // All windows are judged by the same values.
    const std::size_t widest = std::min(kWindowMax, series.size() / 2);
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t window = 2; window <= widest; ++window) {
      SmoothingModel tried = model;
      tried.window = window;
      const double error = mean_square_ahead(tried, series, widest);
      if (error < least) {
        least = error;
        model = tried;
      }
    }
    return model;
  }
  const auto parameters = parameters_of(method);
  if (parameters.empty()) {
    return model;
  }
  const auto error_of = [&](const SmoothingModel& tried) { return mean_square_ahead(tried, series, 0); };
  SmoothingModel best = model;
  double least = std::numeric_limits<double>::infinity();
  const std::function<void(SmoothingModel, std::size_t)> try_grid = [&](SmoothingModel tried, std::size_t p) {
    if (p == parameters.size()) {
      const double error = error_of(tried);
      if (error < least) {
        least = error;
        best = tried;
      }
      return;
    }
    for (std::size_t i = 0; i < kGrid; ++i) {
      tried.*parameters[p] =
          kLowest + (kHighest - kLowest) * static_cast<double>(i) / static_cast<double>(kGrid - 1);
      try_grid(tried, p + 1);
    }
  };
  try_grid(model, 0);
  for (double step = (kHighest - kLowest) / 2 / static_cast<double>(kGrid - 1); step > kSmallestStep;) {
    bool better = false;
    for (const auto parameter : parameters) {
      for (const double direction : {-1.0, 1.0}) {
        SmoothingModel tried = best;
        tried.*parameter = std::clamp(best.*parameter + direction * step, kLeast, kMost);
        const double error = error_of(tried);
        if (error < least) {
          least = error;
          best = tried;
          better = true;
        }
      }
    }
    step = better ? step : step / 2;
  }
  return best;
}

SmoothingModel chosen(std::span<const double> series, std::size_t tail, std::size_t period) {
  SmoothingModel best{.method = Smoothing::naive};
  if (tail == 0 || tail >= series.size()) {
    return best;
  }
  const std::size_t known = series.size() - tail;
  double least = std::numeric_limits<double>::infinity();
  for (const Smoothing method :
       {Smoothing::simple, Smoothing::moving_average, Smoothing::holt, Smoothing::holt_winters}) {
    if (!can_fit(method, known, period)) {
      continue;
    }
    const double error = mean_square_ahead(fitted(method, series.first(known), period), series, known);
    if (error < least) {
      least = error;
      best.method = method;
    }
  }
  return fitted(best.method, series, period);
}

ErrorGrowth error_growth(const SmoothingModel& model, std::size_t horizon) {
  const auto effect = [&](std::size_t j) {
    if (j == 0 || model.method == Smoothing::naive) {
      return 1.0;
    }
    if (model.method == Smoothing::moving_average) {
      return 1 / static_cast<double>(model.window);
    }
    const double trend = model.method == Smoothing::simple ? 0 : model.trend;
    const bool same_season = model.method == Smoothing::holt_winters && j % model.period == 0;
    return model.level * (1 + trend * static_cast<double>(j)) +
           (same_season ? model.season * (1 - model.level) : 0);
  };
  ErrorGrowth growth;
  double one = 0;
  double sum = 0;
  double total = 0;
  for (std::size_t j = 0; j < horizon; ++j) {
    const double psi = effect(j);
    one += psi * psi;
    sum += psi;
    total += sum * sum;
    growth.one.push_back(one);
    growth.total.push_back(total);
  }
  return growth;
}

ReorderPoint reorder_point(std::span<const double> forecasts, const ErrorGrowth& growth, double deviation,
                           std::size_t lead_time, double service_level) {
  check(lead_time >= 1 && lead_time <= forecasts.size() && lead_time <= growth.total.size(),
        "forecasts reach as far as the lead time");
  ReorderPoint point;
  for (const double value : forecasts.first(lead_time)) {
    point.expected += value;
  }
  point.safety_stock = normal_quantile(service_level) * deviation * std::sqrt(growth.total[lead_time - 1]);
  point.reorder_point = point.expected + point.safety_stock;
  return point;
}

}  // namespace hanse
