#include "worker/session_party.h"

#include "common/base/check.h"

namespace hanse {

Bytes SessionParty::hail(std::uint32_t rank, SecureRandom& random) {
  request.emplace(rank, random);
  return request->message();
}

void SessionParty::finish_link(ByteView answer, const std::optional<PublicKey>& coordinator) {
  check(request.has_value(), "a party hails before it handles");
  auto opened = request->finish(answer, coordinator);
  if (!opened) {
    refuse(opened.what());
    return;
  }
  link.emplace(std::move(*opened));
  request.reset();
  stage = Stage::joining;
}

void SessionParty::handle(ByteView message, const std::optional<PublicKey>& coordinator,
                          const std::function<void(const Envelope&)>& dispatch) {
  if (stage == Stage::ended) {
    return;
  }
  if (stage == Stage::linking) {
    finish_link(message, coordinator);
    return;
  }
  const auto plain = link->open(message);
  if (!plain) {
    refuse(plain.what());
    return;
  }
  const auto envelope = open_envelope(*plain);
  if (!envelope) {
    refuse(envelope.what());
    return;
  }
  dispatch(*envelope);
}

}  // namespace hanse
