#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/config/configuration.h"
#include "examples/market/write_market.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',') {
      cells.emplace_back();
    } else {
      cells.back().push_back(c);
    }
  }
  return cells;
}

std::vector<Row> read_rows(const std::filesystem::path& file) {
  std::istringstream stream(read_file(file));
  std::string line;
  std::getline(stream, line);
  const auto header = split(line);
  std::vector<Row> rows;
  while (std::getline(stream, line)) {
    const auto cells = split(line);
    EXPECT_EQ(cells.size(), header.size()) << line;
    Row row;
    for (std::size_t i = 0; i < std::min(cells.size(), header.size()); ++i) {
      row[header[i]] = cells[i];
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

MarketOptions small_market() {
  MarketOptions options;
  options.merchants = 5;
  options.customers = 400;
  options.items = 40;
  options.sessions = 4000;
  options.weeks = 20;
  options.seed = 3;
  return options;
}

const std::vector<std::string> kFiles = {
    "ratings.csv",  "sessions.csv",       "orders.csv", "items.csv",   "customers.csv", "truth.json",
    "purchase.ini", "recommendation.ini", "README.txt", "reviews.csv", "reviews.ini"};

class MarketFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test_folder() / "hanse_market_test";
    std::filesystem::remove_all(folder_);
  }
  std::filesystem::path folder_;
};

TEST_F(MarketFolder, IsAFunctionOfItsOptions) {
  write_market(folder_ / "a", Market(small_market()), false);
  write_market(folder_ / "b", Market(small_market()), false);
  MarketOptions other = small_market();
  other.seed = 4;
  write_market(folder_ / "c", Market(other), false);

  for (const std::string& file : kFiles) {
    EXPECT_EQ(read_file(folder_ / "a" / file), read_file(folder_ / "b" / file)) << file;
  }
  EXPECT_NE(read_file(folder_ / "a" / "sessions.csv"), read_file(folder_ / "c" / "sessions.csv"));
}

TEST_F(MarketFolder, MoreSessionsLeaveTheRatingsAsTheyAre) {
  MarketOptions more = small_market();
  more.sessions *= 2;
  write_market(folder_ / "a", Market(small_market()), false);
  write_market(folder_ / "b", Market(more), false);

  EXPECT_EQ(read_file(folder_ / "a" / "ratings.csv"), read_file(folder_ / "b" / "ratings.csv"));
}

TEST_F(MarketFolder, HoldsEveryMerchantInEveryFileAndValuesWithinTheirRanges) {
  const MarketFacts facts = write_market(folder_, Market(small_market()), false);

  const auto sessions = read_rows(folder_ / "sessions.csv");
  const auto ratings = read_rows(folder_ / "ratings.csv");
  const auto orders = read_rows(folder_ / "orders.csv");
  EXPECT_EQ(sessions.size(), 4000u);
  EXPECT_EQ(ratings.size(), facts.ratings);
  EXPECT_EQ(orders.size(), facts.orders);
  for (const auto* rows : {&sessions, &ratings, &orders}) {
    std::set<std::string> merchants;
    for (const Row& row : *rows) {
      merchants.insert(row.at("merchant"));
    }
    EXPECT_EQ(merchants, (std::set<std::string>{"shop-01", "shop-02", "shop-03", "shop-04", "shop-05"}));
  }
  std::map<std::string, std::set<std::string>> merchants_of;
  std::set<std::string> pairs;
  for (const Row& row : ratings) {
    const int rating = std::stoi(row.at("rating")), item = std::stoi(row.at("item"));
    EXPECT_TRUE(rating >= 1 && rating <= 5 && item >= 1 && item <= 40);
    EXPECT_TRUE(pairs.insert(row.at("merchant") + row.at("customer") + "/" + row.at("item")).second);
    merchants_of[row.at("customer")].insert(row.at("merchant"));
  }
  std::size_t at_two = 0;
  for (const auto& [customer, merchants] : merchants_of) {
    EXPECT_LE(merchants.size(), 2u);
    at_two += merchants.size() == 2 ? 1u : 0u;
  }
  EXPECT_GT(at_two, 20u);
  for (const Row& row : sessions) {
    EXPECT_LE(std::log1p(std::stod(row.at("pages"))), 6);
    EXPECT_LE(std::log1p(std::stod(row.at("seconds"))), 10);
    EXPECT_LE(std::log1p(std::stod(row.at("basket"))), 4);
    EXPECT_LE(std::stod(row.at("discount")), 0.5);
  }
}

TEST_F(MarketFolder, MerchantsHaveVeryDifferentSizes) {
  MarketOptions options = small_market();
  options.merchants = 20;
  options.customers = 4000;
  const Market market(options);

  std::map<std::uint32_t, int> customers;
  for (const MarketCustomer& customer : market.customers) {
    ++customers[customer.home];
  }

  int least = 4000, most = 0;
  for (const auto& [merchant, count] : customers) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  EXPECT_GT(most, 8 * least);
}

// A log-log line through the quantity sold at each price level: prices are drawn whatever the demand, so each
// level was offered equally often and the slope is the elasticity. About 1,000 orders a level: a standard
// error below 0.1.
TEST_F(MarketFolder, ElasticityIsRecoveredByALogLogLine) {
  MarketOptions options = small_market();
  options.customers = 10000;
  options.weeks = 40;
  const Market market(options);
  write_market(folder_, market, false);
  std::map<std::string, double> base_price;
  for (const Row& row : read_rows(folder_ / "items.csv")) {
    base_price[row.at("item")] = std::stod(row.at("base_price"));
  }

  std::map<std::string, std::map<long, double>> sold;
  for (const Row& row : read_rows(folder_ / "orders.csv")) {
    const double ratio = std::stod(row.at("price")) / base_price.at(row.at("item"));
    sold[row.at("category")][std::lround(10 * ratio)] += std::stod(row.at("quantity"));
  }

  const auto truth = nlohmann::json::parse(read_file(folder_ / "truth.json"))["elasticity"];
  ASSERT_EQ(sold.size(), kCategories);
  for (const auto& [category, levels] : sold) {
    ASSERT_EQ(levels.size(), kPriceLevels.size()) << category;
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (const auto& [level, quantity] : levels) {
      const double log_price = std::log(static_cast<double>(level) / 10);
      n += 1;
      x += log_price;
      y += std::log(quantity);
      xx += log_price * log_price;
      xy += log_price * std::log(quantity);
    }
    const double slope = (n * xy - x * y) / (n * xx - x * x);
    EXPECT_NEAR(slope, truth[category].get<double>(), 0.45) << category;
  }
}

TEST_F(MarketFolder, ProbabilitiesAreCalibratedAndTellPurchasesApart) {
  const Market market(small_market());
  SeededGenerator generator({9});
  double expected = 0, bought = 0;

  for (std::uint64_t row = 0; row < 20000; ++row) {
    const MarketSession session = draw_session(market, row, generator);
    expected += 1 / (1 + std::exp(-session.logit));
    bought += session.purchase ? 1 : 0;
  }

  EXPECT_NEAR(bought / 20000, expected / 20000, 5 * 0.5 / std::sqrt(20000));
  EXPECT_GT(bought / 20000, 0.1);
  EXPECT_LT(bought / 20000, 0.4);
}

TEST_F(MarketFolder, TheTruthScoresBetterThanLess) {
  const MarketFacts facts = write_market(folder_, Market(small_market()), false);

  EXPECT_GT(facts.auc_bayes, facts.auc_columns);
  EXPECT_GT(facts.auc_columns, 0.7);
  EXPECT_LT(facts.rmse_bayes, 0.8 * facts.rmse_mean);
  const auto truth = nlohmann::json::parse(read_file(folder_ / "truth.json"));
  EXPECT_EQ(truth["item_bias_and_factors"].size(), 40u);
  EXPECT_EQ(truth["customer_bias_and_factors"].size(), 400u);
  EXPECT_EQ(truth["customer_bias_and_factors"][0].size(), 1 + kFactors);
  EXPECT_NEAR(truth["purchase"]["measured"]["bayes_auc"].get<double>(), facts.auc_bayes, 1e-12);
}

TEST_F(MarketFolder, ItsConfigurationsAreReadByHanse) {
  write_market(folder_, Market(small_market()), false);

  const Configuration purchase = read_configuration(folder_ / "purchase.ini", {});
  const Configuration recommendation = read_configuration(folder_ / "recommendation.ini", {});

  EXPECT_EQ(purchase.workload.name, "logistic");
  EXPECT_EQ(purchase.data.path, (std::filesystem::absolute(folder_) / "sessions.csv").lexically_normal());
  EXPECT_EQ(purchase.data.numeric.size(), 5u);
  EXPECT_EQ(purchase.data.categorical.size(), 4u);
  EXPECT_EQ(purchase.privacy.unit, Unit::customer);
  EXPECT_EQ(purchase.privacy.max_merchants_per_customer, 2u);
  EXPECT_EQ(recommendation.data.item, "item[1..40]");
  EXPECT_GT(recommendation.privacy.epsilon, 0);
  EXPECT_EQ(read_configuration(folder_ / "reviews.ini", {}).data.text, std::vector<std::string>{"text#2048"});
}

TEST_F(MarketFolder, TheSmallestMarketIsAMarket) {
  MarketOptions options;
  options.merchants = options.customers = options.items = options.weeks = 1;
  options.sessions = 1;

  const MarketFacts facts = write_market(folder_, Market(options), false);

  EXPECT_EQ(facts.sessions, 1u);
  EXPECT_EQ(facts.ratings, 1u);
  EXPECT_EQ(facts.orders, 1u);
  EXPECT_EQ(facts.reviews, 8u);
  EXPECT_EQ(facts.auc_bayes, 0.5);
}

TEST_F(MarketFolder, RefusesAFolderThatIsTakenUnlessForced) {
  const Market market(small_market());
  std::filesystem::create_directories(folder_);
  EXPECT_NO_THROW(write_market(folder_, market, false));

  EXPECT_THROW(write_market(folder_, market, false), Failure);
  EXPECT_NO_THROW(write_market(folder_, market, true));
  EXPECT_THROW(write_market(folder_ / "README.txt", market, true), Failure);
  EXPECT_THROW(write_market("/proc/no-such-market", market, true), Failure);
}

TEST(MarketOptions, RefusesNumbersThatMakeNoMarket) {
  for (const auto& [field, value] : std::vector<std::pair<int, std::uint32_t>>{
           {0, 0}, {0, 20000}, {1, 4}, {2, 0}, {3, 4}, {4, 0}, {4, 100000}}) {
    MarketOptions options = small_market();
    (field == 0   ? options.merchants
     : field == 1 ? options.customers
     : field == 2 ? options.items
                  : options.weeks) = field == 3 ? options.weeks : value;
    options.sessions = field == 3 ? value : options.sessions;

    EXPECT_THROW(check_options(options), Failure) << field << " " << value;
  }
}

}  // namespace
}  // namespace hanse
