#include "common/transport/simulated_network.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace hanse {

SimulatedNetwork::SimulatedNetwork(SimulatedNetworkOptions options)
    : options_(std::move(options)), random_({options_.seed, 0x6e6574776f726bULL}) {
  check(options_.delay_min.count() >= 0 && options_.delay_max >= options_.delay_min,
        "a delay is an interval");
}

Peer SimulatedNetwork::add_worker(Handler handler) {
  handlers_.push_back(std::move(handler));
  return static_cast<Peer>(handlers_.size());
}

void SimulatedNetwork::crash(Peer worker) {
  options_.crash_at[worker] = now_;
}

void SimulatedNetwork::revive(Peer worker, Handler handler) {
  check(worker >= 1 && worker < size(), "a revived worker exists");
  options_.crash_at.erase(worker);
  handlers_[worker - 1] = std::move(handler);
}

bool SimulatedNetwork::alive(Peer peer) const {
  const auto crash = options_.crash_at.find(peer);
  return crash == options_.crash_at.end() || now_ < crash->second;
}

void SimulatedNetwork::send(Peer to, Bytes message) {
  check(to >= 1 && to < size(), "a message goes to a worker that exists");
  bytes_sent_ += message.size();
  post(0, to, std::move(message));
}

void SimulatedNetwork::send_from(Peer worker, Bytes message) {
  check(worker >= 1 && worker < size(), "a message comes from a worker that exists");
  if (alive(worker)) {
    post(worker, 0, std::move(message));
  }
}

void SimulatedNetwork::join_sum_from(Peer worker, Residues part) {
  check(worker >= 1 && worker < size(), "a part of a sum comes from a worker that exists");
  if (alive(worker)) {
    if (sum_tap_) {
      sum_tap_(worker, part);
    }
    parts_[worker].push_back(std::move(part));
  }
}

void SimulatedNetwork::join_sum(Residues part) {
  parts_[0].push_back(std::move(part));
}

bool SimulatedNetwork::sum_joined_by_all() const {
  return parts_.size() == size() && std::none_of(parts_.begin(), parts_.end(),
                                                 [](const auto& of_peer) { return of_peer.second.empty(); });
}

Result<Residues> SimulatedNetwork::take_sum(Instant deadline) {
  check(!parts_[0].empty(), "rank 0 joins a sum before it takes it");
  while (!sum_joined_by_all() && deliver_next(std::max(deadline, now_))) {
  }
  if (!sum_joined_by_all()) {
    now_ = std::max(now_, deadline);
    return Error{"not all processes gave their part of the sum in time"};
  }
  Residues sum = zeros_like(parts_[0].front());
  bool fits = true;
  for (auto& [peer, parts] : parts_) {
    fits = add_to(sum, parts.front()) && fits;
    parts.pop_front();
  }
  if (!fits) {
    return Error{"the parts of a sum differ in ring or length"};
  }
  return sum;
}

void SimulatedNetwork::post(Peer from, Peer to, Bytes message) {
  if (tap_) {
    tap_(from, to, message);
  }
  if (random_.uniform() < options_.loss) {
    return;
  }
  if (random_.uniform() < options_.duplication) {
    schedule(from, to, message);
  }
  if (!message.empty() && random_.uniform() < options_.garbling) {
    message[random_.below(message.size())] ^= static_cast<std::byte>(1 + random_.below(255));
  }
  schedule(from, to, std::move(message));
}

void SimulatedNetwork::schedule(Peer from, Peer to, Bytes message) {
  const auto span = static_cast<std::uint64_t>((options_.delay_max - options_.delay_min).count());
  const bool out_of_order = random_.uniform() < options_.reordering;
  auto delay = options_.delay_min + Milliseconds(static_cast<std::int64_t>(random_.below(span + 1)));
  if (out_of_order) {
    // Held back long enough to fall behind what follows, also on a network without delay.
    delay += Milliseconds(1 + static_cast<std::int64_t>(random_.below(span + 10)));
  }
  Instant when = now_ + delay;
  if (!out_of_order) {
    Instant& last = last_on_link_[{from, to}];
    when = std::max(when, last);
    last = when;
  }
  underway_to_workers_ += to == 0 ? 0 : 1;
  events_.push({when, events_made_++, from, to, std::move(message)});
}

/// Delivers the earliest message if it is due by `limit`.
bool SimulatedNetwork::deliver_next(Instant limit) {
  if (events_.empty() || events_.top().when > limit) {
    return false;
  }
  Event event = events_.top();
  events_.pop();
  now_ = std::max(now_, event.when);
  if (event.to == 0) {
    inbox_.push_back({event.from, std::move(event.message)});
    return true;
  }
  --underway_to_workers_;
  if (alive(event.to)) {
    for (Bytes& answer : handlers_[event.to - 1](event.message)) {
      // A handler may crash its own worker: what it says after that is lost.
      if (alive(event.to)) {
        post(event.to, 0, std::move(answer));
      }
    }
  }
  return true;
}

std::optional<Incoming> SimulatedNetwork::receive(Instant deadline) {
  while (inbox_.empty() && deliver_next(std::max(deadline, now_))) {
  }
  if (inbox_.empty()) {
    now_ = std::max(now_, deadline);
    return std::nullopt;
  }
  Incoming first = std::move(inbox_.front());
  inbox_.pop_front();
  return first;
}

void SimulatedNetwork::flush(Instant deadline) {
  while (underway_to_workers_ > 0 && deliver_next(std::max(deadline, now_))) {
  }
}

}  // namespace hanse
