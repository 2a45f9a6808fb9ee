#include "privacy/ledger/verify_signatures.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace hanse {
namespace {

/// Below, a thread costs more than it saves.
constexpr std::size_t kMessagesPerThread = 64;
constexpr std::size_t kThreadsMax = 16;

}  // namespace

std::vector<std::size_t> unverified(std::span<const SignedMessage> messages) {
  std::vector<char> holds(messages.size(), 0);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < messages.size(); i = next++) {
      holds[i] = verify(messages[i].key, messages[i].message, messages[i].signature) ? 1 : 0;
    }
  };
  const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t threads = std::min({processors, messages.size() / kMessagesPerThread + 1, kThreadsMax});
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads; ++i) {
    helpers.emplace_back(work);
  }
  work();
  helpers.clear();  // Joins.
  std::vector<std::size_t> failed;
  for (std::size_t i = 0; i < holds.size(); ++i) {
    if (holds[i] == 0) {
      failed.push_back(i);
    }
  }
  return failed;
}

}  // namespace hanse
