#include "common/data/read_dataset.h"
#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

class ReadRatings : public testing::Test {
 protected:
  ReadRatings() {
    configuration_.data.format = "ratings";
    configuration_.data.merchant = "shop";
    configuration_.data.customer = "who";
    configuration_.data.item = "item[1..9]";
  }
  Dataset read(const std::string& text) {
    configuration_.data.path = folder_.write("f.csv", text);
    return read_dataset(configuration_, 1, 1);
  }

  DataFolder folder_;
  Configuration configuration_;
};

TEST_F(ReadRatings, MakesOneRowOfACustomerAtAMerchant) {
  const Dataset data = read(
      "who,item,rating,shop\n"
      "ann,9,5,b\n"
      "bob,2,1,b\n"
      "ann,3,4,b\n"
      "ann,3,2,a\n");

  EXPECT_EQ(data.kind, RowKind::customer);
  EXPECT_EQ(data.space.width, 9u);
  EXPECT_EQ(data.space.names[8], "item=9");
  ASSERT_EQ(data.train.features.rows(), 3u);
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "2:2");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "2:4 8:5");
  EXPECT_EQ(text_of_row(data.train.features.row(2)), "1:1");
  EXPECT_EQ(data.train.customers, (std::vector<std::uint32_t>{0, 0, 1}));
  EXPECT_TRUE(data.train.labels.empty());
}

TEST_F(ReadRatings, KeepTheLastOfSeveralRatingsOfOneItem) {
  const std::string text = "who,item,rating,shop,at\nann,1,5,a,30\nann,1,4,a,10\n";
  EXPECT_EQ(text_of_row(read(text).train.features.row(0)), "0:4");
  configuration_.data.time = "at";

  const Dataset data = read(text);

  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:5");
  EXPECT_EQ(data.account,
            (std::vector<std::string>{"1 rating replaced by a later one of the same customer and item"}));
}

TEST_F(ReadRatings, HoldBackTheLastItemOfEachCustomerAtEachMerchant) {
  configuration_.data.time = "at";
  configuration_.data.test = "leave-one-out";
  const std::string text =
      "who,item,rating,shop,at\n"
      "ann,1,5,a,30\nann,2,4,a,20\nann,3,3,a,10\nann,1,2,a,5\n"
      "ann,4,1,b,99\n"
      "bob,5,1,a,7\nbob,6,2,a,7\n";

  const Dataset data = read(text);

  ASSERT_EQ(data.train.features.rows(), 3u);
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "1:4 2:3");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "4:1");
  EXPECT_EQ(text_of_row(data.train.features.row(2)), "3:1");  // An only item is kept.
  ASSERT_EQ(data.test.features.rows(), 2u);
  EXPECT_EQ(text_of_row(data.test.features.row(0)), "0:5");
  EXPECT_EQ(text_of_row(data.test.features.row(1)), "5:2");

  configuration_.data.validation = "test";
  const Dataset validation = read(text);

  EXPECT_EQ(text_of_row(validation.train.features.row(0)), "2:3");
  EXPECT_EQ(text_of_row(validation.test.features.row(0)), "1:4");
}

TEST_F(ReadRatings, RefuseToHoldBackTheLastItemWithoutATime) {
  configuration_.data.test = "leave-one-out";

  EXPECT_THROW(read("who,item,rating,shop\nann,1,5,a\n"), Failure);
}

TEST_F(ReadRatings, ClipToTheirPublicRange) {
  configuration_.data.rating = "rating[1..5]";

  const Dataset data = read("who,item,rating,shop\nann,1,7,a\n");

  EXPECT_EQ(text_of_row(data.train.features.row(0)), "0:5");
  EXPECT_EQ(data.space.rating_low, 1);
  EXPECT_EQ(data.space.rating_high, 5);
}

TEST_F(ReadRatings, AreOneWithoutARatingColumn) {
  configuration_.data.rating = "";

  EXPECT_EQ(text_of_row(read("who,item,shop\nann,4,a\n").train.features.row(0)), "3:1");
}

TEST_F(ReadRatings, AreDealtByCustomer) {
  std::string text = "who,item,rating\n";
  for (int i = 0; i < 100; ++i) {
    text += std::to_string(i % 20) + "," + std::to_string(1 + i % 9) + ",3\n";
  }
  configuration_.data.merchant = "";
  configuration_.data.partition = "dirichlet:5,1";

  const Dataset data = read(text);

  EXPECT_EQ(data.train.features.rows(), 20u);  // A customer in two merchants would have two rows.
  EXPECT_EQ(data.train.features.nonzeros(), 100u);
}

TEST_F(ReadRatings, AreRefusedWithoutCustomersOrValues) {
  const std::string folder = folder_.path().string();
  EXPECT_EQ(refusal([&] { read("who,item,rating,shop\nann,10,1,a\n"); }, folder),
            "f.csv:2: column item: expected an integer in 1..9, got '10'");
  EXPECT_EQ(refusal([&] { read("who,item,rating,shop\nann,1,,a\n"); }, folder),
            "f.csv:2: column rating: expected a value (or set data.clean = missing:drop), got an empty cell");
  configuration_.data.customer = "";
  EXPECT_EQ(refusal([&] { read("who,item,rating,shop\nann,1,1,a\n"); }, folder),
            "data.customer is missing; format ratings needs the column of customers");
}

}  // namespace
}  // namespace hanse
