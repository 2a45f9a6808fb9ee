#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/workloads/facts.h"
#include "common/workloads/product_sum.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Customer profile: what is usual, what goes together, and along which few directions customers differ. Of p columns x
/// (numbers, and words as columns of 0 and 1), in one round:
///
///   mean_j         = sum of x_j / n
///   deviation_j^2  = sum of x_j^2 / n - mean_j^2
///   correlation_ij = (sum of x_i x_j / n - mean_i mean_j) / (deviation_i deviation_j)
///   components     = eigenvectors of the correlation matrix, by falling eigenvalue: each the direction along which rows,
///                    with all columns standardised, vary most besides those before it (Pearson 1901; Hotelling 1933)
///
/// Means and deviations are in units of the file, as numbers are there transformed; of a word the mean is the share of rows
/// that have it. A missing number counts as the mean of its column, and one beyond data.clean's outliers as that limit.
///
/// All of it is in the products of all pairs of columns of z = (x, 1), one private sum (common/workloads/product_sum.h): the
/// 1 is the intercept's column, by which n and the sums are in it. A row has norm ||z||^2, for standardised numbers about
/// one for each number, for each word of a row and for the 1. C is by default three times that, because rows are not alike
/// and those that are longer count for C / ||z||^2 only, times the rows of a unit that count (1, 8 or 256 for a record,
/// customer or merchant). A unit that comes or goes moves the sum by at most C. Records, customers and merchants alike can be the unit: the rows are the
/// same, and merely the bound differs.
///
/// Without a unit of privacy all figures are those of the pooled rows, to the last digits of a double; every entry of the
/// matrix is then released as it is. With noise the opened matrix is no matrix of products any more: its negative
/// eigenvalues become 0, the nearest positive semidefinite matrix (Higham 1988), so that no correlation is beyond 1 and no
/// variance negative. A column whose variance is within four deviations of the noise is not told from a constant: its
/// correlations are 0, as a constant's are, and it is not shown.
///
/// Layout of the parameters, in units of the encoded columns: n, means, covariance matrix row-major.
class Covariance final : public Workload {
 public:
  struct Options {
    FeatureSpace space;        ///< Encoded; the last column is the intercept.
    std::vector<double> mean;  ///< Of each number, and ...
    std::vector<double>
        deviation;             ///< ... what one of its encoded units is in the file's; empty: as in the file.
    double train_rows = 0;     ///< As released.
    Unit unit = Unit::none;    ///< Of privacy.
    double clip = 0;           ///< C; 0: its default.
    double rows_per_unit = 0;  ///< Rows of one unit that count in full; 0: 1, 8 or 256.
    double noise_multiplier = 0;  ///< Of the sum.
  };
  explicit Covariance(Options options);

  std::string_view name() const override { return "covariance"; }
  Unit natural_unit() const override { return Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  /// rows, profile_mean and profile_deviation of the p columns; correlation (p x p); variances (p, falling), shares of all variance, and
  /// components (p x p, one a row, of length 1, its largest entry positive).
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;

 private:
  struct Profile;
  Profile profile(const Model& model) const;
  std::size_t columns() const { return options_.space.width - 1u; }
  double noise_deviation() const { return options_.noise_multiplier * products_.sum().clip_norm; }
  InsightTable columns_table(const Profile& profile) const;
  InsightTable correlations_table(const Profile& profile) const;
  InsightTable components_table(const Profile& profile) const;

  Options options_;
  ProductSum products_;
};

/// As [workload] and [privacy] ask for it: the catalogue's `covariance`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_covariance(const Configuration& configuration, const WorkloadFacts& facts);

}  // namespace hanse
