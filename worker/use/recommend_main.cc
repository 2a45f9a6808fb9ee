#include <cstdio>

#include "common/base/figure.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "worker/use/csv_text.h"
#include "worker/use/recommendations.h"

namespace {

constexpr std::size_t kReasons = 3;

int run(int argc, char** argv) {
  hanse::Arguments arguments("hanse recommend",
                             "Recommends new items to a merchant's own customers, in its own house.");
  arguments.positional("MODEL", "Run directory, its model folder, or model.hanse.")
      .positional("RATINGS", "What the customers have, in the form that the model was trained on.")
      .option("customer", "One customer alone.")
      .option("top", "Items a customer.", "10")
      .flag("explain", "Tells for which of the customer's items each is recommended.")
      .option("out", "Where to write the CSV; standard output unless given.");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  hanse::RecommendationWishes wishes;
  if (arguments.given("customer")) {
    wishes.customer = arguments.text("customer");
  }
  wishes.top = static_cast<std::size_t>(arguments.integer("top", 1, 1'000'000));
  wishes.explain = arguments.flag_given("explain") ? kReasons : 0;
  const hanse::Recommendations found = hanse::recommendations_csv(
      hanse::read_applied_model(arguments.text("MODEL")), arguments.text("RATINGS"), wishes);
  const auto out =
      arguments.given("out") ? std::optional<std::filesystem::path>(arguments.text("out")) : std::nullopt;
  hanse::put_out(found.csv, out);
  if (found.unknown > 0) {
    std::fprintf(stderr, "hanse recommend: %s that the model does not know left aside\n",
                 hanse::count_of(found.unknown, "item of a customer", "items of customers").c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-recommend", [&] { return run(argc, argv); });
}
