#include "privacy/protocol/refusal.h"

namespace hanse {

namespace {

struct Entry {
  Refusal reason;
  std::string_view name;
  std::string_view meaning;
};

constexpr Entry kEntries[] = {
    {Refusal::malformed, "malformed", "the bytes do not follow the message's layout"},
    {Refusal::out_of_order, "out_of_order", "the message is not one this state waits for"},
    {Refusal::wrong_round, "wrong_round", "the message belongs to another round"},
    {Refusal::foreign, "foreign", "the merchant is not its sender's, or not in this round"},
    {Refusal::cohort, "cohort", "too few merchants are left to add up or to open the sum"},
    {Refusal::excluded, "excluded", "the merchant's upload is not in the sum"},
    {Refusal::forged, "forged", "the sum is said to hold an upload that was never sent"},
    {Refusal::split_view, "split_view", "too few neighbours confirm the same set of merchants"},
    {Refusal::wrong_context, "wrong_context", "round, model, parameters or roster are not those agreed on"},
    {Refusal::bad_share, "bad_share", "a neighbour's share does not open"},
    {Refusal::edge_mismatch, "edge_mismatch", "two neighbours do not have the same mask between them"},
    {Refusal::unverified, "unverified", "a signature, message code or commitment does not hold"},
    {Refusal::sum_invalid, "sum_invalid", "the opened sum fails its canaries or its bound"},
    {Refusal::policy, "policy", "the merchant's own intent, budget or policy refuses"},
    {Refusal::exhausted, "exhausted", "more rounds were aborted than a session allows"},
    {Refusal::equivocation, "equivocation", "the coordinator asked for different things in one round"},
    {Refusal::deadline, "deadline", "nothing arrived before the deadline"},
    {Refusal::unsummed, "unsummed", "its worker cannot give its part of the sum along the tree"},
};

}  // namespace

std::string_view name_of(Refusal reason) {
  for (const Entry& entry : kEntries) {
    if (entry.reason == reason) {
      return entry.name;
    }
  }
  return "unknown";
}

std::string_view meaning_of(Refusal reason) {
  for (const Entry& entry : kEntries) {
    if (entry.reason == reason) {
      return entry.meaning;
    }
  }
  return "the reason is unknown";
}

bool is_refusal(std::uint8_t value) {
  return value >= static_cast<std::uint8_t>(Refusal::malformed) &&
         value <= static_cast<std::uint8_t>(Refusal::unsummed);
}

}  // namespace hanse
