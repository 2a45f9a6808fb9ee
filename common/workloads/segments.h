#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/configuration.h"
#include "common/numerics/cell_grid.h"
#include "common/workloads/customer_points.h"
#include "common/workloads/facts.h"
#include "common/workloads/product_sum.h"
#include "common/workloads/segment_errors.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Segments of customers: k centres c_1 .. c_k and each point s (common/workloads/customer_points.h) with the nearest of them,
/// so that the sum of squared distances is small (k-means, Lloyd 1982):
///
///   minimise  sum over points of min over j of ||s - c_j||^2
///
/// No point ever leaves its merchant, so a start by k-means++, whose centres are points, is not possible. Instead:
///
///   round 1  "products": the products of all pairs of columns (common/workloads/product_sum.h), from which come the points'
///            mean, their principal axes, and for features=rfm the deviations by which their columns are standardised
///   round 2  "cells": how many points are in each cell of a grid over the first axes (common/numerics/cell_grid.h): without
///            noise over six of them with 4096 cells, with it over two with 100. The middles of cells, weighed by their
///            counts, are a public sketch of the points: the coordinator puts k centres into it by k-means++ with many
///            restarts; without noise eight times, and all eight sets of centres are moved side by side
///   others   "clusters", Lloyd's rounds: for each centre the number of points that are nearest to it and the sum of
///            s - c_j over them; the centre moves by their mean. Without noise the set of least squares is the model, and the
///            workload is finished when no centre of it moves
///
/// Norms. A point has norm ||z||^2 in products, 1 in cells, and sqrt(1 + ||s - c_j||^2) in clusters, where a longer unit is
/// scaled down to C: a point far out weighs less, in count and sum alike. C of clusters is privacy.clip, or sqrt(1 + e) times
/// the points of a unit that count, with e the numbers and words of a point; of products 3 (1 + e) times those (4 for
/// features=rfm, whose points are within [-1, 1]), and of cells once. Points that count: 1, 8 or 256 rows of a record, customer
/// or merchant (workload.rows_per_unit), or of rfm one a customer and 64 a merchant (workload.customers_per_unit).
///
/// Without a unit of privacy merchants' sums are added, exactly (common/workloads/two_parts.h), with the number of merchants
/// that have a point of the cluster: a centre of fewer than privacy.min_contributors merchants does not move to where their
/// points are, and is not published as a segment. With noise, neither does one whose count is within four deviations of it.
/// What opens at the coordinator is exact all the same: a cell's count of 1, or a sum of one customer, is that customer's own.
///
/// train_loss (without noise): the mean squared distance, first of all to the mean of all points. What is explained of test
/// points is another sum (common/workloads/segment_errors.h).
///
/// Layout of the parameters: mean, scale and deviation of each column, with s = (x - mean) / scale; axes, and the deviation
/// along each; centres of each set; points of each, 0 where not published; points; the best set; whether it stands still.
class Segments final : public Workload {
 public:
  struct Options {
    std::size_t segments = 5;    ///< k
    double train_rows = 0;       ///< As released.
    Unit unit = Unit::none;      ///< Of privacy.
    double clip = 0;             ///< C of clusters; 0: its default.
    double points_per_unit = 0;  ///< 0: its default.
    double test_points_per_unit = 0;
    double noise_multiplier = 0;
    double merchants_needed = 1;  ///< Without noise: of a published centre.
    std::uint64_t seed = 0;
    std::uint64_t max_units = 1u << 20;
  };
  Segments(Options options, CustomerPoints points);
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;

  std::string_view name() const override { return "segments"; }
  Unit natural_unit() const override { return points_.rfm() ? Unit::customer : Unit::record; }
  Model initial_model(std::uint64_t seed) const override;
  std::optional<PrivateSum> next_sum(const Model& model) const override;
  std::optional<PrivateSum> evaluation_sum(const Model& model) const override;
  Contributor contributor(const Model& model, const PrivateSum& sum) const override;
  Metrics apply(Model& model, const PrivateSum& sum, std::span<const double> total) const override;
  /// centres (k x p, in units of the file) and shares of the points, of published segments only, the largest first.
  std::vector<NamedArray> arrays(const Model& model) const override;
  Insights insights(const Model& model) const override;

 private:
  struct Places;  ///< Of what stands in the parameters.
  Places places() const;
  bool exact() const { return options_.unit == Unit::none; }
  std::size_t columns() const { return points_.columns(); }
  std::size_t axes() const;
  std::size_t cells_an_axis() const;
  std::size_t sets() const;  ///< Of centres that are moved side by side.
  std::size_t best_set(const Model& model) const;
  std::span<const double> centres_of(const Model& model, std::size_t set) const;
  std::span<const double> counts_of(const Model& model, std::size_t set) const;
  CellGrid grid(const Model& model) const;
  PrivateSum cells_sum() const;
  PrivateSum clusters_sum() const;
  void standardise(const Model& model, std::span<const double> point, std::span<double> into) const;
  /// Calls take(s) with each standardised point of the rows.
  template <class Take>
  void for_each_point(const Model& model, const Rows& rows, const Take& take) const;
  Contributor cells_contributor(const Model& model) const;
  Contributor clusters_contributor(const Model& model) const;
  Contributor exact_contributor(const Model& model) const;
  static void add_point(std::span<const double> s, std::span<const double> centre, std::span<double> block);
  Metrics apply_products(Model& model, std::span<const double> total) const;
  void apply_cells(Model& model, const PrivateSum& sum, std::span<const double> total) const;
  Metrics apply_clusters(Model& model, const PrivateSum& sum, std::span<const double> total) const;
  std::vector<std::size_t> published(const Model& model) const;  ///< The largest first.

  Options options_;
  CustomerPoints points_;
  ProductSum products_;
  SegmentErrors errors_;
};

/// As [workload] and [privacy] ask for it: the catalogue's `segments`. Throws bad_input naming the key.
std::unique_ptr<Workload> make_segments(const Configuration& configuration, const WorkloadFacts& facts);

}  // namespace hanse
