// certificate.json, which travels with a model.

#include "privacy/ledger/model_certificate.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const auto certificate = decode_certificate(fuzz::text_input(data, size));
  if (certificate) {
    const std::string text = encode(*certificate);
    const auto again = decode_certificate(text);
    check(again.ok() && encode(*again) == text, "a certificate that was read is written in one way");
  }
  return 0;
}
