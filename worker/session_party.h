#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/failure.h"
#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/signature.h"
#include "privacy/protocol/link.h"
#include "privacy/protocol/messages.h"
#include "worker/worker_node.h"

namespace hanse {

/// What every party has that faces the coordinator, worker or arbiter: its link, how far the session has come, its own
/// fault if it has one, and what it refused. A part of the party's state, of which each uses the stages it has.
struct SessionParty {
  enum class Stage { linking, joining, greeted, opened, confirmed, ready, ended };

  explicit SessionParty(std::string_view of_kind) : kind(of_kind) {}

  std::string_view kind;  ///< "worker" or "arbiter", for sentences.
  Stage stage = Stage::linking;
  std::optional<LinkRequest> request;
  std::optional<Link> link;      ///< From the end of linking on.
  std::optional<Failure> fault;  ///< What this party's user must mend.
  std::optional<WorkerNode::End> ended;
  std::vector<std::string> refusals;

  void refuse(std::string sentence) { refusals.push_back(std::move(sentence)); }

  /// The first message to the coordinator.
  Bytes hail(std::uint32_t rank, SecureRandom& random);

  /// Gives the envelope of a message to `dispatch`, unless it is the answer that ends linking, is refused, or comes
  /// after the end.
  void handle(ByteView message, const std::optional<PublicKey>& coordinator,
              const std::function<void(const Envelope&)>& dispatch);

  /// Gives `message`, decoded from `envelope`, to `handler` if it could be read and this stage waits for it. A party with
  /// a fault of its own takes part in nothing once it has said so, which it does at PARAMS.
  template <class Message, class Handler>
  void take(const Envelope& envelope, Stage expected, const Result<Message>& message,
            const Handler& handler) {
    if (!message) {
      refuse(message.what());
    } else if (fault && stage != Stage::joining) {
      refuse(std::string(name_of(envelope.type)) + " after this " + std::string(kind) + "'s own failure");
    } else if (stage != expected) {
      refuse(std::string(name_of(envelope.type)) + " where none is waited for");
    } else {
      handler(*message);
    }
  }

 private:
  void finish_link(ByteView answer, const std::optional<PublicKey>& coordinator);
};

}  // namespace hanse
