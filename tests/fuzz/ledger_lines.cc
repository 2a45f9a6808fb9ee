// A ledger file cut into its lines.

#include "privacy/ledger/ledger_lines.h"

#include <string>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const std::string_view content = fuzz::text_input(data, size);
  const fuzz::Allocations allocations;
  const LedgerLines split = split_lines(content);
  allocations.must_be_within(size, 4 * sizeof(std::string_view));  // Empty lines, in a vector that grows.
  std::string joined;
  for (const std::string_view line : split.lines) {
    check(line.find('\n') == std::string_view::npos, "a line has no end inside");
    joined += line;
    joined += '\n';
  }
  joined += split.torn;
  check(joined == content, "lines make the file again");
  return 0;
}
