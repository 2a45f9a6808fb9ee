// A published model that someone passes on.

#include "privacy/published/model_file.h"

#include "tests/fuzz/sealed_file.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const auto once_more = [](std::string_view bytes) { return encode_model(decode_model(bytes, "a file")); };
  const fuzz::SealedFile<decltype(once_more)> models{"HANSEMDL", kModelFormatVersion, 256, 64, once_more};
  models.check_both(fuzz::text_input(data, size));
  return 0;
}
