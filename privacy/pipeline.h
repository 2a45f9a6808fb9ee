#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "common/workloads/contribution.h"
#include "privacy/sum_parameters.h"
#include "privacy/surplus_noise.h"

namespace hanse {

class PaillierEncryptor;  // privacy/crypto/paillier.h
class PastSums;           // privacy/rows.h
class RoundMasks;         // privacy/secure_sum/masks.h

/// The way of a merchant's vector out of its house. Each stage type is built only by the stage before it, and
/// only SealedSum has a wire form: a stage cannot be skipped and an earlier one cannot be sent.
///
///   units -> clip, grid -> LocalSum -> code -> EncodedSum -> noise -> NoisedSum -> seal -> SealedSum
///         -> total -> OpenedSum

/// The noise of one merchant for one sum, drawn before any data is touched: its time tells nothing.
class NoiseShare {
 public:
  /// `parameters.length` exact discrete Gaussian integers of variance `share_variance` (none when that is 0).
  static NoiseShare draw(const SumParameters& parameters, SecureRandom& random);
  /// The same with noise that can be taken out again (privacy/surplus_noise.h): the rungs up to that of `top`, which is one
  /// below the number of participants, are drawn from its key, the rest from `random`.
  static NoiseShare draw(const SumParameters& parameters, std::uint32_t collusion, const RungKey& top,
                         SecureRandom& random);

 private:
  friend class NoisedSum;
  std::vector<std::int64_t> entries_;
};

/// Calls its argument once for each unit of one merchant, in any order.
using UnitSource = std::function<void(const std::function<void(const Contribution&)>& take)>;

/// The sum over one merchant's units, clipped and on the grid. Exact integers: no order, no split changes it.
class LocalSum {
 public:
  /// Clips each contribution to L2 norm clip_norm / K, truncates it toward zero onto the grid and adds it up. The integer
  /// norm of each is checked against the sensitivity in 128 bits.
  ///
  /// A contribution with a NaN or infinite entry, and units beyond units_max, are a Failure without noise. With noise
  /// they count as the zero vector: a round that stopped would tell everyone something of the data.
  static LocalSum of(const UnitSource& units, const SumParameters& parameters);

 private:
  friend class EncodedSum;
  std::vector<std::int64_t> entries_;
};

/// Which of a run's training sums a LocalSum is, and what its merchant has of the earlier ones: where units take turns.
struct RowOfRun {
  std::uint64_t row = 0;
  PastSums& past;
};

/// A LocalSum as it is added up: itself, or the row of C G in which the public coefficients mix it with the merchant's earlier
/// ones (privacy/rows.h).
class EncodedSum {
 public:
  static EncodedSum of(LocalSum&& sum, const RowOfRun* place = nullptr);

 private:
  friend class NoisedSum;
  std::vector<std::int64_t> entries_;
};

/// An EncodedSum with this merchant's share of noise in it.
class NoisedSum {
 public:
  static NoisedSum of(EncodedSum&& sum, NoiseShare&& noise);

 private:
  friend class SealedSum;
  std::vector<std::int64_t> entries_;
};

/// Public constants that every merchant appends to its residues, masked like the rest: n merchants must open
/// to n times each, else a share, a mask or an upload was not what it claimed.
inline constexpr std::array<std::uint32_t, 4> kCanaries = {1, 0x9E3779B1u, 0x85EBCA77u, 0xC2B2AE3Du};

/// What makes a merchant's sum unreadable: the masks of the round, or the arbiter's key. Refers to them, and lives
/// for one call. With masks comes the key of the noise that they let out of the sum again, if some is.
class Seal {
 public:
  /// `top`: null without privacy.remove_surplus_noise, and when nothing can be too much.
  Seal(const RoundMasks& masks, const RungKey* top) : masks_(&masks), top_(top) {}
  Seal(const RoundMasks& masks) : masks_(&masks) {}  // NOLINT(google-explicit-constructor)
  Seal(const PaillierEncryptor& encryptor, SecureRandom& random) : encryptor_(&encryptor), random_(&random) {}

  const RungKey* surplus() const { return top_; }

 private:
  friend class SealedSum;
  const RoundMasks* masks_ = nullptr;
  const RungKey* top_ = nullptr;
  const PaillierEncryptor* encryptor_ = nullptr;
  SecureRandom* random_ = nullptr;
};

/// What leaves a merchant. Under masks: residues in the ring, `parameters.length` entries, then the canaries. Under a
/// key: the ciphertexts of its packed entries and canaries (privacy/packing.h).
class SealedSum {
 public:
  using Residues = std::variant<std::vector<std::uint32_t>, std::vector<std::uint64_t>>;

  /// Appends the canaries and adds pairwise and self masks (privacy/secure_sum/masks.h); or packs and encrypts
  /// (privacy/crypto/paillier.h).
  static SealedSum of(NoisedSum&& sum, const SumParameters& parameters, const Seal& seal);
  /// The coordinator's side: exactly wire_size() bytes of little-endian residues, else an error.
  static Result<SealedSum> from_wire(ByteView bytes, const SumParameters& parameters);
  static std::size_t wire_size(const SumParameters& parameters);

  ByteView wire() const;
  const Residues& residues() const { return residues_; }

 private:
  Residues residues_;  ///< Empty under a key.
  Bytes ciphertexts_;  ///< Empty under masks.
};

/// What the coordinator learns of a sum: noisy integers in steps, over the merchants included.
struct OpenedSum {
  std::vector<std::int64_t> entries;
  std::vector<std::uint32_t> merchants;  ///< Ids, increasing.

  /// The entries in the contribution's own scale: entry * step.
  std::vector<double> values(const SumParameters& parameters) const;
};

/// The coordinator's running total of sealed sums: residues only, one vector whatever the number of
/// merchants.
class SealedTotal {
 public:
  explicit SealedTotal(const SumParameters& parameters);
  void add(const SealedSum& sum);
  /// Takes the surplus of one merchant's noise out, once the masks are.
  void take_out(const RungKey& top, const NoiseLadder& ladder, const SumParameters& parameters);
  /// Direct access for removing masks (RoundMasks::add_to) or taking a sum from a tree.
  SealedSum::Residues& residues() { return residues_; }

  /// Checks the canaries against `merchants` and the entries against the bound that the parameters prove, and
  /// reads the residues as centred integers. An error says which check failed: nothing of the sum is given
  /// then.
  Result<OpenedSum> open(const SumParameters& parameters, std::vector<std::uint32_t> merchants) const;

 private:
  SealedSum::Residues residues_;
};

/// The steps in their order: clip and grid, code, noise, seal. The whole of what happens to a merchant's data
/// before it leaves; read this first (pipeline.cc). `place`: where units take turns; otherwise nothing.
SealedSum prepare(const UnitSource& units, const SumParameters& parameters, NoiseShare&& noise,
                  const Seal& seal, const RowOfRun* place = nullptr);

}  // namespace hanse
