// The audit of a file that is anything at all.

#include "privacy/ledger/audit.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static fuzz::MemoryFile file;
  file.write(fuzz::text_input(data, size));
  const AuditReport report = audit(file.path());
  check(!text_of(report).empty() && !json_of(report).empty(), "an audit has a verdict");
  return 0;
}
