#include "examples/market/market.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <span>

#include "common/base/failure.h"

namespace hanse {

const std::array<const char*, kCategories> kCategoryNames = {"books",   "coffee", "garden",     "kitchen",
                                                             "outdoor", "shoes",  "stationery", "toys"};
const std::array<const char*, 12> kMonthNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
const std::array<const char*, 3> kVisitorNames = {"returning", "new", "other"};
const std::array<const char*, 3> kDeviceNames = {"desktop", "phone", "tablet"};
const std::array<double, 6> kPriceLevels = {0.7, 0.8, 0.9, 1.0, 1.1, 1.2};

namespace {

/// Purposes of the generators: one a thing, so that more sessions leave the ratings as they are.
enum Stream : std::uint64_t {
  merchant_stream = 1,
  item_stream,
  customer_stream,
  segment_stream,
  price_stream
};

/// An index with probability proportional to the increments of `cumulative`.
std::size_t pick(std::span<const double> cumulative, SeededGenerator& generator) {
  const double target = generator.uniform() * cumulative.back();
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), target);
  return std::min(static_cast<std::size_t>(found - cumulative.begin()), cumulative.size() - 1);
}

void push_cumulative(std::vector<double>& cumulative, double weight) {
  cumulative.push_back((cumulative.empty() ? 0 : cumulative.back()) + weight);
}

/// Zero-padded, so that names sort as numbers do.
std::string numbered(const char* prefix, std::size_t number, std::size_t count) {
  const std::string digits = std::to_string(number);
  const std::size_t width = std::max<std::size_t>(2, std::to_string(count).size());
  return prefix + std::string(width - digits.size(), '0') + digits;
}

/// A point of a taste space: a centre and a deviation from it, scaled to the standard deviation `scale`.
Factors around(const Factors& centre, double scale, SeededGenerator& generator) {
  Factors factors{};
  for (std::size_t k = 0; k < kFactors; ++k) {
    factors[k] = scale * (std::sqrt(0.5) * centre[k] + std::sqrt(0.5) * generator.normal());
  }
  return factors;
}

Factors normal_factors(SeededGenerator& generator) {
  Factors factors{};
  for (double& factor : factors) {
    factor = generator.normal();
  }
  return factors;
}

/// Sizes follow a power law; which merchant is large has nothing to do with its name.
std::vector<MarketMerchant> make_merchants(const MarketOptions& options, const PurchaseTruth& truth) {
  SeededGenerator generator({options.seed, merchant_stream});
  std::vector<double> weights;
  for (std::uint32_t rank = 1; rank <= options.merchants; ++rank) {
    weights.push_back(std::pow(rank, -0.9));
  }
  shuffle(std::span(weights), generator);
  std::vector<MarketMerchant> merchants;
  const std::size_t categories = std::min<std::size_t>(kCategories, options.items);
  for (std::uint32_t m = 0; m < options.merchants; ++m) {
    MarketMerchant merchant;
    merchant.name = numbered("shop-", m + 1, options.merchants);
    merchant.weight = weights[m];
    merchant.purchase_effect = truth.merchant_deviation * generator.normal();
    merchant.rating_bias = 0.2 * generator.normal();
    double all = 0;
    for (std::size_t c = 0; c < categories; ++c) {
      merchant.category_share[c] = generator.gamma(0.6) + 1e-3;
      all += merchant.category_share[c];
    }
    for (double& share : merchant.category_share) {
      share /= all;
    }
    merchants.push_back(std::move(merchant));
  }
  return merchants;
}

std::vector<MarketItem> make_items(const MarketOptions& options) {
  SeededGenerator generator({options.seed, item_stream});
  std::array<Factors, kCategories> centres{};
  for (Factors& centre : centres) {
    centre = normal_factors(generator);
  }
  std::vector<MarketItem> items;
  for (std::uint32_t i = 0; i < options.items; ++i) {
    MarketItem item;
    item.category = i % kCategories;
    item.base_price = std::round(100 * std::exp(3 + 0.8 * generator.normal())) / 100 + 1;
    item.popularity = std::pow(1.0 + static_cast<double>(i / kCategories), -0.6);
    item.rating_bias = 0.35 * generator.normal();
    item.factors = around(centres[item.category], 1.0, generator);
    items.push_back(item);
  }
  return items;
}

