// roster.json, which an operator hands out, as far as it is read before its signature is verified.

#include "privacy/secure_sum/roster.h"

#include "common/base/failure.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  try {
    const SignedRoster roster = parse_roster(fuzz::text_input(data, size), "roster.json");
    check(roster.identities().size() == roster.merchants.size(),
          "an accepted roster names each merchant once");
    const std::string text = roster_text(roster, "roster.json");
    const SignedRoster again = parse_roster(text, "roster.json");
    check(again.signed_bytes() == roster.signed_bytes() && roster_text(again, "roster.json") == text,
          "a roster that was read is written in one way");
  } catch (const Failure& failure) {
    check(failure.code() == ExitCode::bad_input, "a bad roster is bad input");
  }
  return 0;
}
