// What is bought together and what comes next, on real data; and models applied by merchants, to whom they say what training measured.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "common/config/configuration.h"
#include "common/data/encoding.h"
#include "common/data/read_dataset.h"
#include "privacy/published/model_encoding.h"
#include "tests/end_to_end/insights_run.h"
#include "tests/reference/item_similarity_reference.h"

namespace hanse {
namespace {

constexpr const char* kPurchases = "free/completejourney/discount.csv";
constexpr const char* kRatings = "restricted/ml100k/ratings.csv";

class InsightsBasket : public InsightsRun {};

TEST_F(InsightsBasket, CategoriesBoughtTogetherForetellMoreThanPopularity) {
  const std::string path = path_of(kPurchases);

  ASSERT_NO_FATAL_FAILURE(run("bought_together/federation.ini", {path}));

  std::printf("NDCG@10 %.4f, by popularity %.4f; recall@20 %.4f, by popularity %.4f\n",
              last_figure("test_ndcg_10"), last_figure("test_ndcg_10_popularity"),
              last_figure("test_recall_20"), last_figure("test_recall_20_popularity"));
  EXPECT_GT(last_figure("test_recall_20"), last_figure("test_recall_20_popularity"));
  EXPECT_GT(last_figure("test_ndcg_10"), last_figure("test_ndcg_10_popularity") + 0.003);
  const InsightTable pairs = table_of(insights(), "bought_together");
  ASSERT_GE(pairs.rows.size(), 20u);
  EXPECT_GT(std::get<double>(pairs.rows[0][4]), 5);
  EXPECT_EQ(audit(), 0);
}

TEST_F(InsightsBasket, TheModelIsThatOfThePooledBaskets) {
  const std::vector<std::string> settings = {
      path_of(kPurchases),          "data.partition=iid:1",        "data.merchant=",
      "federation.min_merchants=1", "aggregation.encryption=none", "workload.items_kept=40"};

  ASSERT_NO_FATAL_FAILURE(run("bought_together/federation.ini", settings, "run", "1"));

  const Configuration configuration = read_configuration(ini_of("bought_together/federation.ini"), settings);
  Dataset data = read_dataset(configuration, 1, 1);
  encode(data, encoding_of(read_model(folder_ / "run"), "the model"));
  const std::vector<double> kept = array("kept_items");
  reference::Baskets baskets;
  for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
    std::set<std::size_t> basket;
    for (const std::uint32_t column : data.train.features.row(i).columns) {
      const auto place = std::ranges::find(kept, static_cast<double>(column));
      if (place != kept.end()) {
        basket.insert(static_cast<std::size_t>(place - kept.begin()));
      }
    }
    baskets.push_back(std::move(basket));
  }
  const std::vector<double> neighbours = array("neighbours"), weights = array("neighbour_weights");
  const std::size_t count = neighbours.size() / kept.size();
  for (const std::size_t j : {0u, 7u, 39u}) {
    const std::vector<double> column = reference::autoencoder_column(baskets, kept.size(), j, 1000);
    for (std::size_t n = 0; n < count; ++n) {
      EXPECT_NEAR(weights[j * count + n], column[static_cast<std::size_t>(neighbours[j * count + n])], 1e-9);
    }
  }
}

TEST_F(InsightsBasket, AtEpsilonThreeThePairsThatAreToldAreThoseOfTheData) {
  const std::string path = path_of(kPurchases);

  ASSERT_NO_FATAL_FAILURE(run("bought_together/federation_private.ini", {path}));

  const Configuration configuration =
      read_configuration(ini_of("bought_together/federation_private.ini"), {path, "data.test=none"});
  const Dataset data = read_dataset(configuration, 1, 1);
  const auto column_of = [&](const InsightCell& item) {
    const std::string name = "product_category=" + std::get<std::string>(item);
    return static_cast<std::uint32_t>(std::ranges::find(data.space.names, name) - data.space.names.begin());
  };
  const InsightTable told = table_of(insights(), "bought_together");
  int real = 0;
  for (const auto& row : told.rows) {
    const std::uint32_t a = column_of(row[0]), b = column_of(row[1]);
    double with_a = 0, with_b = 0, with_both = 0;
    for (std::size_t i = 0; i < data.train.features.rows(); ++i) {
      const auto columns = data.train.features.row(i).columns;
      const bool has_a = std::ranges::binary_search(columns, a),
                 has_b = std::ranges::binary_search(columns, b);
      with_a += has_a ? 1 : 0;
      with_b += has_b ? 1 : 0;
      with_both += has_a && has_b ? 1 : 0;
    }
    real += with_both * static_cast<double>(data.train.features.rows()) > with_a * with_b ? 1 : 0;
  }
  std::printf("%d of %zu pairs told are real; recall@20 %.4f\n", real, told.rows.size(),
              last_figure("test_recall_20"));
  EXPECT_GE(told.rows.size(), 10u);
  EXPECT_GE(real, 0.95 * static_cast<double>(told.rows.size()));
  EXPECT_GT(last_figure("test_recall_20"), 0.35);
  EXPECT_EQ(audit("3.0001,1e-5"), 0);
  EXPECT_EQ(audit("2.9,1e-5"), 1);
}

TEST_F(InsightsBasket, FilmsSeenTogetherForetellTheLastFilm) {
  const std::vector<std::string> settings = {
      path_of(kRatings), "data.merchant=",        "data.customer=user", "data.item=item[1..1682]",
      "data.time=ts",    "data.partition=iid:20", "workload.l2=100"};

  ASSERT_NO_FATAL_FAILURE(run("bought_together/federation.ini", settings));

  std::printf("NDCG@10 %.4f, by popularity %.4f; recall@20 %.4f, by popularity %.4f\n",
              last_figure("test_ndcg_10"), last_figure("test_ndcg_10_popularity"),
              last_figure("test_recall_20"), last_figure("test_recall_20_popularity"));
  EXPECT_GT(last_figure("test_recall_20"), 0.22);
  EXPECT_NEAR(last_figure("test_recall_20_popularity"), 0.126, 0.002);
}

TEST_F(InsightsBasket, HasTheSameBytesForAnyNumberOfWorkers) {
  expect_same_bytes("bought_together/federation.ini",
                    {path_of(kPurchases), "data.merchant=", "data.partition=iid:20", "workload.items_kept=60",
                     "workload.entries_per_sum=2000", "federation.rounds=2"});
}

// --- models applied by merchants ---

using Rows = std::vector<std::vector<std::string>>;

Rows cells_of(const std::string& csv) {
  Rows rows;
  for (const std::string& line : lines_of(csv)) {
    std::istringstream stream(line);
    rows.emplace_back();
    for (std::string cell; std::getline(stream, cell, ',');) {
      rows.back().push_back(cell);
    }
  }
  return rows;
}

/// The part of pairs of a 1 and a 0 whose scores are in order.
double auc_of(const std::vector<double>& scores, const std::vector<int>& labels) {
  double right = 0, pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] == 1 && labels[j] == 0) {
        pairs += 1;
        right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
      }
    }
  }
  return right / pairs;
}

