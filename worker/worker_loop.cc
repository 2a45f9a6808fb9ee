#include "worker/worker_loop.h"

#include <string>
#include <utility>

namespace hanse {

namespace {

template <class Node>
WorkerNode::End run(Node& node, Channel& channel, const Clock& clock, Milliseconds patience) {
  constexpr Peer coordinator = 0;
  constexpr Milliseconds last_words{2000};
  constexpr std::uint64_t most_waiting = std::uint64_t{1} << 20;
  constexpr Milliseconds longest_wait{5000};
  channel.send(coordinator, node.hail());
  while (!node.ended()) {
    const std::optional<Incoming> incoming = channel.receive(clock.now() + patience);
    if (!incoming) {
      return {ExitCode::could_not_finish,
              "the coordinator was silent for " + std::to_string(patience.count() / 1000) + " s"};
    }
    if (incoming->from != coordinator) {
      continue;  // Workers have nothing to tell each other.
    }
    // Uploads leave one by one, and the next is not made before most of them are gone: memory does not grow with the number of
    // merchants hosted here. A coordinator that takes none for so long is dealt with by the rounds' deadlines.
    node.handle(incoming->message, [&](Bytes answer) {
      channel.send(coordinator, std::move(answer));
      channel.flush_to(most_waiting, clock.now() + longest_wait);
    });
  }
  channel.flush(clock.now() + last_words);
  return *node.ended();
}

}  // namespace

WorkerNode::End run_worker(WorkerNode& node, Channel& channel, const Clock& clock, Milliseconds patience) {
  return run(node, channel, clock, patience);
}
ArbiterNode::End run_arbiter(ArbiterNode& node, Channel& channel, const Clock& clock, Milliseconds patience) {
  return run(node, channel, clock, patience);
}

}  // namespace hanse
