#include "common/workloads/own_part.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"
#include "common/numerics/linear.h"

namespace hanse {
namespace {

constexpr int kNewtonSteps = 40;
constexpr int kConjugateSteps = 400;
constexpr double kTolerance = 1e-10;  // Of the first gradient's norm.
constexpr double kArmijo = 1e-4;

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

/// The objective over one merchant's rows.
struct Problem {
  const CsrMatrix& columns;  ///< What the own part multiplies, row by row.
  const std::vector<double>& labels;
  const std::vector<double>& scores;
  OwnLoss loss;
  std::vector<double> penalty;  ///< One an entry.

  SparseRow row(std::size_t i) const { return columns.row(i); }
  double score(std::size_t i, const std::vector<double>& own) const { return scores[i] + dot(row(i), own); }

  double value(const std::vector<double>& own) const {
    double sum = 0;
    for (std::size_t k = 0; k < own.size(); ++k) {
      sum += 0.5 * penalty[k] * own[k] * own[k];
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const double s = score(i, own);
      sum += loss == OwnLoss::squares ? 0.5 * (s - labels[i]) * (s - labels[i]) : logistic_loss(s, labels[i]);
    }
    return sum;
  }

  /// Gradient, and the second derivatives of the losses by their scores.
  void slope(const std::vector<double>& own, std::vector<double>& gradient,
             std::vector<double>& curvature) const {
    for (std::size_t k = 0; k < own.size(); ++k) {
      gradient[k] = penalty[k] * own[k];
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const double s = score(i, own);
      const double p = loss == OwnLoss::squares ? s : sigmoid(s);
      curvature[i] = loss == OwnLoss::squares ? 1 : std::max(p * (1 - p), 1e-12);
      add_scaled(row(i), p - labels[i], gradient);
    }
  }

  /// The direction p with H p = -gradient, by conjugate gradients divided by H's diagonal.
  std::vector<double> direction(const std::vector<double>& gradient,
                                const std::vector<double>& curvature) const {
    const std::size_t n = gradient.size();
    std::vector<double> diagonal = penalty;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const SparseRow x = row(i);
      for (std::size_t e = 0; e < x.columns.size(); ++e) {
        const double value = static_cast<double>(x.values[e]);
        diagonal[x.columns[e]] += curvature[i] * value * value;
      }
    }
    std::vector<double> solution(n, 0.0), rest(n), scaled(n), along(n), image(n);
    for (std::size_t k = 0; k < n; ++k) {
      rest[k] = -gradient[k];
      along[k] = scaled[k] = diagonal[k] > 0 ? rest[k] / diagonal[k] : 0.0;
    }
    double product = inner(rest, scaled);
    const double enough = kTolerance * kTolerance * product;
    for (int step = 0; step < kConjugateSteps && product > enough && product > 0; ++step) {
      for (std::size_t k = 0; k < n; ++k) {
        image[k] = penalty[k] * along[k];
      }
      for (std::size_t i = 0; i < labels.size(); ++i) {
        add_scaled(row(i), curvature[i] * dot(row(i), along), image);
      }
      const double bend = inner(along, image);
      if (!(bend > 0)) {
        break;
      }
      const double length = product / bend;
      for (std::size_t k = 0; k < n; ++k) {
        solution[k] += length * along[k];
        rest[k] -= length * image[k];
        scaled[k] = diagonal[k] > 0 ? rest[k] / diagonal[k] : 0.0;
      }
      const double next = inner(rest, scaled);
      for (std::size_t k = 0; k < n; ++k) {
        along[k] = scaled[k] + next / product * along[k];
      }
      product = next;
    }
    return solution;
  }

  std::vector<double> solve() const {
    const std::size_t n = penalty.size();
    std::vector<double> own(n, 0.0), gradient(n), curvature(labels.size());
    double here = value(own);
    double first = 0;
    for (int step = 0; step < kNewtonSteps; ++step) {
      slope(own, gradient, curvature);
      const double norm = std::sqrt(inner(gradient, gradient));
      first = step == 0 ? norm : first;
      if (!(norm > kTolerance * first)) {
        break;
      }
      const std::vector<double> along = direction(gradient, curvature);
      const double fall = inner(gradient, along);
      bool moved = false;
      for (double length = 1; length > 0x1p-20 && !moved; length /= 2) {
        std::vector<double> next = own;
        for (std::size_t k = 0; k < n; ++k) {
          next[k] += length * along[k];
        }
        if (const double there = value(next); there <= here + kArmijo * length * fall) {
          moved = there < here;
          own = std::move(next);
          here = there;
        }
      }
      if (!moved) {
        break;  // Rounding is all that is left.
      }
    }
    return own;
  }
};

/// (s, 1) of each row, or (1).
CsrMatrix few_columns(OwnKind kind, const std::vector<double>& scores) {
  CsrMatrix matrix;
  for (const double score : scores) {
    if (kind == OwnKind::scale) {
      matrix.columns.push_back(0);
      matrix.values.push_back(static_cast<float>(score));
    }
    matrix.columns.push_back(kind == OwnKind::scale ? 1 : 0);
    matrix.values.push_back(1);
    matrix.row_begin.push_back(matrix.columns.size());
  }
  return matrix;
}

}  // namespace

OwnKind own_kind_of(std::string_view name) {
  return name == "offset"  ? OwnKind::offset
         : name == "scale" ? OwnKind::scale
         : name == "all"   ? OwnKind::all
                           : OwnKind::none;
}

std::size_t OwnPart::size() const {
  switch (options_.kind) {
    case OwnKind::none:
      return 0;
    case OwnKind::offset:
      return 1;
    case OwnKind::scale:
      return 2;
    case OwnKind::all:
      break;
  }
  return options_.width;
}

std::vector<double> OwnPart::fit(const Rows& rows, const std::vector<double>& labels,
                                 const std::vector<double>& scores) const {
  check(labels.size() == rows.size() && scores.size() == rows.size(), "every row has a label and a score");
  std::vector<double> penalty(size(), options_.l2);
  if (rows.empty() || penalty.empty()) {
    return std::vector<double>(size(), 0.0);
  }
  CsrMatrix columns;
  if (options_.kind == OwnKind::all) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SparseRow row = rows.row(i);
      columns.columns.insert(columns.columns.end(), row.columns.begin(), row.columns.end());
      columns.values.insert(columns.values.end(), row.values.begin(), row.values.end());
      columns.row_begin.push_back(columns.columns.size());
    }
    penalty.back() = options_.free_intercept ? 0.0 : options_.l2;
  } else {
    columns = few_columns(options_.kind, scores);
  }
  return Problem{.columns = columns,
                 .labels = labels,
                 .scores = scores,
                 .loss = options_.loss,
                 .penalty = std::move(penalty)}
      .solve();
}

double OwnPart::score(const std::vector<double>& own, const SparseRow& row, double common) const {
  switch (options_.kind) {
    case OwnKind::none:
      return common;
    case OwnKind::offset:
      return common + own[0];
    case OwnKind::scale:
      return common + own[0] * static_cast<double>(static_cast<float>(common)) + own[1];
    case OwnKind::all:
      break;
  }
  return common + dot(row, own);
}

}  // namespace hanse
