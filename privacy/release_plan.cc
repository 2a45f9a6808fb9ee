#include "privacy/release_plan.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "privacy/accounting/turns.h"
#include "privacy/merchants_min.h"
#include "privacy/secure_sum/graph_parameters.h"

namespace hanse {
namespace {

constexpr double kRounding = 1e-9;

bool nearly_equal(double a, double b) {
  return std::abs(a - b) <= kRounding * std::max(std::abs(a), std::abs(b));
}

std::uint32_t invited_of(const Configuration& configuration, std::uint32_t merchants) {
  return static_cast<std::uint32_t>(std::ceil(configuration.federation.cohort * merchants));
}

std::uint32_t default_shares_min(const Configuration& configuration, std::uint32_t merchants) {
  if (configuration.federation.min_merchants > 0) {
    return configuration.federation.min_merchants;
  }
  const std::uint32_t invited = invited_of(configuration, merchants);
  return std::min(invited, default_merchants_min(invited));
}

/// How many of those invited open a secret, where everyone masks with everyone: surplus noise is only taken out there.
std::uint32_t merchants_to_open(const Configuration& configuration, std::uint32_t merchants) {
  const GraphWishes wishes = graph_wishes(configuration);
  const Result<SessionGraph> graph = plan_graph(std::max(merchants, 2u), wishes);
  if (!graph) {
    throw bad_input(graph.what());
  }
  if (merchants > kCompleteGraphMax || !graph->complete(merchants)) {
    throw bad_input("privacy.remove_surplus_noise needs at most " + std::to_string(kCompleteGraphMax) +
                    " merchants, each masking with every other: here are " + std::to_string(merchants) +
                    " with aggregation.neighbours=" + std::to_string(wishes.neighbours) +
                    "; leave it out, and the noise stays in the sum");
  }
  const std::uint32_t invited = invited_of(configuration, merchants);
  const std::uint32_t threshold = holder_threshold(invited, graph->threshold);
  // Two stories about who is in a sum need 2 t holders, of whom those who collude can stand in both.
  if (invited + configuration.privacy.collusion >= 2 * threshold) {
    throw bad_input(
        "privacy.remove_surplus_noise with " + std::to_string(invited) + " merchants in a round, of whom " +
        std::to_string(threshold) + " open a secret, holds against fewer than " +
        std::to_string(2 * threshold - std::min(invited, 2 * threshold)) +
        " that collude: lower privacy.collusion=" + std::to_string(configuration.privacy.collusion) +
        ", raise aggregation.threshold, or leave it out");
  }
  return threshold;
}

std::uint32_t shares_min_of(const Configuration& configuration, std::uint32_t merchants) {
  const std::uint32_t wished = default_shares_min(configuration, merchants);
  return configuration.privacy.remove_surplus_noise
             ? std::max(wished, merchants_to_open(configuration, merchants))
             : wished;
}

SumRequest::RingWish ring_wish(const std::string& ring) {
  if (ring == "32") {
    return SumRequest::RingWish::bits32;
  }
  return ring == "64" ? SumRequest::RingWish::bits64 : SumRequest::RingWish::automatic;
}

bool same(const PlannedRelease& a, const PlannedRelease& b) {
  return a.purpose == b.purpose && a.population == b.population && a.count == b.count &&
         a.sampling_rate == b.sampling_rate && nearly_equal(a.noise_multiplier, b.noise_multiplier);
}

}  // namespace

ReleasePlan::ReleasePlan(const Configuration& configuration, const FeatureSpace& space, RowKind kind,
                         std::uint32_t merchants)
    : configuration_(configuration),
      planned_(count_sums(configuration, space, kind, merchants)),
      noise_(schedule_noise(configuration.privacy, planned_)),
      coefficients_(
          turn_coefficients(configuration.privacy.turns, configuration.privacy.correlated_noise == "banded")),
      merchants_(merchants),
      shares_min_(shares_min_of(configuration, merchants)) {
  if (configuration.privacy.collusion >= shares_min_) {
    throw bad_input("privacy.collusion=" + std::to_string(configuration.privacy.collusion) + ": of the " +
                    std::to_string(shares_min_) +
                    " merchants that a sum needs, one at least must not collude");
  }
  check(coefficients_.empty() ||
            (configuration.privacy.sampling_rate == 1 && configuration.federation.cohort == 1),
        "units that take turns are not drawn, and all merchants are invited");
}

/// Without noise there is nothing of it to tell.
std::uint32_t ReleasePlan::collusion() const {
  return configuration_.privacy.unit == Unit::none ? 0 : configuration_.privacy.collusion;
}

double ReleasePlan::sampling_rate(Purpose purpose) const {
  return purpose == Purpose::update ? configuration_.privacy.sampling_rate : 1;
}

std::optional<std::uint64_t> ReleasePlan::row(Purpose purpose, std::uint64_t rows) const {
  return purpose == Purpose::update && !coefficients_.empty() ? std::optional(rows) : std::nullopt;
}

SumParameters ReleasePlan::parameters(const Workload& workload, const PrivateSum& sum) const {
  const Configuration::Privacy& privacy = configuration_.privacy;
  const Unit unit = summed_unit(workload, sum, privacy.unit);
  const std::span<const std::uint32_t> turns =
      sum.purpose == Purpose::update ? coefficients() : std::span<const std::uint32_t>();
  return choose_parameters(
      {.length = sum.length,
       .clip_norm = sum.clip_norm,
       .units_max = unit == Unit::merchant ? 1 : configuration_.data.max_units,
       .merchants = merchants_,
       .shares_min = shares_min_,
       .collusion = collusion(),
       .merchants_per_unit = privacy.unit == Unit::customer ? privacy.max_merchants_per_customer : 1,
       .noise_multiplier = noise_.of(sum.purpose) * norm_of(turns),
       .gain = gain_of(turns),
       .ring = ring_wish(configuration_.aggregation.ring)});
}

void ReleasePlan::describe(Plan& plan) const {
  const Configuration::Privacy& privacy = configuration_.privacy;
  plan.federation = configuration_.federation.name;
  plan.unit = privacy.unit;
  plan.delta = privacy.unit == Unit::none ? 0 : privacy.delta;
  plan.epsilon = privacy.epsilon > 0 ? std::optional(privacy.epsilon) : std::nullopt;
  plan.shares_min = shares_min_;
  plan.collusion = collusion();
  plan.removes_surplus = configuration_.privacy.remove_surplus_noise;
  plan.encryption = configuration_.aggregation.encryption;
  plan.workload = configuration_.workload.name;
  plan.clip_norm = privacy.clip > 0 ? privacy.clip : 1;
  plan.coefficients = coefficients_;
  plan.accountant = privacy.accountant;
  plan.configuration = sha256(bytes_of(shared_text(configuration_)));
  plan.releases.clear();
  for (const Purpose purpose : {Purpose::statistics, Purpose::update, Purpose::evaluation}) {
    if (planned_.of(purpose) > 0) {
      plan.releases.push_back(
          {.purpose = purpose,
           .population = purpose == Purpose::evaluation ? Population::test : Population::train,
           .count = planned_.of(purpose),
           .noise_multiplier = noise_.of(purpose),
           .sampling_rate = sampling_rate(purpose)});
    }
  }
}

std::optional<Error> ReleasePlan::differs(const Plan& plan) const {
  Plan own;
  describe(own);
  const char* what = nullptr;
  if (plan.federation != own.federation || plan.configuration != own.configuration) {
    what = "configuration";
  } else if (plan.unit != own.unit || plan.delta != own.delta || plan.epsilon != own.epsilon) {
    what = "unit of privacy or budget";
  } else if (plan.shares_min != own.shares_min || plan.collusion != own.collusion) {
    what = "smallest number of merchants in a sum";
  } else if (plan.encryption != own.encryption || plan.workload != own.workload ||
             plan.clip_norm != own.clip_norm || plan.accountant != own.accountant) {
    what = "encryption, workload, clip norm or accountant";
  } else if (plan.removes_surplus != own.removes_surplus) {
    what = "rule for surplus noise";
  } else if (plan.coefficients != own.coefficients) {
    what = "number of turns or other coefficients of correlated noise";
  } else if (!std::ranges::equal(plan.releases, own.releases, same)) {
    what = "noise or number of sums";
  }
  if (what == nullptr) {
    return std::nullopt;
  }
  return Error{std::string("the ledger's plan has another ") + what +
               " than this worker's configuration gives"};
}

std::optional<Error> ReleasePlan::differs(const SumParameters& claimed, const Workload& workload,
                                          const PrivateSum& sum) const {
  SumParameters own = parameters(workload, sum);
  if (nearly_equal(static_cast<double>(claimed.share_variance), static_cast<double>(own.share_variance))) {
    own.share_variance = claimed.share_variance;
  }
  if (claimed == own) {
    return std::nullopt;
  }
  return Error{"the sum '" + sum.name +
               "' has another length, clip norm, grid, noise or smallest number of merchants " +
               "than this worker's configuration gives"};
}

}  // namespace hanse
