#include "common/base/program.h"
#include "common/config/arguments.h"
#include "worker/use/csv_text.h"
#include "worker/use/predictions.h"

namespace {

int run(int argc, char** argv) {
  hanse::Arguments arguments("hanse predict", "Applies a model to a merchant's own rows, in its own house.");
  arguments.positional("MODEL", "Run directory, its model folder, or model.hanse.")
      .positional("DATA", "Rows in the form that the model was trained on; a label is not needed.")
      .option("own", "The merchant's own part, merchants/NAME/own.json of the run.")
      .option("explain", "Columns to tell of each row, those that matter most.", "0")
      .option("out", "Where to write the CSV; standard output unless given.");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  hanse::PredictionWishes wishes;
  if (arguments.given("own")) {
    wishes.own = arguments.text("own");
  }
  wishes.explain = static_cast<std::size_t>(arguments.integer("explain", 0, 1000));
  const std::string csv = hanse::predictions_csv(hanse::read_applied_model(arguments.text("MODEL")),
                                                 arguments.text("DATA"), wishes);
  const auto out =
      arguments.given("out") ? std::optional<std::filesystem::path>(arguments.text("out")) : std::nullopt;
  hanse::put_out(csv, out);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-predict", [&] { return run(argc, argv); });
}
