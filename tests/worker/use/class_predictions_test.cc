#include "worker/use/class_predictions.h"

#include <cmath>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/config/model_facts.h"
#include "privacy/published/model_encoding.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

/// A softmax model of messages with the words card, top and (for others) a column that no text has.
class ClassPredictions : public testing::Test {
 protected:
  PublishedModel messages() const {
    Configuration configuration;
    configuration.workload.name = "softmax";
    configuration.data.label = "intent{lost|top-up}";
    configuration.data.text = {"text{card|top}"};
    PublishedModel model{.workload = "softmax",
                         .step = 1,
                         .arrays = {{"weights", {3, 2}, {2, 0, 0, 2, 0, 0}}, {"intercepts", {2}, {0, 1}}},
                         .encoding = {},
                         .columns = {},
                         .facts = model_facts(configuration),
                         .privacy = "Nothing is private."};
    model.facts["class.0"] = "lost";
    model.facts["class.1"] = "top-up";
    publish_encoding({.mean = {},
                      .deviation = {},
                      .column_of = {0, 1, 2, 3},
                      .idf = {1, 1, 1},
                      .width = 4,
                      .names = {"text=card", "text=top", "text=other", "intercept"}},
                     model);
    return model;
  }
  AppliedModel applied(const PublishedModel& model) const {
    write_model(test_folder() / "model", model);
    return read_applied_model(test_folder());
  }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    write_durably(test_folder() / name, text);
    return test_folder() / name;
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

TEST_F(ClassPredictions, AreTheMostProbableClassOfEachRow) {
  const auto rows = write("rows.csv", "text\nMy CARD!\ntop up\n");

  const std::string csv = class_predictions_csv(applied(messages()), rows, {});

  // Logits (2, 1) and (0, 3).
  char expected[96];
  std::snprintf(expected, sizeof expected, "row,class,probability\n1,lost,%.6g\n2,top-up,%.6g\n",
                1 / (1 + std::exp(-1.0)), 1 / (1 + std::exp(-3.0)));
  EXPECT_EQ(csv, expected);
}

TEST_F(ClassPredictions, AreAnsweredByTheirTemplateUnlessTheyAreUnsure) {
  const auto rows = write("rows.csv", "text\ncard\ntop\n");
  const auto answers =
      write("answers.csv", "class,answer\nlost,\"We block it, at once.\"\ntop-up,By transfer.\n");

  const std::string csv =
      class_predictions_csv(applied(messages()), rows, {.answers = answers, .threshold = 0.9});

  EXPECT_NE(csv.find("row,class,probability,answer\n1,lost,0.731059,\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",By transfer.\n"), std::string::npos) << csv;
}

TEST_F(ClassPredictions, RefuseAnswersToWhatIsNoClass) {
  const auto rows = write("rows.csv", "text\ncard\n");
  const auto stranger = write("stranger.csv", "class,answer\nstolen,Oh.\n");
  const auto twice = write("twice.csv", "class,answer\nlost,Oh.\nlost,Ah.\n");

  EXPECT_NE(refusal_of([&] {
              class_predictions_csv(applied(messages()), rows, {.answers = stranger});
            }).find("'stolen' is none of the model's 2 classes"),
            std::string::npos);
  EXPECT_NE(refusal_of([&] {
              class_predictions_csv(applied(messages()), rows, {.answers = twice});
            }).find("has an answer already"),
            std::string::npos);
}

TEST_F(ClassPredictions, RefuseAModelThatTellsNoClassesOrLacksPartOfThem) {
  PublishedModel other = messages();
  other.workload = other.facts["workload.name"] = "logistic";
  PublishedModel nameless = messages();
  nameless.facts.erase("class.0");
  PublishedModel torn = messages();
  torn.arrays.pop_back();
  PublishedModel wordless = messages();
  wordless.encoding.pop_back();
  const auto rows = write("rows.csv", "text\ncard\n");
  const auto refusal = [&](const PublishedModel& model) {
    return refusal_of([&] { class_predictions_csv(applied(model), rows, {}); });
  };

  EXPECT_NE(refusal(other).find("classes are told by softmax and perceptron"), std::string::npos);
  EXPECT_NE(refusal(nameless).find("does not name its classes"), std::string::npos);
  EXPECT_NE(refusal(torn).find("has no array 'intercepts'"), std::string::npos);
  EXPECT_NE(refusal(wordless).find("trained on other columns"), std::string::npos);
}

}  // namespace
}  // namespace hanse
