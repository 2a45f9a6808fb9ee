// roster.json as a file, its signature included.

#include "common/base/failure.h"
#include "privacy/secure_sum/roster.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static fuzz::MemoryFile file;
  file.write(fuzz::text_input(data, size));
  try {
    const SignedRoster roster = load_roster(file.path());
    check(verify(roster.operator_key, roster.signed_bytes(), roster.signature),
          "an accepted roster is signed");
  } catch (const Failure& failure) {
    check(failure.code() == ExitCode::bad_input, "a bad roster is bad input");
  }
  return 0;
}
