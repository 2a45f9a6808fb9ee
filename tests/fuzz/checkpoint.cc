// A checkpoint that a run is to continue from.

#include "coordinator/checkpoint.h"

#include "tests/fuzz/sealed_file.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const auto once_more = [](std::string_view bytes) {
    return encode_checkpoint(decode_checkpoint(bytes, "a file"));
  };
  const fuzz::SealedFile<decltype(once_more)> checkpoints{"HANSECPT", kCheckpointVersion, 64, 0, once_more};
  checkpoints.check_both(fuzz::text_input(data, size));
  return 0;
}
