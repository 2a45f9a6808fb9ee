// The body of one type of message. HANSE_FUZZED_MESSAGE is the type, from messages.def.

#include <algorithm>

#include "tests/fuzz/message_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Message = hanse::HANSE_FUZZED_MESSAGE;
  hanse::fuzz::read_and_write<Message>(
      {.type = Message::kType, .merchant = 1, .round = 2, .body = hanse::fuzz::input(data, size)});
  return 0;
}
