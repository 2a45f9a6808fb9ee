#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hanse {

/// Why a message or a round was refused. On the wire as one byte; each has a sentence.
enum class Refusal : std::uint8_t {
  malformed = 1,  ///< The bytes do not follow the message's layout.
  out_of_order,   ///< Not a message that this state waits for, or one it already had.
  wrong_round,    ///< Belongs to a round that is over, or to another session.
  foreign,        ///< Names a merchant its sender does not host, or one that is not in this round.
  cohort,         ///< Fewer merchants than this merchant's own minimum, or than holders needed to open.
  excluded,       ///< A merchant's upload is not in the sum.
  forged,         ///< The sum is said to hold an upload that was never sent.
  split_view,     ///< Too few neighbours confirm the same set of merchants.
  wrong_context,  ///< Round, model, parameters or roster differ from what was agreed.
  bad_share,      ///< A share box of a neighbour does not open.
  edge_mismatch,  ///< Two neighbours do not have the same mask between them.
  unverified,     ///< A signature, a message code or a commitment does not hold.
  sum_invalid,    ///< The opened sum fails its canaries or its bound.
  policy,         ///< The merchant's own intent, budget or policy refuses.
  exhausted,      ///< More aborted rounds than a session allows.
  equivocation,   ///< The coordinator asked for different things in one round.
  deadline,       ///< Nothing arrived in time.
  unsummed,       ///< A worker cannot give its part of a sum along the tree.
};

/// "out_of_order"; "unknown" for a value that is none of ours.
std::string_view name_of(Refusal reason);
/// What it means, as a clause: "the message is not one this state waits for".
std::string_view meaning_of(Refusal reason);
bool is_refusal(std::uint8_t value);

}  // namespace hanse
