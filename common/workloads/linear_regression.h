#pragma once

#include <cmath>
#include <memory>

#include "common/config/configuration.h"
#include "common/numerics/symmetric.h"
#include "common/workloads/facts.h"
#include "common/workloads/linear_insights.h"
#include "common/workloads/own_part.h"
#include "common/workloads/product_sum.h"
#include "common/workloads/regression_errors.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Linear regression: y ~ w . x, with the intercept as the last column of x, by ridge regression in one round:
///
///   minimise  1/2n sum (y - w . x)^2  +  l2 / 2 ||w without intercept||^2
///
/// Labels are taken to [-1, 1]: u = (y - m) / h, with m and h the middle and half-width of their range. What is summed are
/// the products of all pairs of columns of z = (x, u) (common/workloads/product_sum.h): a row has norm ||z||^2, a unit that
/// comes or goes moves the sum by at most C, and clipping weighs the row by C / ||z||^2, so that Z^T W Z is of a weighted
/// least squares problem, of every size of C a regression. The intercept is a column, so the number of rows n (their total
/// weight) is in the matrix; it is not asked for again.
///
/// The coordinator solves (A + n l2 I') w = b, I' without the intercept, for A and b the blocks of the opened sum. Where
/// columns depend on each other and l2 = 0, w is the solution of smallest norm. With noise the opened matrix is one of a
/// regression no more, and eigenvalues that noise hides are raised, which is a ridge along just those directions.
///
/// Without a unit of privacy merchants' matrices are added, and exactly: w is that of the pooled rows. Then there are standard errors as well, of a linear model with equal variance s^2:
/// s^2 (A + n l2 I')^-1 A (A + n l2 I')^-1, s^2 = residual squares / (n - trace of A (A + n l2 I')^-1), and train_loss,
/// the mean squared residual. Where those degrees of freedom are below 1/2 (as many coefficients as rows) there is nothing to
/// estimate s from, and neither s nor standard errors are told.
/// Every entry of the matrix is then released as it is: one that the rows of a single merchant fill, such as the cell of a
/// category and a column that only its rows have together, is that merchant's own figure, exactly.
///
/// With an own part of each merchant m (common/workloads/own_part.h), y ~ w . x + d_m . x, and a merchant as what is summed,
/// the penalty of d_m is part of the fit. Given w, d_m is a ridge solution, so it is put in (variable projection; the
/// mixed model of Henderson 1950, whose best linear unbiased predictions d_m are): with S the own columns, all or the
/// intercept's, M = Z^T Z of the merchant, and M_S its rows of them, the merchant adds
///
///   M - M_S^T (M_SS + own_l2 I)^-1 M_S
///
/// and there is still one round. At its own best the common w is what merchants have in common: of many that differ, not the
/// fit of the largest. What is told of the fit is then of the joint one: train_loss is the least, over all d_m, of
/// (sum (y - w . x - d_m . x)^2 + own_l2 sum of ||d_m||^2) / n, not the mean squared residual of w or of w + d_m, and s and the
/// standard errors are those of the mixed model, generalised least squares with the covariance s^2 (I + X_S X_S^T / own_l2)
/// of a merchant's labels. For finer units of privacy, and for a scale, w is fitted first and d_m on top of it.
///
/// Layout of the parameters: w, in units of the label. Of the server's state: standard errors of w, s, degrees of freedom.
class LinearRegression final : public Workload {
 public:
  struct Options {
    std::uint32_t width = 0;
    double train_rows = 0;  ///< As released.
    double label_low = -1;  ///< Range of labels.
    double label_high = 1;
    bool label_declared = false;
    Unit unit = Unit::none;  ///< Of privacy.
    double clip = 0;         ///< C; 0: 1, with which every row weighs 1 / ||z||^2.
    double l2 = 0;
    OwnKind own = OwnKind::none;  ///< Of each merchant: offset or all take part in the fit.
    double own_l2 = 1;
    double test_rows_per_unit = 0;
    std::uint64_t max_units = 1u << 20;
    FeatureSpace space = {};  ///< Encoded, for insights; without names of columns there are none.
    std::vector<double> mean = {};
    std::vector<double> deviation = {};
    std::optional<PriceQuestion> prices = {};
  };
  explicit LinearRegression(Options options);

  std::string_view name() const override { return "linear"; }
  Unit natural_unit() const override { return Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  std::vector<NamedArray> arrays(const Model& model) const override;
  /// Coefficients in the file's units, and elasticities where prices are asked for.
  Insights insights(const Model& model) const override;
  RowScorer scorer(const Model& model) const override;

 private:
  std::size_t crossed() const;  ///< Columns of crosses.
  bool exact() const { return options_.unit == Unit::none; }
  std::size_t order() const { return products_.order(); }  ///< Of z.
  bool projects() const;                                   ///< The own part is in the fit.
  Metrics fit(Model& model, const std::vector<double>& moments) const;

  Options options_;
  RegressionErrors errors_;
  double middle_;
  double half_width_;
  ProductSum products_;
};

/// As [workload], [server] and [privacy] ask for it: the catalogue's `linear`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_linear_regression(const Configuration& configuration,
                                                 const WorkloadFacts& facts);

}  // namespace hanse