std::vector<MarketCustomer> make_customers(const MarketOptions& options,
                                           const std::vector<MarketMerchant>& merchants,
                                           const PurchaseTruth& truth) {
  SeededGenerator segments({options.seed, segment_stream});
  std::array<Factors, kSegments> centres{};
  for (Factors& centre : centres) {
    centre = normal_factors(segments);
  }
  std::vector<double> sizes;
  for (const MarketMerchant& merchant : merchants) {
    push_cumulative(sizes, merchant.weight);
  }
  SeededGenerator generator({options.seed, customer_stream});
  std::vector<MarketCustomer> customers(options.customers);
  for (std::uint32_t c = 0; c < options.customers; ++c) {
    MarketCustomer& customer = customers[c];
    customer.home = c < merchants.size() ? c : static_cast<std::uint32_t>(pick(sizes, generator));
    const auto other = static_cast<std::uint32_t>(pick(sizes, generator));
    const bool shops_around = generator.uniform() < 0.25;
    customer.second = shops_around && other != customer.home ? other : kNoMerchant;
    customer.segment = static_cast<std::uint32_t>(generator.below(kSegments));
    customer.activity = generator.gamma(2.0);
    customer.purchase_effect = truth.customer_deviation * generator.normal();
    customer.rating_bias = 0.35 * generator.normal();
    customer.factors = around(centres[customer.segment], 0.4, generator);
  }
  return customers;
}

void check_range(const char* option, std::uint64_t value, std::uint64_t low, std::uint64_t high,
                 const char* why) {
  if (value < low || value > high) {
    throw bad_input(std::string("--") + option + " must be from " + std::to_string(low) + " to " +
                    std::to_string(high) + why + "; got " + std::to_string(value));
  }
}

double sigmoid(double logit) {
  return 1 / (1 + std::exp(-logit));
}

/// A count whose log1p is near `log1p_mean`.
std::uint32_t count_near(double log1p_mean, double most) {
  return static_cast<std::uint32_t>(std::floor(std::expm1(std::clamp(log1p_mean, 0.0, most)) + 0.5));
}

void draw_behaviour(MarketSession& session, SeededGenerator& generator) {
  session.pages = count_near(1.8 + 0.7 * generator.normal(), 5.5);
  const double interest = std::log1p(session.pages) - 1.8;
  session.seconds = count_near(4.1 + 0.9 * interest + 0.7 * generator.normal(), 9.5);
  session.exit_rate = std::round(1000 * sigmoid(-2 - 0.4 * interest + 0.8 * generator.normal())) / 1000;
  session.basket = count_near(0.5 + 0.3 * interest + 0.6 * generator.normal(), 3.5);
  const double discount = 0.05 + 0.45 * generator.uniform();
  session.discount = generator.uniform() < 0.6 ? 0 : std::round(100 * discount) / 100;
  session.month = static_cast<std::uint32_t>(generator.below(12));
  const double visitor = generator.uniform();
  session.visitor = visitor < 0.65 ? 0 : visitor < 0.93 ? 1 : 2;
  const double device = generator.uniform();
  session.device = device < 0.45 ? 0 : device < 0.9 ? 1 : 2;
  session.weekend = generator.uniform() < 2.0 / 7;
}

double observed_logit(const PurchaseTruth& truth, const MarketSession& session) {
  const double basket = std::log1p(session.basket);
  double logit = truth.intercept + truth.log1p_pages * std::log1p(session.pages) +
                 truth.log1p_seconds * std::log1p(session.seconds) + truth.exit_rate * session.exit_rate +
                 truth.log1p_basket * basket + truth.discount * session.discount +
                 truth.month[session.month] + truth.visitor[session.visitor] + truth.device[session.device];
  logit += session.weekend ? truth.weekend : 0;
  logit += session.visitor == 1 && session.device == 1 ? truth.new_visitor_on_phone : 0;
  return logit + truth.basket_times_discount * basket * session.discount;
}

}  // namespace

