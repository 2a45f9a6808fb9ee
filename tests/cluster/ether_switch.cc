// A learning Ethernet switch in user space: one port, a TAP device named eth0, in each of some network namespaces. It adds
// what a real network has and a kernel without netem cannot: latency, loss, and links that go down and come back.
//
//   ether_switch FIFO NAMESPACE...      prints "ready", then obeys lines of the FIFO:
//     PORT latency MS | PORT loss PERCENT | PORT down | PORT up        (PORT: 0, 1, ... or all)

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <queue>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

using Time = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;
using Address = std::array<char, 6>;
using Frame = std::vector<char>;

constexpr std::size_t kFrameMax = 65536;
constexpr std::size_t kAddresses = 12;  ///< Bytes of destination and source at the front of a frame.
constexpr int kFramesAtOnce = 64;

/// A link between a namespace and the switch. A frame crosses the sender's and the receiver's.
struct Port {
  int tap = -1;
  Milliseconds latency{0};
  double loss = 0;  ///< Probability.
  bool up = true;
};

/// A frame on its way.
struct Flight {
  Time arrival;
  std::uint64_t number = 0;  ///< In order of departure.
  std::size_t to = 0;
  Frame frame;
  friend bool operator<(const Flight& a, const Flight& b) {  // The earliest is on top of the queue.
    return a.arrival != b.arrival ? a.arrival > b.arrival : a.number > b.number;
  }
};

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int open_tap(const std::string& name_space) {
  const int net = ::open(("/var/run/netns/" + name_space).c_str(), O_RDONLY | O_CLOEXEC);
  if (net < 0 || ::setns(net, CLONE_NEWNET) != 0) {
    fail("cannot enter the network namespace " + name_space);
  }
  ::close(net);
  const int tap = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request{};
  std::strcpy(request.ifr_name, "eth0");
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (tap < 0 || ::ioctl(tap, TUNSETIFF, &request) != 0) {
    fail("cannot make a TAP device in " + name_space);
  }
  return tap;
}

class Switch {
 public:
  explicit Switch(const std::vector<std::string>& namespaces) {
    for (const std::string& name : namespaces) {
      ports_.push_back({.tap = open_tap(name)});
    }
  }

  std::vector<pollfd> polled(int control) const {
    std::vector<pollfd> list{{control, POLLIN, 0}};
    for (const Port& port : ports_) {
      list.push_back({port.tap, POLLIN, 0});
    }
    return list;
  }
  /// Until the next frame arrives; -1 when none is on its way.
  int milliseconds_to_wait() const {
    if (flights_.empty()) {
      return -1;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(flights_.top().arrival - now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }

  void land_frames() {
    while (!flights_.empty() && flights_.top().arrival <= now()) {
      const Flight& flight = flights_.top();
      if (ports_[flight.to].up) {
        deliver(flight.to, flight.frame);
      }
      flights_.pop();
    }
  }

  void take_frames(std::size_t from) {
    Frame buffer(kFrameMax);
    for (int i = 0; i < kFramesAtOnce; ++i) {
      const ssize_t size = ::read(ports_[from].tap, buffer.data(), buffer.size());
      if (size < static_cast<ssize_t>(kAddresses)) {
        return;
      }
      forward(from, Frame(buffer.begin(), buffer.begin() + size));
    }
  }

  /// One line of the FIFO.
  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string which;
    std::string what;
    double value = 0;
    words >> which >> what >> value;
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      if (which != "all" && which != std::to_string(i)) {
        continue;
      }
      Port& port = ports_[i];
      if (what == "up" || what == "down") {
        port.up = what == "up";
      } else if (what == "latency") {
        port.latency = Milliseconds(value);
      } else if (what == "loss") {
        port.loss = value / 100;
      }
    }
  }

 private:
  static Time now() { return std::chrono::steady_clock::now(); }

  void deliver(std::size_t to, const Frame& frame) const {
    // A full queue of the receiver loses the frame, as in any network.
    (void)!::write(ports_[to].tap, frame.data(), frame.size());
  }

  void forward(std::size_t from, const Frame& frame) {
    Address destination;
    Address source;
    std::copy_n(frame.begin(), destination.size(), destination.begin());
    std::copy_n(frame.begin() + destination.size(), source.size(), source.begin());
    port_of_[source] = from;
    const bool to_all = (destination.front() & 1) != 0;
    const auto known = port_of_.find(destination);
    for (std::size_t to = 0; to < ports_.size(); ++to) {
      if (to != from && (to_all || known == port_of_.end() || known->second == to)) {
        send(from, to, frame);
      }
    }
  }

  void send(std::size_t from, std::size_t to, const Frame& frame) {
    const Port& a = ports_[from];
    const Port& b = ports_[to];
    if (!a.up || !b.up || random_.uniform() < a.loss || random_.uniform() < b.loss) {
      return;
    }
    const auto latency = std::chrono::duration_cast<Time::duration>(a.latency + b.latency);
    if (latency <= Time::duration::zero()) {
      deliver(to, frame);
    } else {
      flights_.push({now() + latency, departed_++, to, frame});
    }
  }

  std::vector<Port> ports_;
  std::map<Address, std::size_t> port_of_;
  std::priority_queue<Flight> flights_;
  std::uint64_t departed_ = 0;
  SeededGenerator random_{7, 0x6E6574};
};

int run(const std::string& fifo, const std::vector<std::string>& namespaces) {
  const int home = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  Switch network(namespaces);
  // Held open for writing too, so that it does not end when a writer leaves.
  const int control = ::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (home < 0 || ::setns(home, CLONE_NEWNET) != 0 || control < 0) {
    fail("cannot listen to " + fifo);
  }
  std::puts("ready");
  std::fflush(stdout);
  std::string lines;
  for (std::vector<pollfd> polled = network.polled(control);;) {
    ::poll(polled.data(), polled.size(), network.milliseconds_to_wait());
    network.land_frames();
    for (std::size_t i = 1; i < polled.size(); ++i) {
      if ((polled[i].revents & POLLIN) != 0) {
        network.take_frames(i - 1);
      }
    }
    std::array<char, 4096> text{};
    const ssize_t size = (polled[0].revents & POLLIN) != 0 ? ::read(control, text.data(), text.size()) : 0;
    lines.append(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n')) {
      network.obey(lines.substr(0, end));
      lines.erase(0, end + 1);
    }
  }
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  try {
    if (argc < 3) {
      throw std::runtime_error("usage: ether_switch FIFO NAMESPACE...");
    }
    return hanse::run(argv[1], {argv + 2, argv + argc});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "ether_switch: %s\n", failure.what());
    return 2;
  }
}
