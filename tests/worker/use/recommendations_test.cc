#include "worker/use/recommendations.h"

#include <cmath>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/config/model_facts.h"
#include "common/workloads/taste_solver.h"
#include "privacy/published/model_encoding.h"
#include "tests/support/test_folder.h"
#include "worker/use/item_recommender.h"

namespace hanse {
namespace {

const std::vector<std::string> kItems = {"item=bread", "item=butter", "item=beer", "item=other"};

class RecommendationsOfItems : public testing::Test {
 protected:
  PublishedModel model_of(const std::string& workload, std::vector<NamedArray> arrays) const {
    Configuration configuration;
    configuration.workload.name = workload;
    configuration.workload.rank = 1;
    configuration.workload.l2 = 0.5;
    configuration.data.format = "ratings";
    configuration.data.customer = "who";
    configuration.data.item = "item{bread|butter|beer}";
    configuration.data.rating = workload == "matrix-factorization" ? "stars[1..5]" : "";
    PublishedModel model{.workload = workload,
                         .step = 1,
                         .arrays = std::move(arrays),
                         .encoding = {},
                         .columns = {},
                         .facts = model_facts(configuration),
                         .privacy = "Nothing is private."};
    publish_encoding({.mean = {}, .deviation = {}, .column_of = {0, 1, 2, 3}, .width = 4, .names = kItems},
                     model);
    return model;
  }
  /// Bread speaks for butter, butter for bread, and everything a little for beer.
  PublishedModel similarity() const {
    return model_of("item-similarity", {{"kept_items", {3}, {0, 1, 2}},
                                        {"offsets", {4}, {0, 0, 0.125, 9}},
                                        {"neighbours", {3, 2}, {1, 2, 0, 2, 0, 1}},
                                        {"neighbour_weights", {3, 2}, {0.5, 0, 0.5, -0.25, 0.125, 0.25}}});
  }
  AppliedModel applied(const PublishedModel& model) const {
    write_model(test_folder() / "model", model);
    return read_applied_model(test_folder());
  }
  std::filesystem::path file(const std::string& text) const {
    write_durably(test_folder() / "own.csv", text);
    return test_folder() / "own.csv";
  }
  std::string refusal_of(const std::function<void()>& act) const {
    try {
      act();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      return failure.what();
    }
    return "";
  }
};

TEST_F(RecommendationsOfItems, AreNewOnesWithWhatSpeaksForThem) {
  const auto found =
      recommendations_csv(applied(similarity()), file("who,item\nAnn,bread\nBob,beer\nAnn,butter\n"),
                          {.customer = {}, .top = 2, .explain = 3});

  EXPECT_EQ(found.csv,
            "customer,rank,item,score,because\n"
            "Ann,1,beer,0.5,butter; bread\n"
            "Bob,1,bread,0,\n"
            "Bob,2,butter,-0.25,\n");
  EXPECT_EQ(found.customers, 2u);
}

TEST_F(RecommendationsOfItems, LeaveUnknownItemsAsideAndCountThem) {
  PublishedModel model = similarity();
  model.columns = {"item=bread", "item=butter", "item=beer"};
  publish_encoding({.mean = {},
                    .deviation = {},
                    .column_of = {0, 1, 2, kDropped},
                    .width = 3,
                    .names = {"item=bread", "item=butter", "item=beer"}},
                   model);
  model.arrays[1] = {"offsets", {3}, {0, 0, 0.125}};

  const auto found = recommendations_csv(applied(model), file("who,item\nAnn,bread\nAnn,gin\nBob,rum\n"),
                                         {.customer = {}, .top = 1});

  EXPECT_EQ(found.csv, "customer,rank,item,score\nAnn,1,butter,0.5\nBob,1,beer,0.125\n");
  EXPECT_EQ(found.unknown, 2u);
}

TEST_F(RecommendationsOfItems, AreForOneCustomerWhereOneIsNamed) {
  const auto found = recommendations_csv(applied(similarity()), file("who,item\nAnn,bread\nBob,beer\n"),
                                         {.customer = "Bob", .top = 1});

  EXPECT_EQ(found.csv, "customer,rank,item,score\nBob,1,bread,0\n");
}

TEST_F(RecommendationsOfItems, FoldRatingsInByRidgeRegression) {
  const PublishedModel model = model_of("matrix-factorization", {{"mean_rating", {1}, {3}},
                                                                 {"item_biases", {4}, {0, 0.5, -0.5, 0}},
                                                                 {"item_factors", {4, 1}, {1, 2, -1, 0}}});

  const auto found =
      recommendations_csv(applied(model), file("who,item,stars\nAnn,bread,5\n"), {.customer = {}, .top = 2});

  // One rating, residual 2: minimise (2 - a - p)^2 + l2_bias a^2 + l2 p^2 with l2_bias = 0.02 and l2 = 0.5.
  const double both = 2 / (1 + 1 / 0.02 + 1 / 0.5);  // The residual that is left.
  const double a = both / 0.02, p = both / 0.5;
  char expected[96];
  std::snprintf(expected, sizeof expected, "customer,rank,item,score\nAnn,1,butter,%.6g\nAnn,2,beer,%.6g\n",
                3 + 0.5 + a + 2 * p, 3 - 0.5 + a - p);
  EXPECT_EQ(found.csv, expected);
}

TEST_F(RecommendationsOfItems, ReasonsOfATasteAddUpToItsScore) {
  const TasteSolver::Options options{.items = 4, .rank = 2, .l2 = 0.3, .exponent = 1, .unobserved = 0.2};
  TasteSolver solver(std::vector<double>{1, 0.5, 0.8, 0.4, 0.3, 0.9, 0.7, 0.6}, options);
  const std::uint32_t columns[] = {0, 1, 2};
  const float values[] = {1, 1, 1};
  const SparseRow own{.columns = columns, .values = values};

  const double score = static_cast<double>(solver.score(solver.solve(own), 3));
  const std::vector<ItemReason> reasons = solver.reasons(own, 3);

  ASSERT_EQ(reasons.size(), 3u);
  EXPECT_NEAR(reasons[0].weight + reasons[1].weight + reasons[2].weight, score, 1e-5);
  EXPECT_GE(reasons[0].weight, reasons[1].weight);
}

TEST_F(RecommendationsOfItems, AreRefusedInASentence) {
  PublishedModel rows = similarity();
  rows.workload = rows.facts["workload.name"] = "logistic";
  rows.facts["data.format"] = "csv";
  rows.facts["data.label"] = "bought";
  PublishedModel wrong = similarity();
  wrong.arrays[2].values[0] = 7;
  const AppliedModel good = applied(similarity());

  EXPECT_NE(refusal_of([&] {
              recommendations_csv(applied(rows), file("who,item\nAnn,bread\n"), {});
            }).find("use hanse predict"),
            std::string::npos);
  EXPECT_NE(refusal_of([&] {
              recommendations_csv(applied(wrong), file("who,item\nAnn,bread\n"), {});
            }).find("malformed"),
            std::string::npos);
  EXPECT_NE(refusal_of([&] {
              recommendations_csv(good, file("who,item\nAnn,bread\n"), {.customer = "Eve"});
            }).find("no customer 'Eve'"),
            std::string::npos);
  EXPECT_NE(refusal_of([&] { recommendations_csv(good, file("who,thing\nAnn,bread\n"), {}); }).find("item"),
            std::string::npos);
  EXPECT_NE(refusal_of([&] { recommendations_csv(good, file("who,item\n"), {}); }).find("no ratings"),
            std::string::npos);
}

}  // namespace
}  // namespace hanse
