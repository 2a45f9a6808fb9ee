#include "common/data/partition.h"

#include <algorithm>
#include <map>
#include <vector>

#include "common/data/split.h"
#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

TEST(Partition, NamesMerchantsSoThatTheySort) {
  Partition partition("iid:1", 7);

  EXPECT_EQ(partition.merchant_of(3, "", 0), "m0001");
}

TEST(Partition, DealsRowsEvenly) {
  Partition partition("iid:4", 7);
  std::map<std::string, int> rows;

  for (std::uint64_t row = 0; row < 40000; ++row) {
    ++rows[std::string(partition.merchant_of(row, "", 0))];
  }

  ASSERT_EQ(rows.size(), 4u);
  for (const auto& [name, count] : rows) {
    EXPECT_NEAR(count, 10000, 5 * 87) << name;  // Five binomial standard deviations; the seed is fixed.
  }
}

TEST(Partition, KeepsACustomerWhole) {
  Partition iid("iid:100", 7), dirichlet("dirichlet:100,1", 7);
  const std::string first(dirichlet.merchant_of(1, "anna", 1));

  EXPECT_EQ(iid.merchant_of(1, "anna", 0), iid.merchant_of(2, "anna", 1));
  EXPECT_EQ(dirichlet.merchant_of(2, "anna", 0), first);
}

TEST(Partition, SkewsLabelsTheMoreTheSmallerAlphaIs) {
  // Sum over merchants of the squared share of each label: 1/N for equal shares, 1 for one merchant.
  const auto concentration = [](const char* text) {
    Partition partition(text, 3);
    std::map<std::string, int> rows;
    for (std::uint64_t row = 0; row < 20000; ++row) {
      ++rows[std::string(partition.merchant_of(row, "", 1))];
    }
    double sum = 0;
    for (const auto& [name, count] : rows) {
      sum += count / 20000.0 * (count / 20000.0);
    }
    return sum;
  };

  EXPECT_NEAR(concentration("dirichlet:10,100000"), 0.1, 0.01);
  EXPECT_GT(concentration("dirichlet:10,0.1"), 0.2);
}

TEST(Partition, GivesEachLabelItsOwnProportions) {
  Partition partition("dirichlet:50,0.05", 11);
  int moved = 0;

  for (std::uint64_t row = 0; row < 100; ++row) {
    moved += partition.merchant_of(row, "", 0) != partition.merchant_of(row, "", 1) ? 1 : 0;
  }

  EXPECT_GT(moved, 50);
}

TEST(Partition, GivesEachOfManyClassesItsOwnProportions) {
  Partition partition("dirichlet:10,0.1", 11);
  std::map<std::string, std::vector<int>> rows;  // Of each merchant by class.

  for (std::uint64_t row = 0; row < 20000; ++row) {
    const std::uint64_t label = row % 20;
    auto& counts = rows[std::string(partition.merchant_of(row, "", static_cast<float>(label)))];
    counts.resize(20);
    ++counts[label];
  }

  // With proportions of its own, a class has its largest part at a merchant of its own.
  std::map<std::string, int> home;
  for (std::size_t label = 0; label < 20; ++label) {
    const auto largest =
        std::ranges::max_element(rows, {}, [label](const auto& merchant) { return merchant.second[label]; });
    EXPECT_GT(largest->second[label], 300) << label;
    ++home[largest->first];
  }
  EXPECT_GE(home.size(), 5u);
}

TEST(Partition, RefusesWhatItCannotRead) {
  for (const std::string text : {"", "iid", "iid:0", "iid:x", "iid:2000000", "dirichlet:5", "dirichlet:5,0",
                                 "dirichlet:5,nan", "random:5", "columns"}) {
    EXPECT_EQ(
        refusal([&] { Partition(text, 1); }).find("data.partition: cannot read '" + text + "'; expected"), 0u)
        << text;
  }
}

TEST(SplitRule, TurnsWordsIntoSides) {
  const SplitRule fit("column:s", "train", 1), choose("column:s", "test", 1), drop("column:s", "drop", 1);

  EXPECT_EQ(fit.side_of_word("train"), Side::train);
  EXPECT_EQ(fit.side_of_word("valid"), Side::train);
  EXPECT_EQ(fit.side_of_word("test"), Side::test);
  EXPECT_EQ(choose.side_of_word("valid"), Side::test);
  EXPECT_EQ(choose.side_of_word("test"), Side::drop);
  EXPECT_EQ(drop.side_of_word("valid"), Side::drop);
  EXPECT_EQ(fit.side_of_word("Test"), std::nullopt);
}

TEST(SplitRule, HashesTheWishedFractionOfRows) {
  const SplitRule rule("hash:0.25", "train", 5);
  int test = 0;

  for (std::uint64_t row = 0; row < 40000; ++row) {
    test += rule.side_of_row(row) == Side::test ? 1 : 0;
  }

  EXPECT_NEAR(test, 10000, 5 * 87);
}

TEST(SplitRule, PutsEveryRowAndEveryCustomerIntoOneFold) {
  std::vector<int> rows_of_fold(4, 0);
  for (std::uint64_t row = 0; row < 4000; ++row) {
    int of_row = 0, of_customer = 0;
    for (int fold = 1; fold <= 4; ++fold) {
      const std::string name = std::to_string(fold) + "/4";
      const bool in_fold = SplitRule("fold:" + name, "train", 5).side_of_row(row) == Side::test;
      of_row += in_fold ? 1 : 0;
      rows_of_fold[static_cast<std::size_t>(fold) - 1] += in_fold ? 1 : 0;
      of_customer +=
          SplitRule("customers-fold:" + name, "train", 5).side_of_customer("c" + std::to_string(row)) ==
                  Side::test
              ? 1
              : 0;
    }
    ASSERT_EQ(of_row, 1);
    ASSERT_EQ(of_customer, 1);
  }

  for (const int rows : rows_of_fold) {
    EXPECT_NEAR(rows, 1000, 5 * 28);
  }
}

TEST(SplitRule, RefusesWhatItCannotRead) {
  for (const std::string text :
       {"", "some", "hash:0", "hash:1", "hash:x", "customers:1", "column:", "file", "fold:0/5", "fold:6/5",
        "fold:1/1", "fold:1", "fold:1/101", "customers-fold:x/2"}) {
    EXPECT_EQ(refusal([&] { SplitRule(text, "train", 1); }).find("data.test: cannot read '" + text + "'"), 0u)
        << text;
  }
  EXPECT_EQ(refusal([] { SplitRule("none", "valid", 1); }),
            "data.validation: expected train, test or drop, got 'valid'");
}

}  // namespace
}  // namespace hanse
