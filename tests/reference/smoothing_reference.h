#pragma once

#include <cstddef>
#include <vector>

namespace hanse::reference {

/// One-step-ahead forecasts of Holt's method (trend weight 0 and no first trend: simple smoothing) by writing out the recursion;
/// entry t is what is said of series[t], from t = 2 on.
inline std::vector<double> holt_ahead(const std::vector<double>& series, double level, double trend) {
  std::vector<double> l(series.size(), 0);
  std::vector<double> b(series.size(), 0);
  std::vector<double> ahead(series.size(), 0);
  l[1] = series[1];
  b[1] = series[1] - series[0];
  for (std::size_t t = 2; t < series.size(); ++t) {
    ahead[t] = l[t - 1] + b[t - 1];
    l[t] = level * series[t] + (1 - level) * (l[t - 1] + b[t - 1]);
    b[t] = trend * (l[t] - l[t - 1]) + (1 - trend) * b[t - 1];
  }
  return ahead;
}

/// The same of simple smoothing, from t = 1 on.
inline std::vector<double> simple_ahead(const std::vector<double>& series, double level) {
  std::vector<double> ahead(series.size(), 0);
  for (std::size_t t = 1; t < series.size(); ++t) {
    double weight = level;
    double said = 0;
    double left = 1;
    for (std::size_t k = t; k-- > 0;) {  // The last value most, the first with all that is left.
      const double share = k == 0 ? left : weight;
      said += share * series[k];
      left -= share;
      weight *= 1 - level;
    }
    ahead[t] = said;
  }
  return ahead;
}

}  // namespace hanse::reference
