// Sparse rows: a LIBSVM file that somebody exported.

#include "common/data/libsvm.h"

#include <cmath>

#include "common/base/failure.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  constexpr std::uint32_t kFeatures = 1000;
  const std::string_view text = fuzz::text_input(data, size);
  const fuzz::Allocations allocations;
  try {
    LibsvmReader reader(text, "a file", kFeatures);
    while (reader.next()) {
      check(reader.label() == 0 || reader.label() == 1, "a label is 0 or 1");
      check(reader.columns().size() == reader.values().size(), "each column has a value");
      std::int64_t last = -1;
      for (std::size_t i = 0; i < reader.columns().size(); ++i) {
        const std::int64_t column = reader.columns()[i];
        check(column > last && column < kFeatures, "columns increase and are within the features");
        check(std::isfinite(reader.values()[i]), "values are finite");
        last = column;
      }
    }
  } catch (const Failure& failure) {
    check(failure.code() == ExitCode::bad_input, "a bad file is bad input");
  }
  allocations.must_be_within(size, 64);
  return 0;
}