class UseOfModels : public testing::Test {
 protected:
  Outcome train(const std::string& ini, std::vector<std::string> settings) {
    std::vector<std::string> words = {"hanse", "run", ini, "-n", "2", "output.dir=run"};
    words.insert(words.end(), settings.begin(), settings.end());
    return run_in(market_.path(), words);
  }
  Outcome use(std::vector<std::string> words) { return run_in(market_.path(), std::move(words)); }
  double figure(const std::string& key) {
    const std::string line = lines_of(bytes_of_file(market_ / "run/metrics.jsonl")).back();
    const std::size_t at = line.find("\"" + key + "\":");
    return at == std::string::npos ? std::nan("") : std::stod(line.substr(at + key.size() + 3));
  }
  /// Column `name` of a file of the market.
  std::vector<std::string> column(const std::string& file, const std::string& name) {
    const Rows rows = cells_of(bytes_of_file(market_ / file));
    const auto place = std::ranges::find(rows[0], name) - rows[0].begin();
    std::vector<std::string> cells;
    for (std::size_t r = 1; r < rows.size(); ++r) {
      cells.push_back(rows[r][static_cast<std::size_t>(place)]);
    }
    return cells;
  }

  MarketFolder market_;
};

TEST_F(UseOfModels, PredictionsHaveTheAucThatTrainingMeasured) {
  for (const char* workload : {"logistic", "factorization-machine"}) {
    std::filesystem::remove_all(market_ / "run");
    const Outcome trained = train("shop.ini", {std::string("workload.name=") + workload});
    ASSERT_EQ(trained.code, 0) << trained.output << trained.errors;

    const Outcome used = use({"hanse", "predict", "run", "shop.csv", "--explain", "1"});

    ASSERT_EQ(used.code, 0) << used.errors;
    const Rows rows = cells_of(used.output);
    const auto labels = column("shop.csv", "bought"), parts = column("shop.csv", "part");
    ASSERT_EQ(rows.size(), labels.size() + 1);
    std::vector<double> scores;
    std::vector<int> wanted;
    for (std::size_t r = 0; r < labels.size(); ++r) {
      if (parts[r] == "test") {
        scores.push_back(std::stod(rows[r + 1][1]));
        wanted.push_back(labels[r] == "1" || labels[r] == "yes" ? 1 : 0);
      }
    }
    EXPECT_NEAR(auc_of(scores, wanted), figure("test_auc"), 0.01) << workload;
  }
}

