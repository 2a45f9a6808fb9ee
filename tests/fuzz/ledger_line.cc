// One line of a ledger, as START and RESULT carry it and ledger files hold it.

#include "privacy/ledger/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const std::string_view line = fuzz::text_input(data, size);
  const fuzz::Allocations allocations;
  const auto record = decode_record(line);
  // A list of one-digit numbers is the worst JSON; "0-16383" is 64 KiB of ids.
  check(allocations.bytes() <= 512 * size + (std::size_t{1} << 19),
        "a line of a ledger is read in memory in proportion to it");
  if (record) {
    check(encode(*record) == line, "a record has one encoding");
    check(!signed_text(*record).empty(), "a record that was read can be signed");
  }
  return 0;
}
