#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "coordinator/coordinator_session.h"
#include "privacy/crypto/system_random.h"
#include "privacy/sum_parameters.h"
#include "tests/benchmarks/cpu_stopwatch.h"
#include "worker/worker_node.h"

namespace hanse {

/// A federation in one process with real keys, whose parts are timed apart. Messages are handed over at once; merchants
/// contribute one number each, so that every sum is checked and making the data costs nothing.
class TimedFederation {
 public:
  struct Plan {
    std::uint32_t merchants = 3;
    std::uint32_t workers = 1;
    std::uint64_t length = 1;
    Ring ring = Ring::bits32;
  };
  explicit TimedFederation(Plan plan);
  TimedFederation(const TimedFederation&) = delete;

  /// Merchants that go silent in a round: before their upload (their masks must be repaired), and after it.
  struct DropOuts {
    std::set<std::uint32_t> before_upload;
    std::set<std::uint32_t> after_upload;
  };
  /// What a session or a round costs, in seconds of CPU time over all merchants, and in bytes.
  struct Cost {
    double workers = 0;           ///< All WorkerNodes, their links included; without data and noise.
    double coordinator = 0;       ///< CoordinatorRound (of a session: with its links).
    double coordinator_link = 0;  ///< Sealing and opening messages at the coordinator.
    std::uint64_t upstream = 0;   ///< Plain bytes from all merchants to the coordinator.
    double total() const { return workers + coordinator + coordinator_link; }
  };
  /// The cost of setting up the session, once for all rounds.
  const Cost& joining() const { return joining_; }
  /// Runs the next round to its end and checks its sum.
  Cost run_round(const DropOuts& drop_outs = {});

  std::size_t neighbours_of_one() const { return session_.neighbours()[0].size(); }
  const SumParameters& parameters() const { return parameters_; }

 private:
  WorkerNode make_node(Peer rank);
  void join();

  Plan plan_;
  SumParameters parameters_;
  SystemRandom random_;
  SigningKey identity_;
  CoordinatorSession session_;
  std::vector<WorkerNode> nodes_;
  Cost joining_;
  CpuStopwatch data_;  ///< What making the contributions took: not part of any cost.
  std::uint64_t round_ = 0;
};

}  // namespace hanse
