#pragma once

#include <ctime>

namespace hanse {

/// CPU time of this thread between start() and stop(), added up. What other programs do on the machine is not in it, but
/// for what they leave of the caches.
class CpuStopwatch {
 public:
  void start() { started_ = now(); }
  void stop() { seconds_ += now() - started_; }
  double seconds() const { return seconds_; }

 private:
  static double now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  double started_ = 0;
  double seconds_ = 0;
};

/// Runs a stopwatch for the length of a scope.
class Timed {
 public:
  explicit Timed(CpuStopwatch& stopwatch) : stopwatch_(stopwatch) { stopwatch_.start(); }
  ~Timed() { stopwatch_.stop(); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  CpuStopwatch& stopwatch_;
};

}  // namespace hanse
