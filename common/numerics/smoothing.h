#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace hanse {

// Forecasts of a series y_1 .. y_n by smoothing (Holt 1957, Winters 1960; Hyndman, Koehler, Ord, Snyder 2008).

enum class Smoothing {
  naive,           ///< The last value.
  moving_average,  ///< The mean of the last k values.
  simple,          ///< l_t = a y_t + (1 - a) l_(t-1)
  holt,            ///< ... with a trend b_t = b (l_t - l_(t-1)) + (1 - b) b_(t-1)
  holt_winters,    ///< ... and a season of m values that is added, s_t = c (y_t - l_t) + (1 - c) s_(t-m)
};
const char* name_of(Smoothing method);

/// A method and what it was fitted to.
struct SmoothingModel {
  Smoothing method = Smoothing::naive;
  std::size_t window = 1;  ///< k
  double level = 1;        ///< a, in (0, 1)
  double trend = 0;        ///< b
  double season = 0;       ///< c
  std::size_t period = 0;  ///< m
};

/// How many values a method needs before its first forecast: k; 1; 2; 2 m.
std::size_t warm_up(const SmoothingModel& model);

/// What the model says of y_(t+1) .. y_(t+horizon) after seeing y_1 .. y_t, all of `seen`. At least warm_up(model) values.
std::vector<double> forecast(const SmoothingModel& model, std::span<const double> seen, std::size_t horizon);

/// Mean square of one-step-ahead errors at the values [begin, n) of `series`; each forecast sees all values before it.
double mean_square_ahead(const SmoothingModel& model, std::span<const double> series, std::size_t begin);

/// The model of this method of least mean_square_ahead, by a search that always takes the same steps: a grid of parameters from
/// 0.05 to 0.95, then ever smaller steps from its best point; windows of 2 to 12. `period` is for holt_winters.
SmoothingModel fitted(Smoothing method, std::span<const double> series, std::size_t period);

/// Whether a series of n values is long enough to fit it: twice its warm-up, and four values more.
bool can_fit(Smoothing method, std::size_t values, std::size_t period);

/// Fits every method but naive to all but the last `tail` values, and takes the one that foresees those best, one step ahead;
/// fitted to the whole series then. Naive where the series is too short for any.
SmoothingModel chosen(std::span<const double> series, std::size_t tail, std::size_t period);

/// Variances of forecast errors as multiples of the one-step-ahead variance s^2, for h = 1, 2, ...: with psi_0 = 1 and
/// psi_j what an error does to the forecast j steps on (simple: a; holt: a (1 + b j); holt-winters besides c (1 - a) where m
/// divides j; naive: 1; moving average of k: 1/k, about),
///
///   one     Var(y_(t+h)) / s^2                     = sum over j < h of psi_j^2
///   total   Var(y_(t+1) + ... + y_(t+h)) / s^2     = sum over i < h of (sum over j <= i of psi_j)^2
struct ErrorGrowth {
  std::vector<double> one;
  std::vector<double> total;
};
ErrorGrowth error_growth(const SmoothingModel& model, std::size_t horizon);

/// What to keep in stock. The demand of the `lead_time` weeks until an order arrives is normal, with the forecasts' sum as mean
/// and deviation s sqrt(total); the stock at which to order is exceeded by it with probability 1 - service_level.
struct ReorderPoint {
  double expected = 0;      ///< Demand during the lead time.
  double safety_stock = 0;  ///< Phi^-1(service_level) s sqrt(total)
  double reorder_point = 0;
};
ReorderPoint reorder_point(std::span<const double> forecasts, const ErrorGrowth& growth, double deviation,
                           std::size_t lead_time, double service_level);

}  // namespace hanse
