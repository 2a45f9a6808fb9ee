#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "privacy/pipeline.h"

namespace hanse {

/// The two ends of correlated noise (privacy/accounting/turns.h has the equations): the merchant multiplies its sums by the
/// matrix C before noise is added, the coordinator solves for them after the noisy total is opened.
///
/// What may be missing, none of which costs privacy:
///   an aborted row      keeps its number. Merchants keep what they computed for it, the decoder takes its estimate for 0. What
///                       its units had to say arrives with the rows after it, all but c_0 / gain_of(c) of it.
///   a merchant in a row is made good in the same way: in the end the sum lacks about one of its rows.
///   a merchant's memory (its worker began anew): as if it had taken back a part of what it sent in the last T - 1 rows.
///   everyone's memory   (the federation began anew): both ends begin with nothing, at the row that the ledger has come to.
///                       Sums are exact; the noise of rows before is not made up for.

/// Sums of one merchant before noise, by row: secret like its data, wiped when they are no longer needed. At most
/// T - 1 vectors; none where c is 1, 0, 0 ...
class PastSums {
 public:
  /// `coefficients` as in the ledger's plan.
  explicit PastSums(std::span<const std::uint32_t> coefficients);
  ~PastSums();
  PastSums(PastSums&&) = default;
  PastSums& operator=(PastSums&&) = delete;
  PastSums(const PastSums&) = delete;
  PastSums& operator=(const PastSums&) = delete;

 private:
  friend class EncodedSum;
  /// Sum over j of c_j G_(row-j), G_row = `newest`. Rows come in increasing order, each once.
  std::vector<std::int64_t> encode(std::uint64_t row, std::vector<std::int64_t>&& newest);

  std::vector<std::uint32_t> coefficients_;  ///< Without the zeros at the end.
  std::map<std::uint64_t, std::vector<std::int64_t>> rows_;
};

/// G^_t = (Y_t - sum over j >= 1 of c_j G^_(t-j)) / c_0, the estimate of one row after the other.
///
/// The zeros of the polynomial of C lie outside the unit circle, as c never grows (Enestroem, Kakeya: not inside it) and c_0 > c_1 (nor
/// on it), so errors of rounding die out. Without
/// noise the estimates are the plain sums to the last bit as long as entries of Y stay below 2^53 and c_0 is a power of two.
class RowDecoder {
 public:
  explicit RowDecoder(std::span<const std::uint32_t> coefficients);

  /// The estimate of row `row` in the contribution's own scale, like OpenedSum::values. Rows come in increasing order; one left
  /// out counts as 0.
  std::vector<double> values(std::uint64_t row, const OpenedSum& opened, const SumParameters& parameters);

 private:
  std::vector<std::uint32_t> coefficients_;
  std::map<std::uint64_t, std::vector<double>> rows_;  ///< In steps.
};

}  // namespace hanse