void check_options(const MarketOptions& options) {
  check_range("merchants", options.merchants, 1, 16384, "");
  check_range("customers", options.customers, options.merchants, 20'000'000,
              " (a customer for each merchant)");
  check_range("items", options.items, 1, 1'000'000, "");
  check_range("sessions", options.sessions, options.merchants, 1'000'000'000,
              " (a session for each merchant)");
  check_range("weeks", options.weeks, 1, 1040, "");
}

Market::Market(const MarketOptions& chosen) : options(chosen) {
  check_options(options);
  elasticity = {-1.2, -1.5, -1.0, -1.8, -2.0, -2.4, -0.8, -2.8};
  merchants = make_merchants(options, purchase);
  items = make_items(options);
  customers = make_customers(options, merchants, purchase);
  for (std::uint32_t i = 0; i < options.items; ++i) {
    items_of_category[items[i].category].push_back(i);
    push_cumulative(popularity_of_category[items[i].category], items[i].popularity);
  }
  for (const MarketCustomer& customer : customers) {
    push_cumulative(activity, customer.activity);
  }
  for (std::uint32_t week = 0; week < options.weeks; ++week) {
    push_cumulative(season, 1 + 0.3 * std::sin(2 * std::numbers::pi * week / 26));
  }
}

std::uint32_t Market::draw_customer(std::uint64_t row, SeededGenerator& generator) const {
  if (row < customers.size()) {
    return static_cast<std::uint32_t>(row);
  }
  return static_cast<std::uint32_t>(pick(activity, generator));
}

std::uint32_t Market::draw_merchant(std::uint64_t row, const MarketCustomer& customer,
                                    SeededGenerator& generator) const {
  const bool elsewhere = generator.uniform() < 0.35;
  return elsewhere && customer.second != kNoMerchant && row >= customers.size() ? customer.second
                                                                                : customer.home;
}

std::uint32_t Market::draw_item(const MarketMerchant& merchant, SeededGenerator& generator) const {
  double target = generator.uniform();
  std::size_t category = 0;
  const std::size_t last = std::min<std::size_t>(kCategories, items.size()) - 1;
  while (category < last && target >= merchant.category_share[category]) {
    target -= merchant.category_share[category++];
  }
  return items_of_category[category][pick(popularity_of_category[category], generator)];
}

std::uint32_t Market::draw_week(SeededGenerator& generator) const {
  return static_cast<std::uint32_t>(pick(season, generator));
}

std::size_t Market::price_level(std::uint32_t merchant, std::uint32_t item, std::uint32_t week) const {
  return SeededGenerator({options.seed, price_stream, merchant, item, week}).below(kPriceLevels.size());
}

double Market::liking(const MarketMerchant& merchant, const MarketCustomer& customer,
                      const MarketItem& item) const {
  double liking = rating.mean + merchant.rating_bias + customer.rating_bias + item.rating_bias;
  for (std::size_t k = 0; k < kFactors; ++k) {
    liking += customer.factors[k] * item.factors[k];
  }
  return liking;
}

MarketSession draw_session(const Market& market, std::uint64_t row, SeededGenerator& generator) {
  MarketSession session;
  session.customer = market.draw_customer(row, generator);
  const MarketCustomer& customer = market.customers[session.customer];
  session.merchant = market.draw_merchant(row, customer, generator);
  draw_behaviour(session, generator);
  session.logit_observed = observed_logit(market.purchase, session);
  session.logit =
      session.logit_observed + market.merchants[session.merchant].purchase_effect + customer.purchase_effect;
  session.purchase = generator.uniform() < sigmoid(session.logit);
  return session;
}

}  // namespace hanse
