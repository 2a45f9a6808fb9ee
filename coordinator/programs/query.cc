#include <cstdio>

#include "common/base/failure.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "coordinator/output/network_query.h"

namespace {

int run(int argc, char** argv) {
  hanse::Arguments arguments(
      "hanse query",
      "Asks the Bayesian network of a finished run: probabilities of a variable, given "
      "values of others.");
  arguments.positional("MODEL", "Folder of the run, or of its model.")
      .positional("QUERY", "'buys', or 'buys | month=May, visitor=new'.")
      .flag("json", "Prints one JSON object.");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const std::string where = arguments.text("MODEL");
  const hanse::BeliefNetwork network = hanse::network_of(hanse::read_model(where), where);
  const hanse::NetworkQuery query = hanse::read_query(arguments.text("QUERY"), network);
  const auto chances = hanse::posterior(network, query.target, query.evidence);
  if (!chances) {
    throw hanse::bad_input("QUERY: what is given has probability 0 in this network");
  }
  const std::string answer = arguments.flag_given("json") ? hanse::answer_json(network, query, *chances)
                                                          : hanse::answer_text(network, query, *chances);
  std::fputs(answer.c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-query", [&] { return run(argc, argv); });
}
