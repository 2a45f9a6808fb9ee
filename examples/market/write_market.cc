#include "examples/market/write_market.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/failure.h"
#include "examples/market/csv_file.h"
#include "examples/market/market_texts.h"
#include "examples/market/reviews.h"

namespace hanse {
namespace {

/// Streams of the row generators; the market's own are below 100.
enum Stream : std::uint64_t { session_stream = 101, rating_stream, order_stream, review_stream };

constexpr std::uint64_t kFirstSecond = 1767225600;  // 2026-01-01
constexpr std::uint64_t kSecondsOfWeek = 7 * 24 * 3600;

/// The area under the ROC curve of logits, from counts in narrow bins; equal scores count half.
class RocArea {
 public:
  void add(double logit, bool positive) {
    const double place = (std::clamp(logit, -kLimit, kLimit) + kLimit) / (2 * kLimit);
    counts_[std::min(static_cast<std::size_t>(place * kBins), kBins - 1)][positive ? 1 : 0] += 1;
  }
  /// 0.5 when one of the classes is missing.
  double value() const {
    double below = 0, pairs = 0, positives = 0;
    for (const auto& [negative, positive] : counts_) {
      pairs += positive * (below + negative / 2);
      below += negative;
      positives += positive;
    }
    return below > 0 && positives > 0 ? pairs / (below * positives) : 0.5;
  }

