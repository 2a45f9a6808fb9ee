#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/seeded_generator.h"

namespace hanse {

/// How large a synthetic market is. The same options give the same market, byte for byte.
struct MarketOptions {
  std::uint32_t merchants = 20;
  std::uint32_t customers = 6000;
  std::uint32_t items = 200;
  std::uint64_t sessions = 60000;
  std::uint32_t weeks = 26;
  std::uint64_t seed = 1;
};

/// Throws bad_input when a number makes no market: everyone needs a customer, and a session.
void check_options(const MarketOptions& options);

inline constexpr std::size_t kFactors = 4;
inline constexpr std::size_t kCategories = 8;
inline constexpr std::size_t kSegments = 6;
inline constexpr std::uint32_t kNoMerchant = ~std::uint32_t{0};
using Factors = std::array<double, kFactors>;

extern const std::array<const char*, kCategories> kCategoryNames;
extern const std::array<const char*, 12> kMonthNames;
extern const std::array<const char*, 3> kVisitorNames;
extern const std::array<const char*, 3> kDeviceNames;
/// Price over base price; every merchant draws one level a week and item.
extern const std::array<double, 6> kPriceLevels;

struct MarketMerchant {
  std::string name;
  double weight = 0;           ///< Share of customers, a power law over the merchants.
  double purchase_effect = 0;  ///< Added to the logit of a purchase.
  double rating_bias = 0;
  std::array<double, kCategories> category_share{};
};

struct MarketItem {
  std::uint32_t category = 0;
  double base_price = 0;
  double popularity = 0;  ///< Within its category.
  double rating_bias = 0;
  Factors factors{};
};

struct MarketCustomer {
  std::uint32_t home = 0;
  std::uint32_t second = kNoMerchant;  ///< A quarter of the customers shop at two merchants.
  std::uint32_t segment = 0;
  double activity = 1;
  double purchase_effect = 0;
  double rating_bias = 0;
  Factors factors{};
};

/// logit P(purchase) = intercept + merchant + customer + coefficients . (transformed columns) + two
/// interactions.
struct PurchaseTruth {
  double intercept = -5.05;
  double log1p_pages = 0.5;
  double log1p_seconds = 0.35;
  double exit_rate = -3.0;
  double log1p_basket = 1.3;
  double discount = 2.0;
  std::array<double, 12> month{0.0, -0.3, -0.1, 0.0, 0.1, 0.0, -0.1, -0.2, 0.0, 0.2, 0.6, 0.4};
  std::array<double, 3> visitor{0.3, 0.0, -0.4};
  std::array<double, 3> device{0.3, -0.2, 0.0};
  double weekend = 0.15;
  double new_visitor_on_phone = -0.5;  ///< Interaction that a linear model cannot see.
  double basket_times_discount = 0.8;  ///< Interaction.
  double merchant_deviation = 0.4;
  double customer_deviation = 0.5;
};

/// rating = round(mean + biases of customer, item and merchant + p . q + noise), held within 1 and 5.
struct RatingTruth {
  double mean = 3.6;
  double noise_deviation = 0.6;
};

/// Everything behind the data. Memory: customers, items and merchants; never rows.
struct Market {
  MarketOptions options;
  std::vector<MarketMerchant> merchants;  ///< In the order of their names; size is not.
  std::vector<MarketItem> items;
  std::vector<MarketCustomer> customers;
  std::array<std::vector<std::uint32_t>, kCategories> items_of_category;
  std::array<std::vector<double>, kCategories> popularity_of_category;  ///< Cumulative, like the two below.
  std::vector<double> activity;
  std::vector<double> season;                  ///< Of weeks.
  std::array<double, kCategories> elasticity;  ///< d log(quantity) / d log(price), negative.
  PurchaseTruth purchase;
  RatingTruth rating;

  explicit Market(const MarketOptions& options);

  /// The customer of row `row` of a file: everyone once first, so that no merchant is missing from any file.
  std::uint32_t draw_customer(std::uint64_t row, SeededGenerator& generator) const;
  /// Where she shops this time: at home on her first row.
  std::uint32_t draw_merchant(std::uint64_t row, const MarketCustomer& customer,
                              SeededGenerator& generator) const;
  /// An item by the merchant's mix of categories and the item's popularity. Items are numbered from 0 here.
  std::uint32_t draw_item(const MarketMerchant& merchant, SeededGenerator& generator) const;
  std::uint32_t draw_week(SeededGenerator& generator) const;
  /// Index into kPriceLevels.
  std::size_t price_level(std::uint32_t merchant, std::uint32_t item, std::uint32_t week) const;
  /// The mean of a rating before rounding and clipping.
  double liking(const MarketMerchant& merchant, const MarketCustomer& customer, const MarketItem& item) const;
};

/// One session, as in sessions.csv, and its true probability of a purchase.
struct MarketSession {
  std::uint32_t merchant = 0;
  std::uint32_t customer = 0;
  std::uint32_t pages = 0;
  std::uint32_t seconds = 0;
  double exit_rate = 0;
  std::uint32_t basket = 0;
  double discount = 0;
  std::uint32_t month = 0;
  std::uint32_t visitor = 0;
  std::uint32_t device = 0;
  bool weekend = false;
  bool purchase = false;
  double logit_observed = 0;  ///< Without what no column shows: the effects of merchant and customer.
  double logit = 0;
};
MarketSession draw_session(const Market& market, std::uint64_t row, SeededGenerator& generator);

}  // namespace hanse
