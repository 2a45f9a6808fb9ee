#include "worker/worker_loop.h"

#include <string>
#include <utility>

namespace hanse {

namespace {

template <class Node>
WorkerNode::End run(Node& node, Channel& channel, const Clock& clock, Milliseconds patience) {
  constexpr Peer coordinator = 0;
  constexpr Milliseconds last_words{2000};
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
    // Uploads leave one by one, so that memory does not grow with the number of merchants hosted here.
    node.handle(incoming->message, [&](Bytes answer) {
      channel.send(coordinator, std::move(answer));
      channel.flush(clock.now());
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
