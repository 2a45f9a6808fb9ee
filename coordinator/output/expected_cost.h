#pragma once

#include <cstdint>
#include <string>

namespace hanse {

/// What a training round will cost, from the plan alone and from how long the sums before training took.
struct ExpectedCost {
  std::uint64_t parameters = 0;   ///< Of the model.
  std::uint64_t entries = 0;      ///< Of a round's sum, for each merchant.
  std::uint64_t entry_bytes = 8;  ///< 4 or 8: the ring's.
  std::uint64_t ciphertext_bytes =
      0;  ///< Of one merchant's upload, with aggregation.encryption=paillier; else 0.
  std::uint64_t payload_bytes = 0;  ///< Intent and models, to every worker.
  std::uint64_t merchants = 1;
  std::uint64_t workers = 1;
  std::uint64_t neighbours = 0;     ///< Of a merchant; 0 without masks.
  std::uint64_t server_values = 0;  ///< The optimiser's memory.
  std::uint64_t past_rows = 0;      ///< Sums that a merchant keeps for correlated noise (privacy/rows.h).
  std::uint64_t rounds = 1;         ///< That are left.
  std::uint64_t sums = 1;           ///< Of all these, evaluations included.
  double seconds_a_sum = 0.05;      ///< Of small sums, as seen so far.

  /// Up: its vector, and for each neighbour shares, codes and fingerprints.
  std::uint64_t bytes_up() const;
  /// Down, to its worker: the models, and for each neighbour a box of shares and codes.
  std::uint64_t bytes_down() const;
  /// At the coordinator: the sum and one upload, the models with the server's memory, and a payload on its way to each worker.
  std::uint64_t coordinator_bytes() const;
  /// At a worker beside its data: a merchant's vector in double and in whole numbers, with noise, upload and payload, and what
  /// each of its merchants keeps.
  std::uint64_t worker_bytes() const;
  /// All sums: what small ones take, and vectors at kBytesASecond through masks, noise and wire.
  double seconds() const;

  std::uint64_t merchants_at_a_worker() const { return (merchants + workers - 1) / workers; }

  static constexpr double kBytesASecond = 0.5e9;
};

/// One line for the screen, before the first round.
std::string expected_cost_text(const ExpectedCost& cost);

}  // namespace hanse
