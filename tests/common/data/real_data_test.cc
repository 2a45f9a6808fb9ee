#include <cstdlib>
#include <numeric>

#include "common/data/read_dataset.h"

namespace hanse {
namespace {

// Runs where HANSE_DATA names the folder of the real data sets, which are not part of the project.
class RealData : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("HANSE_DATA");
    if (folder == nullptr) {
      GTEST_SKIP() << "HANSE_DATA is not set";
    }
    folder_ = folder;
  }
  static double positives(const Dataset& data) {
    const auto sum = [](const RowBlock& block) {
      return std::accumulate(block.labels.begin(), block.labels.end(), 0.0);
    };
    return (sum(data.train) + sum(data.test)) /
           static_cast<double>(data.train.labels.size() + data.test.labels.size());
  }

  std::string folder_;
  Configuration configuration_;
};

TEST_F(RealData, ShoppersByTrafficType) {
  configuration_.data.path = folder_ + "/free/shoppers/shoppers.csv";
  configuration_.data.merchant = "traffic_type";
  configuration_.data.label = "revenue";
  configuration_.data.numeric = {"log1p:product_sec[0..12]", "bounce_rate", "exit_rate"};
  configuration_.data.categorical = {"month", "region[1..9]"};
  configuration_.data.test = "file:shoppers.split";

  const Dataset data = read_dataset(configuration_, 1, 1);

  EXPECT_EQ(data.merchants.size(), 20u);
  EXPECT_EQ(data.train.features.rows() + data.test.features.rows(), 12330u);
  EXPECT_NEAR(positives(data), 0.155, 0.0005);
}

TEST_F(RealData, RatingsByOccupation) {
  configuration_.data.path = folder_ + "/restricted/ml100k/ratings.csv";
  configuration_.data.format = "ratings";
  configuration_.data.merchant = "occupation@users.csv";
  configuration_.data.customer = "user";
  configuration_.data.item = "item@items.csv";

  std::size_t merchants = 0, customers = 0, ratings = 0;
  for (std::uint32_t worker = 1; worker <= 4; ++worker) {
    const Dataset data = read_dataset(configuration_, worker, 4);
    merchants += data.merchants.size();
    customers += data.train.features.rows();
    ratings += data.train.features.nonzeros();
  }

  EXPECT_EQ(merchants, 21u);
  EXPECT_EQ(customers, 943u);
  EXPECT_EQ(ratings, 100000u);
}

TEST_F(RealData, AdultsByWorkClass) {
  configuration_.data.path = folder_ + "/free/a9a/a9a.train.libsvm";
  configuration_.data.format = "libsvm";
  configuration_.data.features = 123;
  configuration_.data.merchant = "feature:6-13";
  configuration_.data.test = "path:a9a.test.libsvm";

  const Dataset data = read_dataset(configuration_, 1, 1);

  EXPECT_EQ(data.merchants.size(), 9u);
  EXPECT_EQ(data.train.features.nonzeros(), 451592u + 32561u);
  EXPECT_EQ(data.test.features.nonzeros(), 225731u + 16281u);
}

TEST_F(RealData, DiscountsByStore) {
  configuration_.data.path = folder_ + "/free/completejourney/discount.csv";
  configuration_.data.merchant = "store_id";
  configuration_.data.customer = "household_id";
  configuration_.data.label = "discounted";
  configuration_.data.categorical = {"product_category", "brand{National|Private}", "week[1..53]"};
  configuration_.data.test = "file:transactions.split";
  configuration_.data.clean = {"missing:drop"};

  const Dataset data = read_dataset(configuration_, 1, 1);

  EXPECT_EQ(data.merchants.size(), 293u);
  EXPECT_NEAR(positives(data), 0.501, 0.005);
  ASSERT_EQ(data.account.size(), 1u);
  EXPECT_EQ(data.train.features.rows() + data.test.features.rows() +
                static_cast<std::size_t>(std::stoul(data.account[0])),
            75000u);
}

}  // namespace
}  // namespace hanse
