#include "common/data/read_dataset.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "common/data/column_spec.h"
#include "common/data/units.h"
#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

const std::string kShop =
    "shop,who,amount,colour,bought\n"
    "b,ann,1,red,1\n"
    "a,bob,2,blue,0\n"
    "b,cid,3,green,0\n"
    "b,ann,4,red,1\n";

class ReadDataset : public testing::Test {
 protected:
  ReadDataset() {
    configuration_.data.merchant = "shop";
    configuration_.data.customer = "who";
    configuration_.data.label = "bought";
    configuration_.data.numeric = {"amount"};
    configuration_.data.categorical = {"colour{red|blue}"};
  }
  Dataset read(const std::string& text, std::uint32_t worker = 1, std::uint32_t workers = 1) {
    configuration_.data.path = folder_.write("f.csv", text);
    return read_dataset(configuration_, worker, workers);
  }
  std::string refusal_of(const std::string& text) {
    return refusal([&] { read(text); }, folder_.path().string());
  }

  DataFolder folder_;
  Configuration configuration_;
};

/// The keys of all units of a merchant, by the order in which they are visited.
std::vector<std::uint64_t> keys_of(const Dataset& data, const std::string& merchant, Unit unit) {
  std::vector<std::uint64_t> keys;
  for (const MerchantRows& rows : data.merchants) {
    if (rows.name == merchant) {
      for_each_unit(data, rows, unit, Population::train, [&](const UnitRows& one) {
        keys.push_back(unit_key(rows, unit, Population::train, one));
      });
    }
  }
  return keys;
}

TEST_F(ReadDataset, GivesACustomerOneKeyAtAllMerchantsAndOnAllWorkers) {
  const std::string shops = kShop + "a,ann,1,red,1\na,dan,1,red,1\n";

  const Dataset together = read(shops);
  const Dataset first = read(shops, 1, 2);
  const Dataset second = read(shops, 2, 2);

  const auto a = keys_of(together, "a", Unit::customer);  // bob, ann, dan
  const auto b = keys_of(together, "b", Unit::customer);  // ann, cid
  ASSERT_EQ(a.size(), 3u);
  ASSERT_EQ(b.size(), 2u);
  EXPECT_EQ(a[1], b[0]);
  EXPECT_EQ((std::set<std::uint64_t>{a[0], a[1], a[2], b[1]}).size(), 4u);
  EXPECT_EQ(a, keys_of(keys_of(first, "a", Unit::customer).empty() ? second : first, "a", Unit::customer));
  EXPECT_EQ(b, keys_of(keys_of(first, "b", Unit::customer).empty() ? second : first, "b", Unit::customer));
}

TEST_F(ReadDataset, GivesEachRecordAndEachMerchantAKeyOfItsOwn) {
  const Dataset data = read(kShop);

  std::set<std::uint64_t> keys;
  for (const Unit unit : {Unit::record, Unit::merchant}) {
    for (const char* merchant : {"a", "b"}) {
      const auto of_merchant = keys_of(data, merchant, unit);
      keys.insert(of_merchant.begin(), of_merchant.end());
    }
  }

  EXPECT_EQ(keys.size(), 4u + 2u);
}

TEST_F(ReadDataset, GroupsRowsByMerchantAndCustomer) {
  const Dataset data = read(kShop);

  EXPECT_EQ(data.kind, RowKind::record);
  EXPECT_EQ(data.space.names,
            (std::vector<std::string>{"amount", "colour=red", "colour=blue", "colour=other", "intercept"}));
  EXPECT_EQ(data.space.numeric, 1u);
  ASSERT_EQ(data.merchants.size(), 2u);
  EXPECT_EQ(data.merchants[0].name, "a");
  EXPECT_EQ(data.merchants[1].name, "b");
  EXPECT_EQ(data.merchants[1].train_begin, 1u);
  EXPECT_EQ(data.merchants[1].train_end, 4u);
  EXPECT_EQ(data.train.customers, (std::vector<std::uint32_t>{0, 0, 0, 1}));
  EXPECT_EQ(data.train.labels, (std::vector<float>{0, 1, 1, 0}));
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:2 2:1 4:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:1 1:1 4:1");
  EXPECT_EQ(text_of_row(data.train.features.row(2)), "0:4 1:1 4:1");
  EXPECT_EQ(text_of_row(data.train.features.row(3)), "0:3 3:1 4:1");
  EXPECT_EQ(data.account, (std::vector<std::string>{"1 word outside its vocabulary taken as other"}));
}

