// A checkpoint that a run is to continue from: the file itself, and a payload behind a header that fits it.

#include "coordinator/checkpoint.h"

#include "common/base/failure.h"
#include "privacy/crypto/digest.h"
#include "tests/fuzz/fuzz.h"

namespace hanse::fuzz {
namespace {

void read(std::string_view bytes) {
  const Allocations allocations;
  try {
    const std::string once = encode_checkpoint(decode_checkpoint(bytes, "a file"));
    check(encode_checkpoint(decode_checkpoint(once, "a file")) == once,
          "a checkpoint that was read is written in one way");
  } catch (const Failure& failure) {
    check(failure.code() == ExitCode::bad_input, "a bad checkpoint is bad input");
  }
  allocations.must_be_within(bytes.size(), 64);
}

}  // namespace
}  // namespace hanse::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const std::string_view bytes = fuzz::text_input(data, size);
  fuzz::read(bytes);
  ByteWriter writer;
  writer.put_bytes(bytes_of("HANSECPT")).put(kCheckpointVersion).put(std::uint64_t{size});
  writer.put_bytes(sha256(bytes_of(bytes))).put_bytes(bytes_of(bytes));
  fuzz::read(text_of(writer.bytes()));
  return 0;
}
