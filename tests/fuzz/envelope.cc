// Whole messages: the header, and whichever body it announces.

#include <algorithm>

#include "tests/fuzz/message_target.h"

namespace hanse::fuzz {
namespace {

/// True when a message of this type has a line in messages.def.
bool dispatch(const Envelope& envelope) {
  switch (envelope.type) {
#define HANSE_MESSAGE(name, Message)   \
  case MessageType::name:              \
    read_and_write<Message>(envelope); \
    return true;
#include "tests/fuzz/messages.def"
#undef HANSE_MESSAGE
  }
  return false;
}

}  // namespace
}  // namespace hanse::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  using namespace hanse;
  for (int type = 0; type < 256; ++type) {
    ByteWriter writer;
    write_header(writer, static_cast<MessageType>(type), 0, 0);
    const auto envelope = open_envelope(writer.bytes());
    check(!envelope || fuzz::dispatch(*envelope), "every type of message has its line in messages.def");
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto envelope = hanse::open_envelope(hanse::fuzz::input(data, size));
  if (envelope) {
    hanse::check(hanse::fuzz::dispatch(*envelope), "every type of message is known");
  }
  return 0;
}