TEST_F(ReadDataset, GivesACustomerOneIndexInTrainAndTest) {
  folder_.write("f.split", "split\ntest\ntrain\ntrain\nvalid\n");
  configuration_.data.test = "file:f.split";

  const Dataset data = read(kShop);

  // Shop b: ann is 0 (test row 0, train row 1), cid is 1.
  EXPECT_EQ(data.train.customers, (std::vector<std::uint32_t>{0, 0, 1}));
  EXPECT_EQ(data.test.customers, (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(data.merchants[0].test_end, 0u);
  EXPECT_EQ(data.merchants[1].test_end, 1u);
}

TEST_F(ReadDataset, MakesEveryRowItsOwnCustomerWithoutACustomerColumn) {
  configuration_.data.customer = "";
  configuration_.data.test = "column:set";

  const Dataset data =
      read("shop,amount,colour,bought,set\na,1,red,1,train\na,1,red,1,test\na,1,red,1,train\n");

  EXPECT_EQ(data.train.customers, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(data.test.customers, (std::vector<std::uint32_t>{1}));
}

TEST_F(ReadDataset, LooksUpMerchantsByCustomer) {
  folder_.write("people.csv", "who,town\nann,x\nbob,y\ncid,x\n");
  configuration_.data.merchant = "town@people.csv";

  EXPECT_EQ(read(kShop).merchants.size(), 2u);

  folder_.write("people.csv", "who,town\nann,x\nbob,y\n");
  EXPECT_EQ(refusal_of(kShop),
            "f.csv:4: column who: expected a customer that data.merchant = town@people.csv lists, got 'cid'");
  folder_.write("people.csv", "who,town\nann,x\nann,y\n");
  EXPECT_EQ(refusal_of(kShop),
            "people.csv:3: customer 'ann' has merchant 'y' here and 'x' before; a customer has one line");
}

TEST_F(ReadDataset, DealsMerchantsToWorkersWithoutLossOrOverlap) {
  std::string text = "shop,who,amount,colour,bought\n";
  for (int i = 0; i < 200; ++i) {
    text += "s" + std::to_string(i * i % 13) + ",c" + std::to_string(i % 7) + "," + std::to_string(i) +
            ",red,0\n";
  }
  const Dataset all = read(text);
  std::set<std::string> names;
  std::size_t rows = 0;

  for (std::uint32_t worker = 1; worker <= 3; ++worker) {
    const Dataset part = read(text, worker, 3);
    rows += part.train.features.rows();
    for (const MerchantRows& merchant : part.merchants) {
      EXPECT_TRUE(names.insert(merchant.name).second);
      const auto whole = std::find_if(all.merchants.begin(), all.merchants.end(),
                                      [&](const MerchantRows& m) { return m.name == merchant.name; });
      ASSERT_NE(whole, all.merchants.end());
      ASSERT_EQ(merchant.train_end - merchant.train_begin, whole->train_end - whole->train_begin);
      for (std::size_t i = 0; i < merchant.train_end - merchant.train_begin; ++i) {
        EXPECT_EQ(text_of_row(part.train.features.row(merchant.train_begin + i)),
                  text_of_row(all.train.features.row(whole->train_begin + i)));
        EXPECT_EQ(part.train.customers[merchant.train_begin + i],
                  all.train.customers[whole->train_begin + i]);
      }
    }
  }

  EXPECT_EQ(rows, 200u);
  EXPECT_EQ(names.size(), all.merchants.size());
}

TEST_F(ReadDataset, GivesAWorkerWithoutMerchantsAnEmptySet) {
  const Dataset data = read(kShop, 3, 3);

  EXPECT_TRUE(data.merchants.empty());
  EXPECT_EQ(data.train.features.rows(), 0u);
  EXPECT_EQ(data.space.width, 5u);
}

TEST_F(ReadDataset, ReadsAWorkersOwnFile) {
  folder_.write("shop2.csv", kShop);
  configuration_.data.path = (folder_.path() / "shop{worker}.csv").string();

  EXPECT_EQ(read_dataset(configuration_, 2, 3).merchants.size(), 2u);

  configuration_.data.merchant = "";
  EXPECT_EQ(read_dataset(configuration_, 2, 3).merchants.at(0).name, "worker0002");
  configuration_.data.partition = "iid:3";
  EXPECT_NE(refusal([&] { read_dataset(configuration_, 2, 3); }).find("{worker}"), std::string::npos);
}

TEST_F(ReadDataset, HoldsTheSameRowsHoweverManyMerchantsTheyAreDealtTo) {
  std::string text = "who,amount,colour,bought\n";
  for (int i = 0; i < 500; ++i) {
    text += std::to_string(i % 90) + "," + std::to_string(i) + ",blue," + std::to_string(i % 2) + "\n";
  }
  configuration_.data.merchant = "";
  const auto rows_of = [&](const std::string& partition, std::uint32_t workers) {
    configuration_.data.partition = partition;
    std::multiset<std::string> rows;
    for (std::uint32_t worker = 1; worker <= workers; ++worker) {
      const Dataset data = read(text, worker, workers);
      for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
        rows.insert(text_of_row(data.train.features.row(i)) + "/" + std::to_string(data.train.labels[i]));
      }
    }
    return rows;
  };
  const auto one = rows_of("iid:1", 1);

  EXPECT_EQ(one.size(), 500u);
  EXPECT_EQ(rows_of("iid:10", 3), one);
  EXPECT_EQ(rows_of("iid:1000", 2), one);
  EXPECT_EQ(rows_of("dirichlet:10,0.3", 4), one);
}

TEST_F(ReadDataset, ReadsATestFileWhoseColumnsAreInAnotherOrder) {
  folder_.write("t.csv", "bought,colour,amount,who,shop\n1,blue,9,ann,b\n");
  configuration_.data.test = "path:t.csv";

  const Dataset data = read(kShop);

  ASSERT_EQ(data.test.features.rows(), 1u);
  EXPECT_EQ(text_of_row(data.test.features.row(0)), "0:9 2:1 4:1");
  EXPECT_EQ(data.test.customers[0], 0u);
}

TEST_F(ReadDataset, TransformsAndClipsNumbers) {
  configuration_.data.numeric = {"log1p:amount[0..1]", "sqrt:square", "flag"};

  const Dataset data =
      read("shop,who,amount,square,flag,colour,bought\na,x,0,9,true,red,1\na,x,99,4,0,red,1\n");

  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:0 1:3 2:1 3:1 6:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:1 1:2 2:0 3:1 6:1");
  EXPECT_EQ(data.space.range_low[0], 0);
  EXPECT_EQ(data.space.range_high[0], 1);
  EXPECT_TRUE(std::isnan(data.space.range_low[1]));
  EXPECT_EQ(data.space.names[0], "log1p(amount)");
  EXPECT_EQ(data.account, (std::vector<std::string>{"1 value clipped to its public range"}));
}

TEST_F(ReadDataset, CrossesANumberWithTheWordsOfAnotherColumn) {
  configuration_.data.numeric = {"colour*log:amount", "amount", "log:amount"};

  const Dataset data = read(
      "shop,who,amount,colour,bought\n"
      "a,ann,1,red,1\n"
      "a,bob,2,,0\n"
      "a,cid,4,green,0\n");

  EXPECT_EQ(data.space.names,
            (std::vector<std::string>{"amount", "log(amount)", "colour=red", "colour=blue", "colour=other",
                                      "colour=red*log(amount)", "colour=blue*log(amount)",
                                      "colour=other*log(amount)", "intercept"}));
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:1 1:0 2:1 5:0 8:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:2 1:0.693147 8:1");
  EXPECT_EQ(text_of_row(data.train.features.row(2)), "0:4 1:1.38629 4:1 7:1.38629 8:1");
}

TEST_F(ReadDataset, RefusesACrossOfWhatIsNotThere) {
  configuration_.data.numeric = {"amount", "size*amount"};
  EXPECT_EQ(refusal_of(kShop),
            "data.numeric: 'size*amount' crosses the words of 'size', which data.categorical does not have: "
            "add them there");
  configuration_.data.numeric = {"amount", "colour*log:amount"};
  EXPECT_EQ(refusal_of(kShop),
            "data.numeric: 'colour*log:amount' crosses a number that is not in the list by itself: add "
            "'log:amount' to it");
}

TEST_F(ReadDataset, MarksColumnsThatAwaitAPrivateCount) {
  configuration_.data.categorical = {"colour#4", "colour"};

  const Dataset data = read(kShop);

  EXPECT_TRUE(data.space.counted);
  ASSERT_EQ(data.space.counted_ranges.size(), 1u);
  EXPECT_EQ(data.space.counted_ranges[0].begin, 5u);
  EXPECT_EQ(data.space.counted_ranges[0].end, 5u + kCategoryBuckets);
  EXPECT_EQ(data.space.width, 6u + kCategoryBuckets);
}

TEST_F(ReadDataset, KeepsMissingNumbersAsNaNAndLeavesMissingWordsOut) {
  const Dataset data = read("shop,who,amount,colour,bought\na,x,,NA,1\n");

  EXPECT_TRUE(std::isnan(data.train.features.values[0]));
  EXPECT_EQ(data.train.features.columns, (std::vector<std::uint32_t>{0, 4}));
  EXPECT_EQ(data.account, (std::vector<std::string>{"2 missing values taken as the mean, or as no word"}));
}

TEST_F(ReadDataset, DropsRowsWithMissingValuesOrTakesThemAsZero) {
  const std::string text = "shop,who,amount,colour,bought\na,x,null,red,1\na,y,5,red,0\n";
  configuration_.data.clean = {"missing:drop"};
  const Dataset dropped = read(text);
  configuration_.data.clean = {"missing:zero"};
  const Dataset zero = read(text);

  EXPECT_EQ(dropped.train.labels, (std::vector<float>{0}));
  EXPECT_EQ(dropped.train.customers, (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(dropped.account, (std::vector<std::string>{"1 row with a missing value dropped"}));
  EXPECT_EQ(text_of_row(zero.train.features.row(0)), "0:0 1:1 4:1");
}

TEST_F(ReadDataset, DropsDuplicateRowsWhenAsked) {
  const std::string text = kShop + "b,ann,1,red,1\r\nb,ann,1,red,1";
  EXPECT_EQ(read(text).train.features.rows(), 6u);
  configuration_.data.clean = {"duplicates:drop"};

  const Dataset data = read(text);

  EXPECT_EQ(data.train.features.rows(), 4u);
  EXPECT_EQ(data.account[0], "2 duplicate rows dropped");
}

TEST_F(ReadDataset, TakesThePositiveWordAsOne) {
  configuration_.data.positive = "yes";

  EXPECT_EQ(read("shop,who,amount,colour,bought\na,x,1,red,yes\na,x,1,red,no\n").train.labels,
            (std::vector<float>{1, 0}));
}

TEST_F(ReadDataset, ReadsAFileWithoutRows) {
  EXPECT_TRUE(read("shop,who,amount,colour,bought\n").merchants.empty());
}

TEST_F(ReadDataset, HostsTenThousandMerchants) {
  std::string text = "shop,who,amount,colour,bought\n";
  for (int i = 0; i < 10000; ++i) {
    text += std::to_string(i) + ",x,1,red,1\n";
  }

  const Dataset data = read(text);

  ASSERT_EQ(data.merchants.size(), 10000u);
  EXPECT_TRUE(std::is_sorted(data.merchants.begin(), data.merchants.end(),
                             [](const MerchantRows& a, const MerchantRows& b) { return a.name < b.name; }));
}

TEST_F(ReadDataset, NamesTheCellItCannotRead) {
  const std::string header = "shop,who,amount,colour,bought\n";

  EXPECT_EQ(refusal_of(header + "a,x,1,red,1\na,x,nan,red,1\n"),
            "f.csv:3: column amount: expected a finite number, got 'nan'");
  EXPECT_EQ(refusal_of(header + "a,x,many,red,1\n"),
            "f.csv:2: column amount: expected a finite number, got 'many'");
  EXPECT_EQ(refusal_of(header + "a,x,1e300,red,1\n"),
            "f.csv:2: column amount: expected a number below 3.4e38, got '1e300'");
  EXPECT_EQ(
      refusal_of(header + "a,x,1,red,2\n"),
      "f.csv:2: column bought: expected 0 or 1 (or set data.positive to the word that means 1), got '2'");
  EXPECT_EQ(refusal_of(header + ",x,1,red,1\n"),
            "f.csv:2: column shop: expected a merchant, got an empty cell");
  EXPECT_EQ(refusal_of(header + "a,,1,red,1\n"),
            "f.csv:2: column who: expected a customer, got an empty cell");
  configuration_.data.numeric = {"log:amount"};
  EXPECT_EQ(refusal_of(header + "a,x,0,red,1\n"),
            "f.csv:2: column amount: expected a positive number for its logarithm, got '0'");
  configuration_.data.numeric = {};
  configuration_.data.categorical = {"amount[1..3]"};
  EXPECT_EQ(refusal_of(header + "a,x,4,red,1\n"),
            "f.csv:2: column amount: expected an integer in 1..3, got '4'");
}

TEST_F(ReadDataset, RefusesASplitThatDoesNotFit) {
  configuration_.data.test = "file:f.split";
  folder_.write("f.split", "split\ntrain\ntest\n");
  EXPECT_EQ(refusal_of(kShop).find("f.csv:4: the split file f.split ended after 2 words"), 0u);
  folder_.write("f.split", "split\ntrain\ntest\ntrain\ntrain\ntrain\n");
  EXPECT_EQ(refusal_of(kShop).find("f.split:6: the split file goes on, but f.csv has only 4 rows"), 0u);
  folder_.write("f.split", "split\ntrain\noops\n");
  EXPECT_EQ(refusal_of(kShop), "f.split:3: column split: expected train, valid or test, got 'oops'");
}

TEST_F(ReadDataset, RefusesAConfigurationThatDoesNotFitTheFile) {
  configuration_.data.merchant = "store";
  EXPECT_EQ(
      refusal_of(kShop),
      "f.csv:1: there is no column 'store', which data.merchant asks for; the header has: shop, who, amount, "
      "colour, bought");
  configuration_.data.merchant = "";
  EXPECT_EQ(refusal_of(kShop).find("data.merchant is missing"), 0u);
  configuration_.data.merchant = "shop";
  configuration_.data.format = "xml";
  EXPECT_EQ(refusal_of(kShop), "data.format: expected csv, libsvm, ratings or idx, got 'xml'");
}

TEST_F(ReadDataset, TakesAOneHotGroupOfLibsvmAsMerchants) {
  configuration_.data = {};
  configuration_.data.format = "libsvm";
  configuration_.data.features = 12;
  configuration_.data.merchant = "feature:9-11";

  const Dataset data = read("+1 1:2 10:1\n-1 9:1\n-1 12:1\n+1 10:1\n");

  ASSERT_EQ(data.merchants.size(), 3u);
  EXPECT_EQ(data.merchants[0].name, "feature09");
  EXPECT_EQ(data.merchants[1].name, "feature10");
  EXPECT_EQ(data.merchants[2].name, "none");
  EXPECT_EQ(data.space.width, 13u);
  EXPECT_EQ(data.space.numeric, 0u);
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:2 9:1 12:1");
  configuration_.data.merchant = "feature:9-13";
  EXPECT_EQ(refusal_of("+1 1:1\n").find("data.merchant: cannot read 'feature:9-13'"), 0u);
}

TEST_F(ReadDataset, ReadsALabelThatIsANumber) {
  configuration_.workload.name = "linear";
  configuration_.data.label = "log:amount[0..1.2]";
  configuration_.data.numeric = {};

  const Dataset data = read(kShop);

  EXPECT_EQ(data.space.label, LabelKind::number);
  EXPECT_EQ(data.space.label_low, 0);
  EXPECT_EQ(data.space.label_high, 1.2);
  ASSERT_EQ(data.train.labels.size(), 4u);
  EXPECT_FLOAT_EQ(data.train.labels[0], std::log(2.0F));
  EXPECT_FLOAT_EQ(data.train.labels[1], 0.0F);
  EXPECT_FLOAT_EQ(data.train.labels[2], 1.2F);  // Of amount 4: clipped to the public range, and told.
  ASSERT_EQ(data.account.size(), 2u);
  EXPECT_EQ(data.account[0], "1 value clipped to its public range");
}

TEST_F(ReadDataset, ClipsALabelOfLibsvmToItsRangeAndRefusesToTransformIt) {
  configuration_.data = {};
  configuration_.data.format = "libsvm";
  configuration_.data.features = 2;
  configuration_.data.partition = "iid:1";
  configuration_.data.label = "y[0..10]";
  configuration_.workload.name = "linear";

  const Dataset data = read("2.5 1:1\n12 2:1\n");

  ASSERT_EQ(data.train.labels.size(), 2u);
  EXPECT_EQ(data.train.labels[0] + data.train.labels[1], 12.5F);
  configuration_.data.label = "log:y[0..10]";
  EXPECT_EQ(refusal_of("2.5 1:1\n"),
            "data.label = 'log:y[0..10]' transforms the label, and format libsvm takes labels as they are: "
            "leave the transform out, and write transformed labels into the file");
}

TEST_F(ReadDataset, ReadsALabelThatIsOneOfManyClasses) {
  configuration_.workload.task = "multiclass";
  configuration_.data.label = "amount[1..4]";
  configuration_.data.numeric = {};

  const Dataset data = read(kShop);

  EXPECT_EQ(data.space.label, LabelKind::one_of_many);
  EXPECT_EQ(data.space.classes, (std::vector<std::string>{"1", "2", "3", "4"}));
  EXPECT_EQ(data.train.labels, (std::vector<float>{1, 0, 3, 2}));
  configuration_.data.label = "amount{1|2}";
  EXPECT_NE(refusal_of(kShop).find("column amount: expected one of its 2 words, got '"), std::string::npos);
  configuration_.data.label = "amount";
  EXPECT_EQ(refusal_of(kShop).find("data.label = 'amount' does not list the classes"), 0u);
}

TEST_F(ReadDataset, ReadsClassesOfLibsvm) {
  configuration_.data = {};
  configuration_.data.format = "libsvm";
  configuration_.data.features = 2;
  configuration_.data.partition = "iid:1";
  configuration_.data.label = "digit[0..9]";
  configuration_.workload.task = "multiclass";

  const Dataset data = read("7 1:1\n0 2:1\n");

  ASSERT_EQ(data.train.labels.size(), 2u);
  EXPECT_EQ(data.train.labels[0] + data.train.labels[1], 7.0F);
  EXPECT_NE(refusal_of("10 1:1\n").find("label: expected an integer in 0..9"), std::string::npos);
}

TEST_F(ReadDataset, ReadsNoLabelWhereNoneIsNamed) {
  configuration_.data.label.clear();

  const Dataset data = read(kShop);

  EXPECT_EQ(data.space.label, LabelKind::none);
  EXPECT_TRUE(data.train.labels.empty());
  EXPECT_EQ(data.train.features.rows(), 4u);
}

TEST_F(ReadDataset, RefusesALabelThatIsNoNumberOrDropsItsRow) {
  configuration_.workload.task = "regression";
  configuration_.data.label = "bought";
  const std::string missing = kShop + "a,eve,1,red,\n";

  EXPECT_EQ(
      refusal_of(missing),
      "f.csv:6: column bought: expected a number (or set data.clean = missing:drop), got an empty cell");
  EXPECT_EQ(refusal_of(kShop + "a,eve,1,red,much\n"),
            "f.csv:6: column bought: expected a finite number, got 'much'");

  configuration_.data.clean = {"missing:drop"};
  EXPECT_EQ(read(missing).train.labels.size(), 4u);
}

TEST_F(ReadDataset, RefusesWhatOnlyLabelsOfZeroAndOneHave) {
  configuration_.workload.task = "regression";
  configuration_.data.label = "amount";
  configuration_.data.positive = "1";
  EXPECT_NE(refusal_of(kShop).find("data.positive"), std::string::npos);

  configuration_.data.positive = "";
  configuration_.data.partition = "dirichlet:2,1";
  EXPECT_NE(refusal_of(kShop).find("data.partition"), std::string::npos);
}

TEST_F(ReadDataset, OrdersACustomersRowsByTimeAndOthersAsTheyAre) {
  configuration_.data.time = "at";
  configuration_.data.label.clear();
  configuration_.data.numeric = {"amount[0..9]"};
  const std::string text =
      "shop,who,amount,colour,at\n"
      "b,ann,1,red,30\nb,cid,2,red,1\nb,ann,3,red,10\nb,ann,4,red,30\na,ann,5,red,40\na,ann,6,red,-2.5\n";

  for (const std::uint32_t workers : {1u, 2u}) {
    std::map<std::string, std::vector<float>> amounts;
    for (std::uint32_t worker = 1; worker <= workers; ++worker) {
      const Dataset data = read(text, worker, workers);
      for (const MerchantRows& merchant : data.merchants) {
        for (std::size_t i = merchant.train_begin; i < merchant.train_end; ++i) {
          amounts[merchant.name].push_back(data.train.features.row(i).values[0]);
        }
      }
    }
    EXPECT_EQ(amounts["a"], (std::vector<float>{6, 5}));
    EXPECT_EQ(amounts["b"],
              (std::vector<float>{3, 1, 4, 2}));  // ann's, of equal times the first first, and cid's.
  }
}

TEST_F(ReadDataset, RefusesARowWithoutATime) {
  configuration_.data.time = "at";

  EXPECT_EQ(refusal_of("shop,who,amount,colour,bought,at\nb,ann,1,red,1,soon\n"),
            "f.csv:2: column at: expected a number, the time of the row, got 'soon'");
}

TEST_F(ReadDataset, HoldsBackWholeCustomers) {
  configuration_.data.test = "customers:0.4";
  std::string text = "shop,who,amount,colour,bought\n";
  for (int i = 0; i < 600; ++i) {
    text += std::string(i % 2 == 0 ? "a" : "b") + ",who" + std::to_string(i % 300) + ",1,red,1\n";
  }

  const Dataset data = read(text);

  // 600 rows of 300 customers, two each: the deviation of the number of test rows is 2 sqrt(300 0.4 0.6) = 17.
  EXPECT_NEAR(static_cast<double>(data.test.features.rows()), 240, 85);
  for (const MerchantRows& merchant : data.merchants) {
    std::set<std::uint32_t> train(
        data.train.customers.begin() + static_cast<std::ptrdiff_t>(merchant.train_begin),
        data.train.customers.begin() + static_cast<std::ptrdiff_t>(merchant.train_end));
    for (std::size_t i = merchant.test_begin; i < merchant.test_end; ++i) {
      EXPECT_FALSE(train.contains(data.test.customers[i]));
    }
  }
}

TEST_F(ReadDataset, RefusesToHoldBackCustomersThatHaveNoNames) {
  configuration_.data.test = "customers:0.4";
  configuration_.data.customer.clear();

  EXPECT_EQ(refusal_of(kShop),
            "data.test=customers:0.4 needs data.customer, the column that names the customer of a row");
}

TEST_F(ReadDataset, CountsTheWordsOfATextAndRunsOfThem) {
  configuration_.data.numeric.clear();
  configuration_.data.categorical.clear();
  configuration_.data.text = {"note{card|my card|top}"};
  configuration_.data.ngrams = 2;

  const Dataset data = read("shop,who,note,bought\na,ann,\"My card, my CARD!\",1\na,bob,nothing known,0\n");

  EXPECT_EQ(data.space.names,
            (std::vector<std::string>{"note=card", "note=my card", "note=top", "note=other", "intercept"}));
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:2 1:2 4:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "4:1");
  ASSERT_EQ(data.space.texts.size(), 1u);
  EXPECT_EQ(data.space.texts[0].end, 4u);
}

TEST_F(ReadDataset, HashesTheWordsOfATextBehindTheOtherWords) {
  configuration_.data.text = {"note#8"};
  configuration_.data.numeric.push_back("colour*amount");

  const Dataset data = read("shop,who,amount,colour,note,bought\na,ann,1,red,card card,1\n");

  EXPECT_EQ(data.space.texts[0].begin, 4u);  // Behind a number and two words and one for others.
  EXPECT_EQ(data.space.texts[0].end, 12u);
  EXPECT_EQ(data.space.crosses[0].begin, 12u);
  EXPECT_EQ(data.space.names.back(), "intercept");
  ASSERT_EQ(data.train.features.row(0).columns.size(), 5u);
  EXPECT_EQ(data.train.features.row(0).values[2], 2.0F);
}

TEST_F(ReadDataset, RefusesNumbersAsWordsOfAText) {
  configuration_.data.text = {"note[1..9]"};

  EXPECT_NE(refusal_of("shop,who,amount,colour,note,bought\na,ann,1,red,card,1\n").find("note#16384"),
            std::string::npos);
}

}  // namespace
}  // namespace hanse
