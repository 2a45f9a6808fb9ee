#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/data/dataset.h"
#include "common/workloads/insights.h"

namespace hanse {

/// A linear model of encoded columns, score = sum_j weights[j] x_j with the intercept last, to be told in the file's units.
struct LinearModel {
  const FeatureSpace& space;     ///< Encoded (common/data/encoding.h).
  std::span<const double> mean;  ///< One a numeric column: x = (value - mean) / deviation.
  std::span<const double> deviation;
  std::span<const double> weights;
  std::span<const double> errors;  ///< Standard errors of the weights; empty: not known.
  /// Of each column of a cross, in the order of columns: its covariance with the number that it crosses. Empty: not known.
  std::span<const double> cross_covariances;
};

/// Row by row what one unit of each column adds to the score, with its standard error: of a number one unit of the file's, of a word
/// its being there. `odds`: scores are logits, and the factor exp(effect) by which odds grow is told with its 95 % interval.
InsightTable coefficient_table(const LinearModel& model, bool odds);

/// The columns that matter most, twenty at most and the intercept aside: by what one standard deviation of a number does, or a word's being there
/// does, to the score. `odds`: with the factor on the odds.
InsightTable largest_effects(const LinearModel& model, bool odds);

/// What is asked of prices. In a log-log model of demand, log units = ... + e log price, e is the elasticity: units change by e per cent
/// where the price changes by one.
struct PriceQuestion {
  /// Names of crossed columns ("log(price)"): one, the row's own price; or the prices of all products, in the order of their words.
  std::vector<std::string> prices;
  std::optional<double> unit_cost;  ///< Of one unit sold, in units of the price.
};

/// Throws bad_input naming workload.prices where a price is no crossed column of these encoded ones, or there are neither one nor as
/// many as words.
void check_prices(const FeatureSpace& space, const PriceQuestion& question);

/// Of each product, a word that the prices are crossed with: its own price elasticity e (main effect plus that of the cross), with
/// standard error and 95 % interval, and the price of most profit. With demand a p^e and the cost c of a unit, profit
/// (p - c) a p^e is greatest at p* = c e / (1 + e) where e < -1 (Lerner 1934: (p - c) / p = -1 / e), and grows without bound with p
/// elsewhere; the range of p* is that of the ends of the interval of e. Where the prices of all products are given, a second table has
/// the elasticity of each product's units by each price.
Insights price_insights(const LinearModel& model, const PriceQuestion& question);

}  // namespace hanse
