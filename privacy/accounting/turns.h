#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hanse {

/// Turns, and noise that is correlated from one training sum to the next.
///
/// The training sums of a run are rows t = 0, 1, 2 ..., aborted ones counted. With T turns a unit takes part in rows
/// t = p modulo T only, where its turn p is a public function of the seed and of who it is (privacy/turn.h). What the
/// merchants add up in row t is
///
///   Y_t = sum over j < T of c_j G_(t-j) + Z_t,
///
/// G_t the sum over the units whose turn it is, c integers, Z_t independent noise: Y = C G + Z with a banded Toeplitz
/// matrix C. Solving it for G (RowDecoder, privacy/rows.h) is post-processing and gives G + C^-1 Z, whose prefix sums
/// have less noise than those of independent noise. For this C is the banded square root of the matrix of prefix sums
/// (Kalinin, Lampert 2024), c_j = C(2j, j) / 4^j, at the public scale 2^8 and rounded. The usual form adds C^-1 Z, which is no
/// integer and needs one party that knows the noise of all rows; here every share of noise is drawn afresh.
///
/// What a unit of norm D changes. A turn at row t changes row t + j by c_j D at most, j < T, and then it is the unit's next
/// turn. So row t of a run is an ordinary sum of sensitivity c_((t-p) mod T) D for units of turn p, whatever they
/// contribute and however it follows from earlier sums. Rows before a unit's first turn cost it nothing, so turn p has spent
/// S(r - p) D^2 after r rows, and S does not fall: turn 0 has spent most, whatever c is. This is what is charged for row t:
///
///   c_(t mod T) D,   after r rows   S(r) D^2 = (floor(r / T) ||c||^2 + sum over j < r mod T of c_j^2) D^2.
///
/// A merchant that is missing in a row, or that forgot earlier ones, leaves out summands: that costs no more.
inline constexpr std::uint32_t kTurnsMax = 256;
/// c_0 of correlated noise.
inline constexpr std::uint32_t kBandScale = 256;

/// c: with correlated noise the rounded square root, else 1, 0, 0 ...; empty for one turn, when every unit is in every sum.
/// As are_coefficients() asks. Correlated noise needs at least two turns.
std::vector<std::uint32_t> turn_coefficients(std::uint32_t turns, bool correlated);

/// Whether c is what a run can use: 2 to kTurnsMax numbers up to 2^16 that never grow, the first larger than the second. That they
/// do not grow is for the decoder, whose errors die out then (privacy/rows.h); the cost is right for any c.
bool are_coefficients(std::span<const std::uint32_t> c);

/// Sum of c: how much larger an entry of Y can be than one of G. 1 without turns.
std::uint32_t gain_of(std::span<const std::uint32_t> c);

/// ||c||: what one turn changes, over the clip norm, in all rows together. 1 without turns.
double norm_of(std::span<const std::uint32_t> c);

/// What the units of each turn have spent when only some of the rows took place for them, in increasing order: those that their
/// merchant permitted. Turn 0 need not be the one that spent most then: where row 1 alone took place, turn 1 has spent c_0^2.
class TurnsSpent {
 public:
  void add(std::span<const std::uint32_t> c, std::uint64_t row);
  /// Of the turn that spent most, over D^2. S(r) after rows 0 .. r - 1.
  std::uint64_t most_squared() const;

 private:
  std::vector<std::uint64_t> spent_;  ///< By turn.
};

/// S(rows) as above, for any c that is not empty.
std::uint64_t turns_sensitivity_squared(std::span<const std::uint32_t> c, std::uint64_t rows);

}  // namespace hanse
