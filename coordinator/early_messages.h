#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "coordinator/coordinator_session.h"

namespace hanse {

/// Messages that came before the round they are for: shares, mostly. Of each worker no more than two, and two for each
/// merchant that it hosts, so that one that floods the coordinator takes no room that another's shares need.
class EarlyMessages {
 public:
  /// `hosts`: the worker of each merchant, by id.
  explicit EarlyMessages(const std::vector<Peer>& hosts) {
    for (const Peer worker : hosts) {
      room_[worker] += 2;
    }
  }

  /// Puts by what the round before kept for the next.
  void keep_all(std::vector<FromWorker> messages) {
    for (FromWorker& message : messages) {
      (void)keep(std::move(message));
    }
  }
  /// False when there is no room left for this worker's: the message is dropped.
  bool keep(FromWorker message) {
    std::size_t& taken = taken_[message.worker];
    const auto hosted = room_.find(message.worker);
    if (taken >= 2 + (hosted == room_.end() ? 0 : hosted->second)) {
      return false;
    }
    ++taken;
    messages_.push_back(std::move(message));
    return true;
  }
  /// All of them, in the order in which they came. There is room again.
  std::vector<FromWorker> take() {
    taken_.clear();
    return std::exchange(messages_, {});
  }

 private:
  std::map<Peer, std::size_t> room_;  ///< For merchants' messages.
  std::map<Peer, std::size_t> taken_;
  std::vector<FromWorker> messages_;
};

}  // namespace hanse
