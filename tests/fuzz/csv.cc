// Tables: a CSV file that somebody exported.

#include "common/data/csv.h"

#include "common/base/failure.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const std::string_view text = fuzz::text_input(data, size);
  const auto within = [&](std::string_view part) {
    return part.empty() || (part.data() >= text.data() && part.data() + part.size() <= text.data() + size);
  };
  const fuzz::Allocations allocations;
  try {
    CsvReader reader(text, "a file");
    std::uint64_t line = reader.line();
    while (reader.next()) {
      check(reader.cells().size() == reader.header().size(), "a row has as many cells as the header");
      check(within(reader.text()), "a row is a part of the file");
      check(reader.line() > line, "rows go downwards");
      line = reader.line();
    }
  } catch (const Failure& failure) {
    check(failure.code() == ExitCode::bad_input, "a bad table is bad input");
  }
  allocations.must_be_within(size, 256);  // A header of commas alone: a name and its place in a set for each.
  return 0;
}
