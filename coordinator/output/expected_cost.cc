#include "coordinator/output/expected_cost.h"

#include "coordinator/output/progress.h"
#include "coordinator/output/text.h"

namespace hanse {
namespace {

constexpr std::uint64_t kUpForANeighbour =
    96 + 32 + 32 + 16 + 16 + 16;                                ///< Box, commitments, seed, codes, share.
constexpr std::uint64_t kDownForANeighbour = 96 + 32 + 8 + 24;  ///< Box, commitments, ids, code.
constexpr std::uint64_t kHeldForANeighbour =
    1024;  ///< Keys, shares of this round and the next, codes; as measured.

std::string crypto_text(const ExpectedCost& cost) {
  if (cost.ciphertext_bytes > 0) {
    return bytes_text(cost.ciphertext_bytes) + " of ciphertexts to encrypt";
  }
  if (cost.neighbours == 0) {
    return "no encryption";
  }
  return std::to_string(cost.neighbours + 1) + " masks of " + count_text(cost.entries) + " entries, " +
         std::to_string(2 * (cost.neighbours + 1)) + " secret shares, 1 signature";
}

}  // namespace

std::uint64_t ExpectedCost::bytes_up() const {
  return (ciphertext_bytes > 0 ? ciphertext_bytes : entries * entry_bytes) + neighbours * kUpForANeighbour;
}

std::uint64_t ExpectedCost::bytes_down() const {
  return payload_bytes + neighbours * kDownForANeighbour;
}

std::uint64_t ExpectedCost::coordinator_bytes() const {
  const std::uint64_t upload = ciphertext_bytes > 0 ? ciphertext_bytes : entries * entry_bytes;
  return 2 * upload + 2 * 8 * (parameters + server_values) + (workers + 1) * payload_bytes;
}

std::uint64_t ExpectedCost::worker_bytes() const {
  const std::uint64_t upload = ciphertext_bytes > 0 ? ciphertext_bytes : entries * entry_bytes;
  const std::uint64_t kept = past_rows * entries * 8 + neighbours * kHeldForANeighbour;
  return 3 * 8 * entries + upload + 2 * payload_bytes + merchants_at_a_worker() * kept;
}

double ExpectedCost::seconds() const {
  const double vector = static_cast<double>(entries * entry_bytes);
  const double streams = static_cast<double>(merchants_at_a_worker()) * static_cast<double>(neighbours + 2) +
                         2 * static_cast<double>(merchants);
  return static_cast<double>(sums) * (seconds_a_sum + vector * streams / kBytesASecond);
}

std::string expected_cost_text(const ExpectedCost& cost) {
  return "expected: " + count_text(cost.parameters) + " parameters; a round costs each merchant " +
         bytes_text(cost.bytes_up()) + " up and its worker " + bytes_text(cost.bytes_down()) + " down, " +
         crypto_text(cost) + "; " + bytes_text(cost.coordinator_bytes()) + " of memory at the coordinator, " +
         bytes_text(cost.worker_bytes()) + " at a worker beside its data; about " +
         duration_text(cost.seconds()) + " for " + std::to_string(cost.rounds) + " rounds";
}

}  // namespace hanse
