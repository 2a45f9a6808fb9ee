#include <cstdio>

#include "common/base/durable_file.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "coordinator/output/report.h"

namespace {

int run(int argc, char** argv) {
  hanse::Arguments arguments("hanse report",
                             "Writes one self-contained HTML page about a run: curves, privacy, audit.");
  arguments.positional("RUN_DIR", "Folder of the run.")
      .option("out", "Where to write the page; RUN_DIR/report.html unless given.");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const std::filesystem::path folder = arguments.text("RUN_DIR");
  const std::filesystem::path out =
      arguments.given("out") ? std::filesystem::path(arguments.text("out")) : folder / "report.html";
  const std::string page = hanse::report_html(hanse::read_report_data(folder));
  hanse::write_durably(out, page);
  std::printf("%s\n", out.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return hanse::run_program("hanse-report", [&] { return run(argc, argv); });
}
