#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace hanse {

using Milliseconds = std::chrono::milliseconds;
/// A steady instant, in milliseconds since the clock's own start.
using Instant = std::chrono::duration<std::int64_t, std::milli>;

/// Time for deadlines. The real clock is SteadyClock; a simulated network moves its own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  Instant now() const override {
    return std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

/// The time of day, for records; nothing waits by it.
inline std::uint64_t unix_seconds() {
  return static_cast<std::uint64_t>(std::time(nullptr));
}

}  // namespace hanse
