// The end of a round with an arbiter: it opens the sum.
#include "coordinator/round_parts.h"
#include "privacy/protocol/arbiter_messages.h"

namespace hanse {

std::vector<ToWorker> CoordinatorRound::Parts::ask_arbiter(const EncryptedTotal& total,
                                                           const MerchantSet& included) {
  const Bytes ciphertexts = total.take(*session->encryptor(), session->random());
  state = Decrypting{included};
  await(MerchantSet(roster_size()));
  return {{*session->arbiter(), encode(DecryptRequest{request.parameters, ciphertexts}, request.round)}};
}

std::vector<ToWorker> CoordinatorRound::Parts::step_of_arbiter(const FromWorker& message,
                                                               const Envelope& envelope) {
  const auto* decrypting = std::get_if<Decrypting>(&state);
  if (decrypting == nullptr || (envelope.round != request.round && envelope.type != MessageType::fail)) {
    refuse(message, kNoMerchant, Refusal::out_of_order,
           std::string(name_of(envelope.type)) + " of the arbiter");
    return {};
  }
  if (envelope.type == MessageType::abort) {
    const auto abort = decode<Abort>(envelope);
    return fail_without_arbiter(abort ? "refuses the sum: " + abort->sentence
                                      : "sent bytes that are no message");
  }
  if (envelope.type == MessageType::fail) {
    const auto said = decode<Fail>(envelope);
    return fail_without_arbiter(said ? "leaves: " + said->sentence : "sent bytes that are no message");
  }
  const auto decrypted = decode<Decrypted>(envelope);
  if (!decrypted) {
    refuse(message, kNoMerchant, Refusal::malformed, decrypted.what());
    return {};
  }
  const MerchantSet included = decrypting->included;
  return conclude(open_plaintexts(decrypted->plaintexts, request.parameters,
                                  session->encryptor()->key().size(), included.ids()),
                  included);
}

/// Nobody's upload is at fault, and no merchant is blamed.
std::vector<ToWorker> CoordinatorRound::Parts::fail_without_arbiter(const std::string& what) {
  return fail(Refusal::cohort, {}, "the arbiter (rank " + std::to_string(*session->arbiter()) + ") " + what);
}

}  // namespace hanse