TEST_F(UseOfModels, AMerchantPredictsWithItsOwnPart) {
  ASSERT_EQ(train("shop.ini", {"workload.own=offset"}).code, 0);

  const Outcome used =
      use({"hanse", "predict", "run", "shop.csv", "--own", "run/merchants/shop1/own.json", "--out", "p.csv"});

  ASSERT_EQ(used.code, 0) << used.errors;
  const Rows rows = cells_of(bytes_of_file(market_ / "p.csv"));
  EXPECT_EQ(rows[0], (std::vector<std::string>{"row", "probability", "probability_own"}));
  EXPECT_NE(rows[1][1], rows[1][2]);
}

TEST_F(UseOfModels, RecommendationsFindHeldOutItemsAsOftenAsTrainingMeasured) {
  for (const char* workload : {"item-similarity", "implicit-matrix-factorization"}) {
    std::filesystem::remove_all(market_ / "run");
    const Outcome trained =
        train("ratings.ini", {std::string("workload.name=") + workload, "workload.solver=gradient",
                              "workload.l2=1", "federation.rounds=4"});
    ASSERT_EQ(trained.code, 0) << trained.output << trained.errors;
    const auto users = column("ratings.csv", "user"), items = column("ratings.csv", "item"),
               shops = column("ratings.csv", "shop"), parts = column("ratings.csv", "part");
    std::map<std::string, std::set<std::string>> wanted;
    std::string seen = "user,item,rating\n";
    for (std::size_t r = 0; r < users.size(); ++r) {
      const std::string user = shops[r] + "/" + users[r];
      if (parts[r] == "test") {
        wanted[user].insert(items[r]);
      } else {
        seen += user + "," + items[r] + ",3\n";
      }
    }
    market_.write("seen.csv", seen);

    const Outcome used = use({"hanse", "recommend", "run", "seen.csv", "--top", "10", "--explain"});

    ASSERT_EQ(used.code, 0) << used.errors;
    std::set<std::string> hit;
    for (const auto& row : cells_of(used.output)) {
      if (wanted[row[0]].contains(row[2])) {
        hit.insert(row[0]);
      }
    }
    std::erase_if(wanted, [](const auto& one) { return one.second.empty(); });
    EXPECT_NEAR(static_cast<double>(hit.size()) / static_cast<double>(wanted.size()),
                figure("test_hit_rate_10"), 0.02)
        << workload;
  }
}

TEST_F(UseOfModels, WrongUsesAreOneSentenceAndExitCodeTwo) {
  ASSERT_EQ(train("shop.ini", {"federation.rounds=1"}).code, 0);
  market_.write("narrow.csv", "shop\nx\n");

  const Outcome wrong_program = use({"hanse", "recommend", "run", "shop.csv"});
  const Outcome no_column = use({"hanse", "predict", "run", "narrow.csv"});
  const Outcome no_model = use({"hanse", "predict", "nowhere", "shop.csv"});

  EXPECT_EQ(wrong_program.code, 2);
  EXPECT_NE(wrong_program.errors.find("use hanse predict"), std::string::npos) << wrong_program.errors;
  EXPECT_EQ(no_column.code, 2);
  EXPECT_NE(no_column.errors.find("narrow.csv"), std::string::npos) << no_column.errors;
  EXPECT_EQ(no_model.code, 2);
  EXPECT_NE(no_model.errors.find("no model at nowhere"), std::string::npos) << no_model.errors;
}

}  // namespace
}  // namespace hanse
