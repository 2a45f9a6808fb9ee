#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/config/configuration.h"
#include "privacy/crypto/signature.h"

namespace hanse {

/// A merchant and the key that speaks for it.
struct RosterMerchant {
  std::string name;  ///< UTF-8, 1 to kRosterNameMax bytes.
  PublicKey key{};   ///< Ed25519.
};

inline constexpr std::size_t kRosterNameMax = 255;

/// Who takes part in a federation, signed by its operator. Whoever joins with a roster talks only to the keys
/// in it: without one, the coordinator could invent merchants and read the sums of few real ones.
///
/// The operator's key is in the file too, so the signature alone proves only that the file is as one operator
/// made it. Which operator: compare `operator_key` with what the operator told you by another way.
struct SignedRoster {
  std::string federation;
  PublicKey coordinator{};
  PublicKey operator_key{};
  std::optional<PublicKey> arbiter = {};  ///< Who holds the key of aggregation.encryption=paillier.
  std::vector<RosterMerchant> merchants;  ///< By increasing name; names and keys distinct.
  Signature signature{};                  ///< Of signed_bytes() by the operator.

  /// The canonical text: a label, then every field on its line, names behind their length.
  Bytes signed_bytes() const;
  /// What SessionOptions and WorkerOptions pin.
  std::map<std::string, PublicKey> identities() const;
  /// The key of `name`, or none.
  const PublicKey* key_of(std::string_view name) const;
};

/// Sorts and signs. Throws bad_input naming the merchant when the members make no roster.
SignedRoster sign_roster(std::string federation, const PublicKey& coordinator,
                         std::vector<RosterMerchant> merchants, const SigningKey& operator_key,
                         std::optional<PublicKey> arbiter = std::nullopt);

/// The text of roster.json. Throws bad_input naming `place` when a name is not UTF-8.
std::string roster_text(const SignedRoster& roster, const std::string& place);
/// Writes roster.json durably.
void save_roster(const std::filesystem::path& file, const SignedRoster& roster);

/// Reads what roster_text() wrote. Throws bad_input naming `place` and merchant: not JSON, missing, unknown or ill-typed
/// fields, unknown version, no merchants or more than kMerchantsMax, names that are empty, too long, not
/// sorted or given twice, a key given twice. Does not verify the signature.
SignedRoster parse_roster(std::string_view text, const std::string& place);
/// Reads and verifies. Throws bad_input also for a signature that does not hold.
SignedRoster load_roster(const std::filesystem::path& file);

/// The roster that aggregation.roster names, or nothing when it names none: then identities are made for the
/// run. Throws bad_input when it is of another federation, or names no arbiter where
/// aggregation.encryption=paillier needs one.
std::optional<SignedRoster> roster_of(const Configuration& configuration);

/// The keys of `names`, in their order, from KEYS/merchants/NAME.key. Throws bad_input naming the merchant
/// when it is not in the roster, and the file when it cannot be read or is not the key that the roster names.
std::vector<SigningKey> load_merchant_keys(const std::filesystem::path& keys_folder,
                                           std::span<const std::string> names, const SignedRoster& roster);

/// KEYS/coordinator.key, which must be the one that the roster names.
SigningKey load_coordinator_key(const std::filesystem::path& keys_folder, const SignedRoster& roster);
/// KEYS/arbiter.key, which must be the one that the roster names.
SigningKey load_arbiter_key(const std::filesystem::path& keys_folder, const SignedRoster& roster);

}  // namespace hanse
