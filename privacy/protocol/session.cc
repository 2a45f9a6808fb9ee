#include "privacy/protocol/session.h"

#include <algorithm>
#include <optional>
#include <set>

#include "privacy/secure_sum/neighbours.h"

namespace hanse {

namespace {

/// Why one entry cannot be in the roster, as the end of a sentence; nothing when it can.
std::optional<std::string> fault_of(const MerchantHello& hello, const RosterRules& rules,
                                    const Digest& parameters) {
  const auto own = std::find_if(rules.own.begin(), rules.own.end(),
                                [&](const MerchantHello& one) { return one.name == hello.name; });
  if (own != rules.own.end()) {
    return *own == hello ? std::nullopt : std::optional("its entry in the roster is not the one it sent");
  }
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

}  // namespace

Result<VerifiedSession> verify_roster(const std::vector<MerchantHello>& merchants, const RosterRules& rules) {
  if (rules.parameters.encryption != Encryption::none && merchants.size() < 3) {
    return Error{"the roster has " + std::to_string(merchants.size()) +
                 " merchants where a merchant hides among at least 3"};
  }
  const Digest parameters = rules.parameters.digest();
  std::set<Bytes32> keys;
  std::set<PublicKey> identities;
  check((rules.arbiter != nullptr) == (rules.parameters.encryption == Encryption::paillier),
        "a session has an arbiter when its encryption needs one");
  if (rules.arbiter != nullptr) {
    identities.insert(rules.arbiter->identity);
  }
  std::size_t own = 0;
  for (std::size_t i = 0; i < merchants.size(); ++i) {
    const MerchantHello& hello = merchants[i];
    if (i > 0 && hello.name <= merchants[i - 1].name) {
      return Error{"merchant " + hello.name + " is out of order or twice in the roster"};
    }
    if (!keys.insert(hello.key).second || !identities.insert(hello.identity).second) {
      return Error{"merchant " + hello.name + " has the key of another merchant"};
    }
    if (const auto fault = fault_of(hello, rules, parameters)) {
      return Error{"merchant " + hello.name + ": " + *fault};
    }
    own += static_cast<std::size_t>(
        std::count_if(rules.own.begin(), rules.own.end(),
                      [&](const MerchantHello& one) { return one.name == hello.name; }));
  }
  if (own != rules.own.size()) {
    return Error{"the roster lacks merchants of this worker"};
  }
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 session")).put_bytes(parameters);
  if (rules.arbiter != nullptr) {
    rules.arbiter->write(writer);
  }
  RosterMessage{merchants}.write(writer);
  VerifiedSession session{.id = sha256(writer.bytes()), .neighbours = {}};
  session.neighbours = rules.parameters.masked()
                           ? neighbour_graph(static_cast<std::uint32_t>(merchants.size()),
                                             rules.parameters.neighbours, session.id)
                           : std::vector<std::vector<std::uint32_t>>(merchants.size());
  return session;
}

}  // namespace hanse
