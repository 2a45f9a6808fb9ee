// A ledger file cut into its lines.

#include "privacy/ledger/ledger_lines.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const std::string_view content = fuzz::text_input(data, size);
  const fuzz::Allocations allocations;
  const LedgerLines split = split_lines(content);
  allocations.must_be_within(size, 4 * sizeof(std::string_view));  // Empty lines, in a vector that grows.
  std::size_t at = 0;
  for (const std::string_view line : split.lines) {
    check(line.data() == content.data() + at && line.find('\n') == std::string_view::npos,
          "a line begins where the one before ended, and ends with its newline");
    at += line.size() + 1;
    check(at <= size && content[at - 1] == '\n', "a line is complete");
  }
  check(split.torn == content.substr(at) && split.torn.find('\n') == std::string_view::npos,
        "what is torn has no end");
  return 0;
}
