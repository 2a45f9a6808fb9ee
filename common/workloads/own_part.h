#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/data/units.h"

namespace hanse {

/// What a merchant learns for itself on top of a common model's scores s, from its own training rows alone, and keeps
/// (personalisation by regularised deviations: Evgeniou, Pontil 2004; Hanzely, Richtarik 2020):
///
///   offset   score = s + b
///   scale    score = (1 + a) s + b
///   all      score = s + d . x            a deviation of every coefficient
///
///   minimise  sum over rows of loss(label, score)  +  l2 / 2 * ||(b), (a, b) or d||^2
///
/// The sum is not divided by the number of rows: with few of them a merchant stays with the others, with many it goes its
/// own way. One row, or rows of one class, are enough.
enum class OwnKind { none, offset, scale, all };
OwnKind own_kind_of(std::string_view name);

/// Squares: (label - score)^2 / 2. Logistic: the loss of logits, with labels 0 and 1.
enum class OwnLoss { squares, logistic };

class OwnPart {
 public:
  struct Options {
    OwnKind kind = OwnKind::all;
    OwnLoss loss = OwnLoss::squares;
    double l2 = 1;
    std::uint32_t width = 1;      ///< Columns of a row, the intercept last.
    bool free_intercept = false;  ///< Kind all: the intercept has no penalty.
  };
  explicit OwnPart(Options options) : options_(options) {}

  /// Numbers of an own part: 1, 2 or the width.
  std::size_t size() const;
  /// Fits it to rows of these labels and common scores, by Newton's method with conjugate gradients: the time is that of
  /// passes over the rows, whatever the width. Zeros for no rows.
  std::vector<double> fit(const Rows& rows, const std::vector<double>& labels,
                          const std::vector<double>& scores) const;
  /// The score of a row whose common score is `common`.
  double score(const std::vector<double>& own, const SparseRow& row, double common) const;

 private:
  Options options_;
};

}  // namespace hanse
