#include "common/data/deal.h"

#include <algorithm>
#include <map>

namespace hanse {
namespace {

TEST(Deal, GivesTheLargestFirstToTheLeastLoaded) {
  const std::vector<MerchantSize> merchants{{"a", 1}, {"b", 5}, {"c", 4}, {"d", 3}};

  // b -> 1, c -> 2, d -> 2 (4 < 5), a -> 1 (5 < 7).
  EXPECT_EQ(deal(merchants, 2), (std::vector<std::uint32_t>{1, 1, 2, 2}));
}

TEST(Deal, DoesNotDependOnTheOrderOfMerchants) {
  std::vector<MerchantSize> merchants;
  for (int i = 0; i < 50; ++i) {
    merchants.push_back({std::to_string(i), static_cast<std::uint64_t>(i * i % 7)});
  }
  const auto by_name = [&] {
    std::map<std::string, std::uint32_t> workers;
    const auto dealt = deal(merchants, 3);
    for (std::size_t i = 0; i < dealt.size(); ++i) {
      workers[merchants[i].name] = dealt[i];
    }
    return workers;
  };
  const auto forward = by_name();

  std::reverse(merchants.begin(), merchants.end());

  EXPECT_EQ(by_name(), forward);
}

TEST(Deal, LeavesWorkersWithoutMerchantsWhenThereAreTooFew) {
  EXPECT_EQ(deal({{"a", 1}}, 3), (std::vector<std::uint32_t>{1}));
  EXPECT_TRUE(deal({}, 3).empty());
}

}  // namespace
}  // namespace hanse
