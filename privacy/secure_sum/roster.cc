#include "privacy/secure_sum/roster.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/check.h"
#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/read_hex.h"
#include "privacy/secure_sum/key_file.h"
#include "privacy/sum_parameters.h"

namespace hanse {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

std::string in_quotes(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

/// "5:alpha": no name can imitate the fields around it.
std::string counted(std::string_view text) {
  return std::to_string(text.size()) + ":" + std::string(text);
}

/// An object's field, where nothing else is allowed in the object than `names`.
const json& field(const json& object, const char* name, const std::string& place) {
  if (!object.is_object() || !object.contains(name)) {
    throw bad_input(place + ": the field " + in_quotes(name) + " is missing");
  }
  return object.at(name);
}

/// A field that nobody reads would be a field that nobody signed.
void refuse_other_fields(const json& object, std::initializer_list<std::string_view> names,
                         const std::string& place) {
  for (const auto& item : object.items()) {
    if (std::ranges::find(names, item.key()) == names.end()) {
      throw bad_input(place + ": the field " + in_quotes(item.key()) +
                      " is not one of a roster of version 1");
    }
  }
}

std::string text_field(const json& object, const char* name, const std::string& place) {
  const json& value = field(object, name, place);
  if (!value.is_string()) {
    throw bad_input(place + ": " + in_quotes(name) + " must be a string");
  }
  return value.get<std::string>();
}

template <std::size_t N>
std::array<std::byte, N> hex_field(const json& object, const char* name, const std::string& place) {
  std::array<std::byte, N> bytes{};
  if (!read_hex(text_field(object, name, place), bytes)) {
    throw bad_input(place + ": " + in_quotes(name) + " must have " + std::to_string(2 * N) +
                    " hexadecimal digits");
  }
  return bytes;
}

void refuse_bad_name(const std::string& name, const std::string& what, const std::string& place) {
  if (name.empty() || name.size() > kRosterNameMax) {
    throw bad_input(place + ": the name of " + what + " must have 1 to " + std::to_string(kRosterNameMax) +
                    " bytes; " + in_quotes(name) + " has " + std::to_string(name.size()));
  }
}

void refuse_bad_members(const SignedRoster& roster, const std::string& place) {
  refuse_bad_name(roster.federation, "the federation", place);
  if (roster.merchants.empty() || roster.merchants.size() > kMerchantsMax) {
    throw bad_input(place + ": a roster has 1 to " + std::to_string(kMerchantsMax) +
                    " merchants; this one has " + std::to_string(roster.merchants.size()));
  }
  if (roster.coordinator == roster.operator_key) {
    throw bad_input(place + ": operator and coordinator must not share a key");
  }
  std::set<PublicKey> keys = {roster.coordinator, roster.operator_key};
  if (roster.arbiter && !keys.insert(*roster.arbiter).second) {
    throw bad_input(place + ": the arbiter must not share a key with the coordinator or the operator");
  }
  const std::string* previous = nullptr;
  for (const RosterMerchant& merchant : roster.merchants) {
    refuse_bad_name(merchant.name, "a merchant", place);
    if (previous != nullptr && *previous == merchant.name) {
      throw bad_input(place + ": merchant " + in_quotes(merchant.name) + " is listed twice");
    }
    if (previous != nullptr && merchant.name < *previous) {
      throw bad_input(place + ": merchants must be sorted by name, but " + in_quotes(merchant.name) +
                      " follows " + in_quotes(*previous));
    }
    if (!keys.insert(merchant.key).second) {
      throw bad_input(place + ": the key of merchant " + in_quotes(merchant.name) +
                      " belongs to another member too; each needs its own");
    }
    previous = &merchant.name;
  }
}

SignedRoster read_members(const json& root, const std::string& place) {
  const json& version = field(root, "version", place);
  if (version != kVersion) {
    // Only a number is shown: writing out what nests deeply would take as much stack as the file's author likes.
    const std::string said = version.is_number_integer() ? version.dump() : "that is no number";
    throw bad_input(place + ": a roster of version 1 was expected; this one says version " + said);
  }
  refuse_other_fields(
      root, {"version", "federation", "coordinator", "operator", "arbiter", "merchants", "signature"}, place);
  SignedRoster roster;
  roster.federation = text_field(root, "federation", place);
  roster.coordinator = hex_field<32>(root, "coordinator", place);
  roster.operator_key = hex_field<32>(root, "operator", place);
  if (root.contains("arbiter")) {
    roster.arbiter = hex_field<32>(root, "arbiter", place);
  }
  roster.signature = hex_field<64>(root, "signature", place);
  const json& merchants = field(root, "merchants", place);
  if (!merchants.is_array()) {
    throw bad_input(place + ": \"merchants\" must be a list");
  }
  for (const json& merchant : merchants) {
    const std::string one = place + ", merchant " + std::to_string(roster.merchants.size() + 1);
    const std::string name = text_field(merchant, "name", one);
    const std::string named = place + ", merchant " + in_quotes(name);
    refuse_other_fields(merchant, {"name", "key"}, named);
    roster.merchants.push_back({name, hex_field<32>(merchant, "key", named)});
  }
  return roster;
}

}  // namespace

Bytes SignedRoster::signed_bytes() const {
  std::string text = "hanse/1 roster\n";
  text += "federation " + counted(federation) + "\n";
  text += "coordinator " + hex(coordinator) + "\n";
  text += "operator " + hex(operator_key) + "\n";
  if (arbiter) {
    text += "arbiter " + hex(*arbiter) + "\n";
  }
  text += "merchants " + std::to_string(merchants.size()) + "\n";
  for (const RosterMerchant& merchant : merchants) {
    text += counted(merchant.name) + " " + hex(merchant.key) + "\n";
  }
  const ByteView bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

std::map<std::string, PublicKey> SignedRoster::identities() const {
  std::map<std::string, PublicKey> identities;
  for (const RosterMerchant& merchant : merchants) {
    identities.emplace(merchant.name, merchant.key);
  }
  return identities;
}

const PublicKey* SignedRoster::key_of(std::string_view name) const {
  const auto found = std::ranges::lower_bound(merchants, name, {}, &RosterMerchant::name);
  return found != merchants.end() && found->name == name ? &found->key : nullptr;
}

SignedRoster sign_roster(std::string federation, const PublicKey& coordinator,
                         std::vector<RosterMerchant> merchants, const SigningKey& operator_key,
                         std::optional<PublicKey> arbiter) {
  std::ranges::sort(merchants, {}, &RosterMerchant::name);
  SignedRoster roster{.federation = std::move(federation),
                      .coordinator = coordinator,
                      .operator_key = operator_key.public_key(),
                      .arbiter = arbiter,
                      .merchants = std::move(merchants),
                      .signature = {}};
  refuse_bad_members(roster, "the new roster");
  roster.signature = operator_key.sign(roster.signed_bytes());
  return roster;
}

std::string roster_text(const SignedRoster& roster, const std::string& place) {
  nlohmann::ordered_json root = {{"version", kVersion},
                                 {"federation", roster.federation},
                                 {"coordinator", hex(roster.coordinator)},
                                 {"operator", hex(roster.operator_key)},
                                 {"merchants", nlohmann::ordered_json::array()},
                                 {"signature", hex(roster.signature)}};
  if (roster.arbiter) {
    root["arbiter"] = hex(*roster.arbiter);
  }
  for (const RosterMerchant& merchant : roster.merchants) {
    root["merchants"].push_back({{"name", merchant.name}, {"key", hex(merchant.key)}});
  }
  try {
    return root.dump(2) + "\n";
  } catch (const nlohmann::json::exception&) {
    throw bad_input(place + ": a name of the roster is not UTF-8 text");
  }
}

void save_roster(const std::filesystem::path& file, const SignedRoster& roster) {
  write_durably(file, roster_text(roster, file.string()));
}

SignedRoster parse_roster(std::string_view text, const std::string& place) {
  const json root = json::parse(text, nullptr, false);
  if (root.is_discarded() || !root.is_object()) {
    throw bad_input(place + " is not a roster: one JSON object, as hanse-keys new writes it, was expected");
  }
  SignedRoster roster = read_members(root, place);
  refuse_bad_members(roster, place);
  return roster;
}

SignedRoster load_roster(const std::filesystem::path& file) {
  const std::string place = file.string();
  SignedRoster roster = parse_roster(read_file(file), place);
  if (!verify(roster.operator_key, roster.signed_bytes(), roster.signature)) {
    throw bad_input(
        place +
        ": the operator's signature does not hold: the roster was altered after it was signed; ask the "
        "operator for it again");
  }
  return roster;
}

std::vector<SigningKey> load_merchant_keys(const std::filesystem::path& keys_folder,
                                           std::span<const std::string> names, const SignedRoster& roster) {
  std::vector<SigningKey> keys;
  keys.reserve(names.size());
  for (const std::string& name : names) {
    const PublicKey* expected = roster.key_of(name);
    if (expected == nullptr) {
      throw bad_input("merchant " + in_quotes(name) + " is not in the roster of federation " +
                      in_quotes(roster.federation) + ": ask its operator for a roster that lists it");
    }
    const std::filesystem::path file = keys_folder / "merchants" / key_file_name(name);
    keys.push_back(load_key(file));
    if (keys.back().public_key() != *expected) {
      throw bad_input(file.string() + " is not the key of merchant " + in_quotes(name) + " in the roster");
    }
  }
  return keys;
}

namespace {

SigningKey load_key_of(const std::filesystem::path& file, const PublicKey& expected, const char* whose) {
  SigningKey key = load_key(file);
  if (key.public_key() != expected) {
    throw bad_input(file.string() + " is not the " + whose + "'s key in the roster");
  }
  return key;
}

}  // namespace

SigningKey load_coordinator_key(const std::filesystem::path& keys_folder, const SignedRoster& roster) {
  return load_key_of(keys_folder / "coordinator.key", roster.coordinator, "coordinator");
}

SigningKey load_arbiter_key(const std::filesystem::path& keys_folder, const SignedRoster& roster) {
  check(roster.arbiter.has_value(), "an arbiter's key is asked for when the roster names one");
  return load_key_of(keys_folder / "arbiter.key", *roster.arbiter, "arbiter");
}

std::optional<SignedRoster> roster_of(const Configuration& configuration) {
  if (configuration.aggregation.roster.empty()) {
    return std::nullopt;
  }
  SignedRoster roster = load_roster(configuration.aggregation.roster);
  if (roster.federation != configuration.federation.name) {
    throw bad_input(configuration.aggregation.roster + " is the roster of federation \"" + roster.federation +
                    "\", not of federation.name = \"" + configuration.federation.name + "\"");
  }
  if (configuration.aggregation.encryption == "paillier" && !roster.arbiter) {
    throw bad_input(
        configuration.aggregation.roster +
        " names no arbiter, which aggregation.encryption=paillier needs: make one with hanse keys new "
        "--arbiter");
  }
  return roster;
}

}  // namespace hanse
