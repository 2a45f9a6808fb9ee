#include <cstdio>

#include "common/base/program.h"
#include "common/config/arguments.h"
#include "examples/market/write_market.h"

namespace {

int run(int argc, char** argv) {
  const hanse::MarketOptions usual;
  const auto text = [](auto number) { return std::to_string(number); };
  hanse::Arguments arguments(
      "hanse market",
      "Writes a synthetic market of many merchants whose truth is known: ratings, sessions, orders.");
  arguments.positional("OUT_DIR", "Folder to write; made when missing.")
      .option("merchants", "Merchants, of very different sizes.", text(usual.merchants))
      .option("customers", "Customers; a quarter shop at two merchants.", text(usual.customers))
      .option("items", "Items, in up to 8 categories.", text(usual.items))
      .option("sessions", "Rows of sessions.csv.", text(usual.sessions))
      .option("weeks", "Weeks of orders and ratings.", text(usual.weeks))
      .option("seed", "The same seed gives the same market.", text(usual.seed))
      .flag("force", "Writes over a folder that is not empty.");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  hanse::MarketOptions options;
  options.merchants = static_cast<std::uint32_t>(arguments.integer("merchants", 1, 16384));
  options.customers = static_cast<std::uint32_t>(arguments.integer("customers", 1, 20'000'000));
  options.items = static_cast<std::uint32_t>(arguments.integer("items", 1, 1'000'000));
  options.sessions = static_cast<std::uint64_t>(arguments.integer("sessions", 1, 1'000'000'000));
  options.weeks = static_cast<std::uint32_t>(arguments.integer("weeks", 1, 1040));
  options.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0, INT64_MAX));

  const std::string folder = arguments.text("OUT_DIR");
  const hanse::MarketFacts facts =
      hanse::write_market(folder, hanse::Market(options), arguments.flag_given("force"));
  std::printf("%s: %u merchants, %u customers, %u items, seed %llu\n", folder.c_str(), options.merchants,
              options.customers, options.items, static_cast<unsigned long long>(options.seed));
  std::printf(
      "  sessions.csv  %9llu rows  %.1f %% end in a purchase; best possible AUC %.4f, from the columns alone "
      "%.4f\n",
      static_cast<unsigned long long>(facts.sessions), 100 * facts.purchase_rate, facts.auc_bayes,
      facts.auc_columns);
  std::printf("  ratings.csv   %9llu rows  best possible RMSE %.4f; of the mean rating %.4f\n",
              static_cast<unsigned long long>(facts.ratings), facts.rmse_bayes, facts.rmse_mean);
  std::printf("  orders.csv    %9llu rows\n", static_cast<unsigned long long>(facts.orders));
  std::printf("  reviews.csv   %9llu rows  best possible AUC %.4f\n",
              static_cast<unsigned long long>(facts.reviews), facts.auc_reviews);
  std::printf("Next: hanse run %s/purchase.ini\n", folder.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-market", [&] { return run(argc, argv); });
}
