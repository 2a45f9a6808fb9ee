#include "coordinator/output/network_query.h"

#include "common/base/failure.h"

namespace hanse {
namespace {

/// month (May, Nov) and the label buys, which depends on it.
PublishedModel shop_model() {
  PublishedModel model;
  model.workload = "bayesian-network";
  model.columns = {"month=May", "month=Nov, late", "intercept"};
  model.facts["data.label"] = "buys";
  model.arrays = {{.name = "variables", .shape = {2, 2}, .values = {0, 2, -1, 2}},
                  {.name = "parents", .shape = {2, 2}, .values = {0, 0, 1, 0}},
                  {.name = "table_0", .shape = {2}, .values = {0.75, 0.25}},
                  {.name = "table_1", .shape = {2, 2}, .values = {0.9, 0.1, 0.5, 0.5}}};
  return model;
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "";
}

std::string answer(const std::string& text, bool json = false) {
  const BeliefNetwork network = network_of(shop_model(), "run");
  const NetworkQuery query = read_query(text, network);
  const auto chances = *posterior(network, query.target, query.evidence);
  return json ? answer_json(network, query, chances) : answer_text(network, query, chances);
}

TEST(NetworkQuery, AnswersWithTheLikeliestFirst) {
  EXPECT_EQ(answer("buys"), "P(buys)\n  0  0.8\n  1  0.2\n");
  EXPECT_EQ(answer(" month | buys = 1 "), "P(month | buys=1)\n  Nov, late  0.625\n  May        0.375\n");
}

TEST(NetworkQuery, TakesWordsWithCommas) {
  EXPECT_EQ(answer("buys|month=Nov, late", true),
            "{\"target\":\"buys\",\"evidence\":{\"month\":\"Nov, late\"},"
            "\"probabilities\":{\"0\":0.5,\"1\":0.5}}\n");
}

TEST(NetworkQuery, RefusesWhatTheNetworkDoesNotHave) {
  const auto said = [](const std::string& text) { return refusal([&] { answer(text); }); };

  EXPECT_EQ(said("town"), "QUERY: there is no variable 'town'; there are month, buys");
  EXPECT_EQ(said("buys | month=June"), "QUERY: 'June' is no value of month; it has May, Nov, late");
  EXPECT_NE(said("buys | month").find("expected NAME=VALUE"), std::string::npos);
  EXPECT_NE(said("buys |").find("expected NAME=VALUE"), std::string::npos);
  EXPECT_NE(said("").find("no variable ''"), std::string::npos);
  EXPECT_NE(said("buys | month=May, month=May").find("given twice"), std::string::npos);
}

TEST(NetworkQuery, RefusesModelsThatAreNoNetwork) {
  const auto said = [](const std::function<void(PublishedModel&)>& spoil) {
    PublishedModel model = shop_model();
    spoil(model);
    return refusal([&] { network_of(model, "run"); });
  };

  EXPECT_NE(said([](auto& m) { m.workload = "linear"; }).find("a model of linear"), std::string::npos);
  EXPECT_NE(said([](auto& m) { m.arrays.pop_back(); }).find("table_1"), std::string::npos);
  EXPECT_NE(said([](auto& m) { m.arrays[1].values = {0, 1, 1, 0}; }).find("cycle"), std::string::npos);
  EXPECT_NE(said([](auto& m) { m.arrays[0].values[1] = 1e9; }).find("does not have"), std::string::npos);
  EXPECT_NE(said([](auto& m) { m.arrays[0].values[0] = 1.5; }).find("does not have"), std::string::npos);
  EXPECT_NE(said([](auto& m) { m.arrays[3].values[0] = -1; }).find("probabilities"), std::string::npos);
  EXPECT_NE(said([](auto& m) { m.arrays[3].values.pop_back(); }).find("probabilities"), std::string::npos);
}

}  // namespace
}  // namespace hanse
