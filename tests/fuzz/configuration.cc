// The INI file of a run.

#include "common/config/configuration.h"

#include "common/base/failure.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static fuzz::MemoryFile file;
  static fuzz::MemoryFile again;
  file.write(fuzz::text_input(data, size));
  try {
    const std::string text = canonical_text(read_configuration(file.path(), {}));
    again.write(text);
    check(canonical_text(read_configuration(again.path(), {})) == text,
          "the canonical text of a configuration is read as the same configuration");
  } catch (const Failure& failure) {
    check(failure.code() == ExitCode::bad_input, "a bad configuration is bad input");
  }
  return 0;
}
