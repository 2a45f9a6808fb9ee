#include "coordinator/permissions.h"

#include <algorithm>
#include <utility>

#include "common/base/clock.h"
#include "common/base/interrupted.h"
#include "coordinator/federation.h"

namespace hanse {
namespace {

std::vector<std::uint32_t> everyone(const CoordinatorSession& session) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 0; id < session.names().size(); ++id) {
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

// --- one exchange ---

PermissionRound::PermissionRound(const CoordinatorSession& session, PermissionRequest request)
    : session_(&session), request_(std::move(request)) {
  for (const std::uint32_t id : request_.merchants) {
    awaited_[session.hosts()[id]].push_back(id);
  }
}

std::vector<ToWorker> PermissionRound::begin() const {
  const MerchantSet asked = MerchantSet::of(session_->names().size(), request_.merchants);
  std::vector<ToWorker> messages;
  for (const auto& [worker, merchants] : awaited_) {
    messages.push_back({worker, encode(Permit{asked, request_.lines(worker)}, request_.round)});
  }
  return messages;
}

bool PermissionRound::step(const FromWorker& message) {
  const auto envelope = open_envelope(message.message);
  const auto waiting = awaited_.find(message.worker);
  if (!envelope) {
    return false;
  }
  if (envelope->type == MessageType::fail) {
    if (const auto said = decode<Fail>(*envelope)) {
      worker_failures_.emplace(message.worker,
                               Failure(static_cast<ExitCode>(said->exit_code), said->sentence));
      leave(message.worker, Refusal::policy, "left for good: " + said->sentence);
    }
    return true;
  }
  if (envelope->round != request_.round || waiting == awaited_.end()) {
    return false;
  }
  if (envelope->type == MessageType::abort) {
    const auto said = decode<Abort>(*envelope);
    leave(message.worker, Refusal::policy, "does not permit it" + (said ? ": " + said->sentence : ""));
    return true;
  }
  if (envelope->type != MessageType::cosign) {
    return false;
  }
  const auto cosign = decode<Cosign>(*envelope);
  if (!cosign || cosign->signatures.size() != waiting->second.size()) {
    leave(message.worker, Refusal::malformed, "sent a COSIGN that does not follow its layout");
  } else if (cosign->size != request_.size || cosign->root != request_.root) {
    leave(message.worker, Refusal::split_view, "has another ledger than this one");
  } else {
    for (std::size_t i = 0; i < waiting->second.size(); ++i) {
      cosignatures_.push_back({waiting->second[i], cosign->signatures[i]});
    }
    signers_.push_back(message.worker);
    awaited_.erase(waiting);
  }
  return true;
}

void PermissionRound::deadline_passed() {
  while (!awaited_.empty()) {
    leave(awaited_.begin()->first, Refusal::deadline, "did not answer before the deadline");
  }
}

void PermissionRound::leave(Peer worker, Refusal reason, const std::string& why) {
  const auto waiting = awaited_.find(worker);
  if (waiting == awaited_.end()) {
    return;
  }
  for (const std::uint32_t id : waiting->second) {
    refused_.push_back({id, reason, "merchant " + session_->names()[id] + " " + why});
  }
  awaited_.erase(waiting);
}

// --- the ledger's heads ---

SignedLedger::SignedLedger(Federation& federation, LedgerWriter& ledger, Note note)
    : federation_(federation), ledger_(ledger), note_(std::move(note)) {}

std::vector<std::string> SignedLedger::lines_for(Peer worker) const {
  const auto known = known_.find(worker);
  return ledger_.lines_from(known == known_.end() ? 0 : known->second);
}

std::vector<Cosignature> SignedLedger::ask(std::uint64_t round, const std::vector<std::uint32_t>& merchants) {
  const PermissionRound asked =
      federation_.ask_permission({.round = round,
                                  .merchants = merchants,
                                  .size = ledger_.state().tree().size(),
                                  .root = ledger_.state().tree().root(),
                                  .lines = [this](Peer worker) { return lines_for(worker); }});
  for (const Peer worker : asked.signers()) {
    knows_all(worker);
  }
  refused_ = asked.refused();
  std::vector<Cosignature> valid = ledger_.valid(asked.cosignatures());
  for (const Cosignature& one : asked.cosignatures()) {
    if (!std::ranges::binary_search(valid, one.merchant, {}, &Cosignature::merchant)) {
      refused_.push_back({one.merchant, Refusal::forged,
                          "merchant " + federation_.session().names()[one.merchant] +
                              " sent a signature that is not its own"});
    }
  }
  return valid;
}

std::string SignedLedger::reasons() const {
  std::string text;
  for (const DroppedMerchant& one : refused_) {
    text += (text.empty() ? "" : "; ") + one.sentence;
  }
  return text;
}

void SignedLedger::sign_plan() {
  std::vector<Cosignature> signatures = ask(0, everyone(federation_.session()));
  if (signatures.size() < federation_.session().names().size()) {
    const bool late = std::ranges::all_of(
        refused_, [](const DroppedMerchant& one) { return one.reason == Refusal::deadline; });
    const std::string why = "the plan needs the signature of every merchant: " + reasons();
    if (late) {
      throw Interrupted(why);
    }
    throw Failure(ExitCode::refused, why);
  }
  ledger_.write_head(std::move(signatures), unix_seconds());
}

Result<std::vector<std::uint32_t>> SignedLedger::sign_intent(const std::vector<std::uint32_t>& invited) {
  const std::optional<Intent>& open = ledger_.state().open_intent();
  check(open.has_value(), "an intent is signed while it is open");
  std::vector<Cosignature> signatures = ask(open->round, invited);
  if (signatures.size() < open->parameters.shares_min) {
    return Error{std::to_string(signatures.size()) + " merchants permitted it where the sum needs " +
                 std::to_string(open->parameters.shares_min) + (refused_.empty() ? "" : ": " + reasons())};
  }
  ledger_.write_head(std::move(signatures), unix_seconds());
  return ledger_.state().permitted_by();
}

void SignedLedger::sign_claim(const std::vector<std::uint32_t>& merchants) {
  std::vector<Cosignature> signatures = ask(0, merchants);
  if (signatures.size() < std::min<std::size_t>(2, federation_.session().names().size())) {
    note_("the claim is signed by too few merchants, so its audit will say that the run is unfinished: " +
          reasons());
  } else {
    ledger_.write_head(std::move(signatures), unix_seconds());
  }
  federation_.keep_lines([this](Peer worker) { return lines_for(worker); });
}

}  // namespace hanse
