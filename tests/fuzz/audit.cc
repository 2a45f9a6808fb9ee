// The audit of a file that is anything at all.

#include "privacy/ledger/audit.h"

#include <algorithm>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static fuzz::MemoryFile file;
  file.write(fuzz::text_input(data, size));
  const AuditReport report = audit(file.path());
  const std::string text = text_of(report);
  check(!text.empty() && !json_of(report).empty(), "an audit has a verdict");
  check(std::ranges::all_of(
            text, [](char c) { return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); }),
        "no name steers a terminal");
  return 0;
}
