#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/data/units.h"
#include "common/workloads/workload.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/signature.h"
#include "privacy/sum_parameters.h"
#include "privacy/surplus_noise.h"

namespace hanse {

/// The ledger is JSON Lines: one record a line, signed by the coordinator, each with the hash of the line
/// before.
///
///   plan head   intent head release   intent head release ...   claim head
///
/// A head is the root of the hash tree over all lines before it (merkle_tree.h), signed by merchants too: by all of them
/// after the plan, and after an intent by those who permit that it is spent. A round that was aborted may lack its head.
///
/// Canonical encoding: keys sorted, no spaces, integers and strings only. Integers are JSON integers of up to
/// 64 bits, to be read exactly. A real number is the exact pair [mantissa, exponent] = mantissa * 2^exponent
/// with an odd mantissa ([0,0] for zero). Digests, keys and signatures are lower-case hex; a set of merchants
/// is their increasing ids with runs joined, as in "0-3,7". A line is valid only if encoding what was read
/// from it gives the same bytes again: no second spelling of a record exists.
inline constexpr std::uint32_t kLedgerSchema = 2;
inline constexpr std::size_t kLedgerLineMax = std::size_t{1}
                                              << 23;  ///< Bytes; a plan of 16,384 merchants fits.

struct LedgerMerchant {
  std::string name;
  PublicKey key{};
  friend bool operator==(const LedgerMerchant&, const LedgerMerchant&) = default;
};

/// `count` sums of one purpose that the plan announces.
struct PlannedRelease {
  Purpose purpose = Purpose::update;
  Population population = Population::train;
  std::uint64_t count = 0;
  double noise_multiplier = 0;  ///< Smallest one; 0: announced without noise.
  double sampling_rate = 1;
  friend bool operator==(const PlannedRelease&, const PlannedRelease&) = default;
};

/// The first record: what the run is, and what it may spend. Adjacency is zero-out: a unit's contribution is
/// replaced by zeros, the numbers of units and merchants are public.
struct Plan {
  std::string federation;
  std::string run_id;  ///< Random hex, 32 digits.
  Unit unit = Unit::none;
  double delta = 0;               ///< 0 only with unit none.
  std::optional<double> epsilon;  ///< Budget of every accounted row; none: nothing is promised beforehand.
  std::uint32_t shares_min = 1;   ///< Fewest merchants in any opened sum.
  std::uint32_t collusion = 0;    ///< t: merchants whose noise is not counted.
  bool removes_surplus = false;  ///< Noise that was drawn for drop-outs leaves the sum when they do not come.
  std::vector<LedgerMerchant> merchants;  ///< By id, names increasing.
  bool pinned = false;  ///< Identities come from a signed roster; otherwise fresh for this run.
  PublicKey coordinator{};
  std::string encryption;  ///< "masked", "paillier" or "none".
  std::string workload;
  double clip_norm = 1;
  std::vector<PlannedRelease> releases;
  /// c_0, c_1 ... of the training sums where units take turns (privacy/accounting/turns.h), as many as there are turns; empty
  /// where every unit is in every sum. The noise multiplier of updates is then the deviation over ||c|| clip norms: what one
  /// turn changes.
  std::vector<std::uint32_t> coefficients;
  std::string accountant = "rdp";
  Digest configuration{};       ///< Of the canonical configuration text.
  std::string software;         ///< Version.
  std::uint64_t unix_time = 0;  ///< Seconds.
  std::string previous;  ///< Run id of the ledger this one continues, whose last line `prev` names; or empty.
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// On disk before any data is touched for the sum it announces. Spent from then on, whatever happens.
struct Intent {
  std::uint64_t round = 0;
  std::string name;  ///< PrivateSum::name.
  Purpose purpose = Purpose::update;
  Population population = Population::train;
  SumParameters parameters;
  /// Of a training sum where units take turns: how many there were before, aborted ones included.
  std::optional<std::uint64_t> row = std::nullopt;
  double sampling_rate = 1;            ///< Poisson sampling of units by private coins.
  Digest model{};                      ///< The model that the sum is computed from.
  std::vector<std::uint32_t> invited;  ///< Ids, increasing.
  std::uint64_t unix_time = 0;         ///< Seconds; never decreases within a ledger.
  friend bool operator==(const Intent&, const Intent&) = default;
};

/// How the announced sum ended.
struct Release {
  enum class Status { released, aborted };
  std::uint64_t round = 0;
  Digest intent{};  ///< SHA-256 of the intent's line.
  Status status = Status::released;
  std::vector<std::uint32_t> merchants;  ///< Included in the sum, by increasing id; empty when aborted.
  Digest opened{};                       ///< Of the opened integers; zero when aborted.
  Digest model{};                        ///< The model after; when aborted, the model as it was.
  std::string reason;                    ///< Why it was aborted; empty when released.
  /// With Plan::removes_surplus, of a sum of more merchants than it needs.
  std::optional<SurplusRemoval> surplus = {};
  friend bool operator==(const Release&, const Release&) = default;
};

/// One line of what a run spent: of everything, or of one population when the unit is the record (train and
/// test records are disjoint, so their budgets do not add).
struct SpentRow {
  Unit unit = Unit::none;
  std::string population;  ///< "all", "train" or "test".
  double epsilon = 0;      ///< Of the releases with noise.
  double delta = 0;
  double order = 0;                 ///< Renyi order that gave epsilon; 0 without releases.
  std::uint64_t releases = 0;       ///< Intents, aborted ones included.
  std::uint64_t without_noise = 0;  ///< Of these, without noise: nothing is promised about them.
  friend bool operator==(const SpentRow&, const SpentRow&) = default;
};

/// A merchant's signature of a head, over cosigned_bytes().
struct Cosignature {
  std::uint32_t merchant = 0;  ///< Its id: its place in the plan.
  Signature signature{};
  friend bool operator==(const Cosignature&, const Cosignature&) = default;
};

/// What the ledger was when its signers saw it. After an intent, a signature is the permission to spend it.
struct Head {
  std::uint64_t size = 0;                 ///< Lines before this one: all are leaves.
  Digest root{};                          ///< MerkleTree::root() over them.
  std::vector<Cosignature> cosignatures;  ///< By increasing merchant.
  std::uint64_t unix_time = 0;            ///< Seconds.
  friend bool operator==(const Head&, const Head&) = default;
};

/// What a merchant signs of a head: a label, the run, size and root.
Bytes cosigned_bytes(const std::string& run_id, std::uint64_t size, const Digest& root);

/// The last record before the last head: the model and what it cost. Without a unit of privacy there are no rows.
struct Claim {
  Digest
      model{};  ///< The release's model that is published: the last, unless the run could not repeat what was lost.
  Digest published{};  ///< SHA-256 of the published model: what model.json says.
  std::vector<SpentRow> rows;
  friend bool operator==(const Claim&, const Claim&) = default;
};

using Payload = std::variant<Plan, Intent, Release, Claim, Head>;

struct Record {
  std::uint64_t seq = 0;
  Digest
      prev{};  ///< SHA-256 of the line before; of genesis_digest() for a plan that continues no other ledger.
  Payload payload;
  Signature signature{};
};

/// What `prev` of a first record is.
Digest genesis_digest();
/// "plan", "intent", "release", "claim" or "head".
std::string_view kind_of(const Payload& payload);
/// The canonical line, without its newline.
std::string encode(const Record& record);
/// What the signature is over: a domain label, then the canonical record without its signature.
std::string signed_text(const Record& record);
/// Reads a line; refuses every spelling but the canonical one, and unknown kinds and schemas.
Result<Record> decode_record(std::string_view line);

}  // namespace hanse
