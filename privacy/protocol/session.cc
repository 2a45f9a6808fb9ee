#include "privacy/protocol/session.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "privacy/crypto/hkdf.h"
#include "privacy/secure_sum/neighbours.h"

namespace hanse {

namespace {

/// Why an entry of somebody else cannot be in the roster, as the end of a sentence; nothing when it can.
std::optional<std::string> fault_of(const MerchantHello& hello, const RosterRules& rules,
                                    const Digest& parameters) {
  if (!rules.identities.empty()) {
    const auto pinned = rules.identities.find(hello.name);
    if (pinned == rules.identities.end()) {
      return "it is not in the roster of identities";
    }
    if (pinned->second != hello.identity) {
      return "its identity is not the one in the roster of identities";
    }
  }
  if (!verify(hello.identity, hello.signed_bytes(parameters), hello.signature)) {
    return "its signature does not hold";
  }
  return std::nullopt;
}

std::map<std::string_view, const MerchantHello*> by_name(const std::vector<MerchantHello>& hellos) {
  std::map<std::string_view, const MerchantHello*> found;
  for (const MerchantHello& hello : hellos) {
    found.emplace(hello.name, &hello);
  }
  return found;
}

}  // namespace

Result<VerifiedSession> verify_roster(const std::vector<MerchantHello>& merchants, const RosterRules& rules) {
  if (rules.parameters.masked && merchants.size() < 3) {
    return Error{"the roster has " + std::to_string(merchants.size()) +
                 " merchants where masks need at least 3"};
  }
  const Digest parameters = rules.parameters.digest();
  const auto own = by_name(rules.own);
  std::set<Bytes32> keys;
  std::set<PublicKey> identities;
  std::size_t own_found = 0;
  for (std::size_t i = 0; i < merchants.size(); ++i) {
    const MerchantHello& hello = merchants[i];
    if (i > 0 && hello.name <= merchants[i - 1].name) {
      return Error{"merchant " + hello.name + " is out of order or twice in the roster"};
    }
    if (!keys.insert(hello.key).second || !identities.insert(hello.identity).second) {
      return Error{"merchant " + hello.name + " has the key of another merchant"};
    }
    const auto sent = own.find(hello.name);
    if (sent != own.end()) {
      if (*sent->second != hello) {
        return Error{"merchant " + hello.name + ": its entry in the roster is not the one it sent"};
      }
      ++own_found;
    } else if (const auto fault = fault_of(hello, rules, parameters)) {
      return Error{"merchant " + hello.name + ": " + *fault};
    }
  }
  if (own_found != own.size()) {
    return Error{"the roster lacks merchants of this worker"};
  }
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 session")).put_bytes(parameters);
  RosterMessage{merchants}.write(writer);
  VerifiedSession session{.id = sha256(writer.bytes()), .graph = {}, .neighbours = {}};
  session.neighbours.resize(merchants.size());
  if (rules.parameters.masked) {
    const auto size = static_cast<std::uint32_t>(merchants.size());
    const auto graph = plan_graph(size, rules.parameters.graph);
    if (!graph) {
      return graph.error();
    }
    session.graph = *graph;
    session.needs_seeds = !graph->complete(size);
    if (!session.needs_seeds) {
      session.neighbours = neighbour_graph(size, graph->neighbours, session.id);
    }
  }
  return session;
}

Digest commit_to_seed(const PublicKey& identity, const Secret<32>& seed) {
  const Secret<32> code = hkdf_expand(seed, {bytes_of("hanse/1 graph seed"), identity});
  Digest commitment;
  std::ranges::copy(code.expose(), commitment.begin());
  return commitment;
}

Bytes32 opening_of(const Secret<32>& seed) {
  Bytes32 opening;
  std::ranges::copy(seed.expose(), opening.begin());
  return opening;
}

bool opens(const MerchantHello& merchant, const Bytes32& seed) {
  Secret<32> opened;
  std::ranges::copy(seed, opened.expose_for_writing().begin());
  return commit_to_seed(merchant.identity, opened) == merchant.graph_commitment;
}

Result<VerifiedSession> draw_graph(VerifiedSession session, const std::vector<MerchantHello>& merchants,
                                   const std::vector<Bytes32>& seeds) {
  check(session.needs_seeds, "seeds are opened for a ring");
  if (seeds.size() != merchants.size()) {
    return Error{std::to_string(seeds.size()) + " graph seeds are opened for " +
                 std::to_string(merchants.size()) + " merchants"};
  }
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 graph")).put_bytes(session.id);
  for (std::size_t i = 0; i < merchants.size(); ++i) {
    if (!opens(merchants[i], seeds[i])) {
      return Error{"merchant " + merchants[i].name + ": its graph seed is not the one it committed to"};
    }
    writer.put_bytes(seeds[i]);
  }
  session.neighbours = neighbour_graph(static_cast<std::uint32_t>(merchants.size()), session.graph.neighbours,
                                       sha256(writer.bytes()));
  session.needs_seeds = false;
  return session;
}

}  // namespace hanse
