// roster.json, which an operator hands out.

#include "privacy/secure_sum/roster.h"

#include "common/base/failure.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static fuzz::MemoryFile file;
  file.write(fuzz::text_input(data, size));
  try {
    const SignedRoster roster = load_roster(file.path());
    check(roster.identities().size() == roster.merchants.size(),
          "an accepted roster names each merchant once");
    check(verify(roster.operator_key, roster.signed_bytes(), roster.signature),
          "an accepted roster is signed");
  } catch (const Failure& failure) {
    check(failure.code() == ExitCode::bad_input, "a bad roster is bad input");
  }
  return 0;
}
