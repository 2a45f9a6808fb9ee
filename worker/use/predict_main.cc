#include "common/base/failure.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "common/data/feature_space.h"
#include "worker/use/class_predictions.h"
#include "worker/use/csv_text.h"
#include "worker/use/predictions.h"

namespace {

std::string scores(const hanse::Arguments& arguments, const hanse::AppliedModel& model) {
  if (arguments.given("answers")) {
    throw hanse::bad_input("--answers is for models of many classes, and " + model.origin + " is one of " +
                           model.workload());
  }
  hanse::PredictionWishes wishes;
  if (arguments.given("own")) {
    wishes.own = arguments.text("own");
  }
  wishes.explain = static_cast<std::size_t>(arguments.integer("explain", 0, 1000));
  return hanse::predictions_csv(model, arguments.text("DATA"), wishes);
}

std::string classes(const hanse::Arguments& arguments, const hanse::AppliedModel& model) {
  if (arguments.given("own") || arguments.given("explain")) {
    throw hanse::bad_input("--own and --explain do not go with --answers, nor with a model of " +
                           model.workload());
  }
  hanse::ClassWishes wishes;
  if (arguments.given("answers")) {
    wishes.answers = arguments.text("answers");
  }
  wishes.threshold = arguments.number("threshold", 0, 1);
  return hanse::class_predictions_csv(model, arguments.text("DATA"), wishes);
}

int run(int argc, char** argv) {
  hanse::Arguments arguments("hanse predict", "Applies a model to a merchant's own rows, in its own house.");
  arguments.positional("MODEL", "Run directory, its model folder, or model.hanse.")
      .positional("DATA", "Rows in the form that the model was trained on; a label is not needed.")
      .option("own", "The merchant's own part, merchants/NAME/own.json of the run.")
      .option("explain", "Columns to tell of each row, those that matter most.", "0")
      .option("answers", "Templates of answers to classes: a CSV file with the columns class and answer.")
      .option("threshold", "Probability of a class below which nothing is answered.", "0.4")
      .option("out", "Where to write the CSV; standard output unless given.");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const hanse::AppliedModel model = hanse::read_applied_model(arguments.text("MODEL"));
  const bool tells_classes = hanse::label_kind(model.configuration) == hanse::LabelKind::one_of_many &&
                             (arguments.given("answers") || model.workload() != "softmax");
  const std::string csv = tells_classes ? classes(arguments, model) : scores(arguments, model);
  const auto out =
      arguments.given("out") ? std::optional<std::filesystem::path>(arguments.text("out")) : std::nullopt;
  hanse::put_out(csv, out);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-predict", [&] { return run(argc, argv); });
}