 private:
  static constexpr std::size_t kBins = 1 << 16;
  static constexpr double kLimit = 20;
  std::vector<std::array<double, 2>> counts_ = std::vector<std::array<double, 2>>(kBins);
};

std::string customer_name(std::uint32_t customer) {
  return "c" + std::to_string(customer + 1);
}

void write_sessions(const std::filesystem::path& file, const Market& market, MarketFacts& facts) {
  CsvFile csv(file);
  csv.write(
      "merchant,customer,pages,seconds,exit_rate,basket,discount,month,visitor,device,weekend,purchase\n");
  SeededGenerator generator({market.options.seed, session_stream});
  RocArea bayes, columns;
  std::uint64_t purchases = 0;
  for (std::uint64_t row = 0; row < market.options.sessions; ++row) {
    const MarketSession session = draw_session(market, row, generator);
    bayes.add(session.logit, session.purchase);
    columns.add(session.logit_observed, session.purchase);
    purchases += session.purchase ? 1 : 0;
    csv.print("%s,%s,%u,%u,%g,%u,%g,%s,%s,%s,%d,%d\n", market.merchants[session.merchant].name.c_str(),
              customer_name(session.customer).c_str(), session.pages, session.seconds, session.exit_rate,
              session.basket, session.discount, kMonthNames[session.month], kVisitorNames[session.visitor],
              kDeviceNames[session.device], session.weekend ? 1 : 0, session.purchase ? 1 : 0);
  }
  csv.close();
  facts.sessions = market.options.sessions;
  facts.purchase_rate = static_cast<double>(purchases) / static_cast<double>(facts.sessions);
  facts.auc_bayes = bayes.value();
  facts.auc_columns = columns.value();
}

double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// The mean of round(N(liking, deviation^2)) held within 1 and 5: 1 + sum of P(rating >= k).
double expected_rating(double liking, double deviation) {
  double mean = 1;
  for (int k = 2; k <= 5; ++k) {
    mean += normal_below((liking - (k - 0.5)) / deviation);
  }
  return mean;
}

/// The items a customer rates at her merchants: of two that come her way, the one she expects to like more.
std::vector<std::pair<std::uint32_t, std::uint32_t>> rated_items(const Market& market,
                                                                 const MarketCustomer& customer,
                                                                 SeededGenerator& generator) {
  const double wished = 6 + 8 * customer.activity;
  const auto count =
      static_cast<std::size_t>(std::min(wished, 0.5 + static_cast<double>(market.items.size()) / 2));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> rated;
  for (std::size_t tries = 0; rated.size() < std::max<std::size_t>(count, 1) && tries < 8 * count + 8;
       ++tries) {
    const std::uint32_t where = market.draw_merchant(~std::uint64_t{0}, customer, generator);
    const std::uint32_t merchant = rated.empty() ? customer.home : where;
    const std::uint32_t a = market.draw_item(market.merchants[merchant], generator);
    const std::uint32_t b = market.draw_item(market.merchants[merchant], generator);
    const bool prefers_a = market.liking(market.merchants[merchant], customer, market.items[a]) >=
                           market.liking(market.merchants[merchant], customer, market.items[b]);
    const std::pair choice{merchant, prefers_a ? a : b};
    if (std::find(rated.begin(), rated.end(), choice) == rated.end()) {
      rated.push_back(choice);
    }
  }
  return rated;
}

void write_ratings(const std::filesystem::path& file, const Market& market, MarketFacts& facts) {
  CsvFile csv(file);
  csv.write("merchant,customer,item,rating,time\n");
  SeededGenerator generator({market.options.seed, rating_stream});
  const double deviation = market.rating.noise_deviation;
  double squared_error = 0, sum = 0, squares = 0;
  for (std::uint32_t c = 0; c < market.customers.size(); ++c) {
    for (const auto& [merchant, item] : rated_items(market, market.customers[c], generator)) {
      const double liking =
          market.liking(market.merchants[merchant], market.customers[c], market.items[item]);
      const double rating = std::clamp(std::floor(liking + deviation * generator.normal() + 0.5), 1.0, 5.0);
      const double error = rating - expected_rating(liking, deviation);
      squared_error += error * error;
      sum += rating;
      squares += rating * rating;
      const std::uint64_t time = kFirstSecond + generator.below(market.options.weeks * kSecondsOfWeek);
      csv.print("%s,%s,%u,%d,%llu\n", market.merchants[merchant].name.c_str(), customer_name(c).c_str(),
                item + 1, static_cast<int>(rating), static_cast<unsigned long long>(time));
      ++facts.ratings;
    }
  }
  csv.close();
  const auto count = static_cast<double>(facts.ratings);
  facts.rmse_bayes = std::sqrt(squared_error / count);
  facts.rmse_mean = std::sqrt(std::max(0.0, squares / count - (sum / count) * (sum / count)));
}

/// One order: draws until one is accepted with probability (price ratio ^ elasticity) over its largest value,
/// so that the expected number of orders at a price follows the demand curve exactly.
void write_order(CsvFile& csv, const Market& market, std::uint64_t row, SeededGenerator& generator) {
  const std::uint32_t c = market.draw_customer(row, generator);
  const MarketCustomer& customer = market.customers[c];
  const std::uint32_t merchant = market.draw_merchant(row, customer, generator);
  for (;;) {
    const std::uint32_t item = market.draw_item(market.merchants[merchant], generator);
    const std::uint32_t week = market.draw_week(generator);
    const double ratio = kPriceLevels[market.price_level(merchant, item, week)];
    const std::size_t category = market.items[item].category;
    if (generator.uniform() * std::pow(kPriceLevels[0], market.elasticity[category]) >=
        std::pow(ratio, market.elasticity[category])) {
      continue;
    }
    int quantity = 1;
    while (quantity < 9 && generator.uniform() < 0.25) {
      ++quantity;
    }
    csv.print("%s,%s,%u,%s,%u,%d,%.2f\n", market.merchants[merchant].name.c_str(), customer_name(c).c_str(),
              item + 1, kCategoryNames[category], week, quantity, ratio * market.items[item].base_price);
    return;
  }
}

void write_orders(const std::filesystem::path& file, const Market& market, MarketFacts& facts) {
  CsvFile csv(file);
  csv.write("merchant,customer,item,category,week,quantity,price\n");
  SeededGenerator generator({market.options.seed, order_stream});
  const std::uint64_t visits = std::uint64_t{market.options.customers} * market.options.weeks / 4;
  facts.orders = std::max<std::uint64_t>(visits, market.options.merchants);
  for (std::uint64_t row = 0; row < facts.orders; ++row) {
    write_order(csv, market, row, generator);
  }
  csv.close();
}

void write_reviews(const std::filesystem::path& file, const Market& market, MarketFacts& facts) {
  CsvFile csv(file);
  csv.write("merchant,customer,item,text,satisfied\n");
  SeededGenerator generator({market.options.seed, review_stream});
  RocArea truth;
  facts.reviews =
      std::max<std::uint64_t>(std::uint64_t{8} * market.options.customers, market.options.merchants);
  for (std::uint64_t row = 0; row < facts.reviews; ++row) {
    const std::uint32_t c = market.draw_customer(row, generator);
    const std::uint32_t merchant = market.draw_merchant(row, market.customers[c], generator);
    const std::uint32_t item = market.draw_item(market.merchants[merchant], generator);
    const double liking = market.liking(market.merchants[merchant], market.customers[c], market.items[item]);
    const bool satisfied = liking + market.rating.noise_deviation * generator.normal() >= market.rating.mean;
    const Review review = draw_review(satisfied, generator);
    truth.add(review.evidence, satisfied);
    csv.print("%s,%s,%u,%s,%d\n", market.merchants[merchant].name.c_str(), customer_name(c).c_str(), item + 1,
              review.text.c_str(), satisfied ? 1 : 0);
  }
  csv.close();
  facts.auc_reviews = truth.value();
}

void write_items(const std::filesystem::path& file, const Market& market) {
  CsvFile csv(file);
  csv.write("item,category,base_price\n");
  for (std::uint32_t i = 0; i < market.items.size(); ++i) {
    csv.print("%u,%s,%.2f\n", i + 1, kCategoryNames[market.items[i].category], market.items[i].base_price);
  }
  csv.close();
}

void write_customers(const std::filesystem::path& file, const Market& market) {
  CsvFile csv(file);
  csv.write("customer,home,second\n");
  for (std::uint32_t c = 0; c < market.customers.size(); ++c) {
    const MarketCustomer& customer = market.customers[c];
    csv.print("%s,%s,%s\n", customer_name(c).c_str(), market.merchants[customer.home].name.c_str(),
              customer.second == kNoMerchant ? "" : market.merchants[customer.second].name.c_str());
  }
  csv.close();
}

template <class Names, class Values>
nlohmann::ordered_json named(const Names& names, const Values& values) {
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < names.size(); ++i) {
    json[names[i]] = values[i];
  }
  return json;
}

nlohmann::ordered_json purchase_json(const Market& market, const MarketFacts& facts) {
  const PurchaseTruth& truth = market.purchase;
  nlohmann::ordered_json json = {{"intercept", truth.intercept},
                                 {"log1p_pages", truth.log1p_pages},
                                 {"log1p_seconds", truth.log1p_seconds},
                                 {"exit_rate", truth.exit_rate},
                                 {"log1p_basket", truth.log1p_basket},
                                 {"discount", truth.discount},
                                 {"month", named(kMonthNames, truth.month)},
                                 {"visitor", named(kVisitorNames, truth.visitor)},
                                 {"device", named(kDeviceNames, truth.device)},
                                 {"weekend", truth.weekend},
                                 {"new_visitor_on_phone", truth.new_visitor_on_phone},
                                 {"log1p_basket_times_discount", truth.basket_times_discount},
                                 {"merchant_deviation", truth.merchant_deviation},
                                 {"customer_deviation", truth.customer_deviation}};
  for (const MarketMerchant& merchant : market.merchants) {
    json["merchant"][merchant.name] = merchant.purchase_effect;
  }
  json["measured"] = {{"sessions", facts.sessions},
                      {"purchase_rate", facts.purchase_rate},
                      {"bayes_auc", facts.auc_bayes},
                      {"bayes_auc_of_the_columns_alone", facts.auc_columns}};
  return json;
}

nlohmann::ordered_json rating_json(const Market& market, const MarketFacts& facts) {
  nlohmann::ordered_json json = {{"mean", market.rating.mean},
                                 {"noise_deviation", market.rating.noise_deviation}};
  for (const MarketMerchant& merchant : market.merchants) {
    json["merchant_bias"][merchant.name] = merchant.rating_bias;
  }
  json["measured"] = {
      {"ratings", facts.ratings}, {"bayes_rmse", facts.rmse_bayes}, {"rmse_of_the_mean", facts.rmse_mean}};
  return json;
}

/// Bias and factors of a list of things, one a line: written as it goes, for there may be millions.
template <class Things>
void write_factors(CsvFile& file, const char* name, const Things& things) {
  file.print(",\n\"%s\": [", name);
  const char* separator = "\n";
  for (const auto& thing : things) {
    file.print("%s[%.6g", separator, thing.rating_bias);
    for (const double factor : thing.factors) {
      file.print(",%.6g", factor);
    }
    file.write("]");
    separator = ",\n";
  }
  file.write("\n]");
}

void write_truth(const std::filesystem::path& path, const Market& market, const MarketFacts& facts) {
  nlohmann::ordered_json json;
  json["format"] = "hanse market truth";
  json["version"] = 1;
  json["seed"] = market.options.seed;
  json["purchase"] = purchase_json(market, facts);
  json["rating"] = rating_json(market, facts);
  json["elasticity"] = named(kCategoryNames, market.elasticity);
  json["orders"] = facts.orders;
  json["reviews"] = {{"reviews", facts.reviews}, {"bayes_auc", facts.auc_reviews}};
  std::string head = json.dump(1);
  head.resize(head.size() - 2);  // Without the newline and the brace at its end.
  CsvFile file(path);
  file.write(head);
  write_factors(file, "item_bias_and_factors", market.items);
  write_factors(file, "customer_bias_and_factors", market.customers);
  file.write("\n}\n");
  file.close();
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  CsvFile file(path);
  file.write(text);
  file.close();
}

void open_folder(const std::filesystem::path& folder, bool force) {
  std::error_code error;
  const bool taken = std::filesystem::exists(folder, error) && !std::filesystem::is_empty(folder, error);
  if (taken && !std::filesystem::is_directory(folder)) {
    throw bad_input(folder.string() + " is a file: name a folder for the market");
  }
  if (taken && !force) {
    throw bad_input(folder.string() +
                    " exists and is not empty: choose another folder, or write over it with --force");
  }
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Failure(ExitCode::could_not_finish, "cannot make " + folder.string() + ": " + error.message());
  }
}

}  // namespace

MarketFacts write_market(const std::filesystem::path& folder, const Market& market, bool force) {
  open_folder(folder, force);
  MarketFacts facts;
  const auto path = [&](const char* name) {
    facts.files.push_back(name);
    return folder / name;
  };
  write_ratings(path("ratings.csv"), market, facts);
  write_sessions(path("sessions.csv"), market, facts);
  write_orders(path("orders.csv"), market, facts);
  write_reviews(path("reviews.csv"), market, facts);
  write_items(path("items.csv"), market);
  write_customers(path("customers.csv"), market);
  write_truth(path("truth.json"), market, facts);
  write_text(path("purchase.ini"), purchase_ini(market.options));
  write_text(path("recommendation.ini"), recommendation_ini(market.options));
  write_text(path("reviews.ini"), reviews_ini(market.options));
  write_text(path("README.txt"), market_readme(market.options));
  return facts;
}

}  // namespace hanse
