#pragma once

#include "privacy/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

namespace hanse::fuzz {

/// Memory for each byte of a message: a name is a std::string, a bit of a set is a bit.
inline constexpr std::size_t kMessageFactor = 8;

/// A peer's sentence is made harmless as it is read, so that these two alone have more than one spelling.
template <class Message>
inline constexpr bool kShowsSentence =
    Message::kType == MessageType::fail || Message::kType == MessageType::abort;

/// Reads a message. When it is accepted, writing it gives the same bytes again: one content has one encoding.
template <class Message>
bool read_and_write(const Envelope& envelope) {
  const Allocations allocations;
  const Result<Message> message = decode<Message>(envelope);
  allocations.must_be_within(envelope.body.size(), kMessageFactor);
  if (!message) {
    return false;
  }
  const Bytes again = encode(*message, envelope.round, envelope.merchant);
  const Result<Envelope> opened = open_envelope(again);
  check(opened.ok() && opened->type == Message::kType && opened->round == envelope.round &&
            opened->merchant == envelope.merchant,
        "a header is read as it was written");
  if constexpr (kShowsSentence<Message>) {
    const Result<Message> twice = decode<Message>(*opened);
    check(twice.ok() && encode(*twice, envelope.round, envelope.merchant) == again,
          "a message with a sentence is stable once it was read");
  } else {
    check(std::ranges::equal(opened->body, envelope.body), "a message has one encoding");
  }
  return true;
}

}  // namespace hanse::fuzz
