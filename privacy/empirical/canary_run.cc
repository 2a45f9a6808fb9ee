#include "privacy/empirical/canary_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "common/base/check.h"
#include "common/base/seeded_generator.h"
#include "privacy/accounting/pld.h"
#include "privacy/crypto/x25519.h"
#include "privacy/empirical/gaussian_privacy.h"
#include "privacy/rows.h"
#include "privacy/sampling_coin.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/secure_sum/pair_keys.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr double kLoudness = 8;  ///< A canary's length over the clip norm.

/// Merchants that mask with each other under the keys of a real session.
class MaskedMerchants {
 public:
  MaskedMerchants(std::uint32_t merchants, SecureRandom& random) : random_(random), pairs_(merchants) {
    std::vector<X25519Key> keys;
    for (std::uint32_t i = 0; i < merchants; ++i) {
      keys.push_back(X25519Key::generate(random));
    }
    const Digest session = sha256(bytes_of("hanse canaries"));
    for (std::uint32_t i = 0; i < merchants; ++i) {
      for (std::uint32_t j = 0; j < merchants; ++j) {
        if (j != i) {
          pairs_[i].push_back({j, *PairKeys::derive(keys[i], keys[j].public_key(), session, i, j)});
        }
      }
    }
  }

  /// Opens the sum of what each merchant seals: `seal_with(merchant, masks)`.
  template <class SealWith>
  OpenedSum sum(std::size_t round, const SumParameters& parameters, const SealWith& seal_with) {
    const Digest context = sha256(bytes_of("hanse canaries, round " + std::to_string(round)));
    SealedTotal total(parameters);
    std::vector<RoundMasks::Mask> own_masks;
    std::vector<std::uint32_t> included;
    for (std::uint32_t i = 0; i < pairs_.size(); ++i) {
      Secret<32> b;
      random_.fill(b.expose_for_writing());
      std::vector<RoundMasks::Mask> masks;
      for (Pair& pair : pairs_[i]) {
        masks.push_back(
            {edge_mask(pair.keys.seed(round), context), i < pair.neighbour ? Sign::plus : Sign::minus});
      }
      masks.push_back({self_mask(b, context), Sign::plus});
      own_masks.push_back({self_mask(b, context), Sign::minus});
      total.add(seal_with(i, RoundMasks(std::move(masks))));
      included.push_back(i);
    }
    const RoundMasks removal(std::move(own_masks));
    std::visit([&](auto& entries) { removal.add_to(entries); }, total.residues());
    Result<OpenedSum> opened = total.open(parameters, std::move(included));
    check(opened.ok(), "a sum of canaries opens");
    return std::move(*opened);
  }

 private:
  struct Pair {
    std::uint32_t neighbour;
    PairKeys keys;
  };
  SecureRandom& random_;
  std::vector<std::vector<Pair>> pairs_;
};

std::vector<bool> fair_coins(std::uint64_t count, SeededGenerator generator) {
  std::vector<bool> coins(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    coins[i] = generator.below(2) == 1;
  }
  return coins;
}

double sigma_of(const CanaryPlan& plan, const SumParameters& sum) {
  return std::sqrt(static_cast<double>(plan.merchants) * static_cast<double>(sum.share_variance));
}

/// The canaries of one merchant: canary i is at merchants i, i + 1, ... i + K - 1, modulo their number.
UnitSource canaries_at(std::uint32_t merchant, const CanaryPlan& plan, std::size_t round,
                       const std::vector<bool>& included, const std::vector<bool>& negative,
                       SecureRandom& random) {
  return [&, merchant, round](const auto& take) {
    const SumParameters& sum = plan.sums[round];
    const double rate = plan.sampling_rate(round);
    const bool waits = plan.row(round) && *plan.row(round) % plan.coefficients.size() != 0;
    const auto drawn = [&] {
      std::uint64_t coin = 0;
      random.fill(std::as_writable_bytes(std::span(&coin, 1)));
      return takes_part(rate, coin);
    };
    Contribution contribution;
    for (std::uint32_t i = 0; i < plan.canaries; ++i) {
      const std::uint32_t place = (merchant + plan.merchants - i % plan.merchants) % plan.merchants;
      if (included[i] && !waits && place < sum.merchants_per_unit && (rate == 1 || drawn())) {
        contribution.clear();
        contribution.add(i, (negative[i] ? -1 : 1) * kLoudness * sum.clip_norm);
        take(contribution);
      }
    }
  };
}

/// log of the likelihood ratio of one entry; see CanaryPlan.
class LogRatio {
 public:
  LogRatio(double a, double rate, std::uint32_t parts) {
    const double k = parts;
    for (double j = rate == 1 ? k : 0; j <= k; ++j) {
      const double ways = std::lgamma(k + 1) - std::lgamma(j + 1) - std::lgamma(k - j + 1);
      const double drawn = rate == 1 ? 0 : j * std::log(rate) + (k - j) * std::log1p(-rate);
      terms_.push_back({.constant = ways + drawn - std::pow(a * j / k, 2) / 2, .slope = a * j / k});
    }
  }
  double operator()(double x) const {
    double most = -std::numeric_limits<double>::infinity();
    for (const Term& term : terms_) {
      most = std::max(most, term.constant + term.slope * x);
    }
    double sum = 0;
    for (const Term& term : terms_) {
      sum += std::exp(term.constant + term.slope * x - most);
    }
    return most + std::log(sum);
  }

 private:
  struct Term {
    double constant;
    double slope;
  };
  std::vector<Term> terms_;
};

/// The correlation of the noise of rounds, from the entries of canaries that were left out.
void compare_rounds(const std::vector<std::vector<double>>& noise, CanaryRun& run) {
  const auto product = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  std::vector<double> squares;
  for (const std::vector<double>& entries : noise) {
    squares.push_back(product(entries, entries));
  }
  for (std::size_t a = 0; a < noise.size(); ++a) {
    for (std::size_t b = a + 1; b < noise.size(); ++b) {
      const double norm = std::sqrt(squares[a] * squares[b]);
      const double errors = norm > 0 ? std::abs(product(noise[a], noise[b])) / norm *
                                           std::sqrt(static_cast<double>(noise[a].size()))
                                     : 0;
      if (errors > run.correlation) {
        run.correlation = errors;
        run.round_a = a;
        run.round_b = b;
      }
      ++run.pairs;
    }
  }
}

void check_plan(const CanaryPlan& plan) {
  check(plan.canaries >= 2 && plan.merchants >= 1 && !plan.sums.empty(),
        "an experiment has canaries and sums");
  for (const SumParameters& sum : plan.sums) {
    check(sum.share_variance > 0 && sum.length == plan.canaries && sum.merchants_per_unit <= plan.merchants,
          "a sum of canaries has noise, an entry for each and merchants enough");
  }
}

/// Signs of a sum, or of the turn that a row shows.
std::vector<bool> signs_of(const CanaryPlan& plan, std::size_t round) {
  const auto row = plan.row(round);
  return fair_coins(plan.canaries,
                    row ? SeededGenerator({plan.seed, 0x7475726E, *row / plan.coefficients.size()})
                        : SeededGenerator({plan.seed, 0x7369676E, round}));
}

}  // namespace

SumParameters canary_parameters(const SumParameters& parameters, std::uint32_t honest_shares,
                                std::uint32_t canaries, std::uint32_t merchants) {
  SumParameters sum = parameters;
  sum.length = canaries;
  sum.share_variance =
      static_cast<std::uint64_t>(Wide{honest_shares} * parameters.share_variance / merchants);
  sum.shares_min = merchants;
  sum.merchants_max = merchants;
  sum.merchants_per_unit = std::min(parameters.merchants_per_unit, merchants);
  sum.units_max = std::max<std::uint64_t>(parameters.units_max, canaries);
  check(sum.has_headroom(), "a sum of canaries has room in 64 bits");
  if (sum.ring == Ring::bits32 && sum.sum_bound() >> 31 != 0) {
    sum.ring = Ring::bits64;
  }
  return sum;
}

double CanaryPlan::shift(std::size_t round) const {
  const auto of_turn = row(round);
  return static_cast<double>(sums[round].sensitivity()) *
         (of_turn ? coefficients[*of_turn % coefficients.size()] : 1);
}

bool CanaryPlan::sampled() const {
  return std::ranges::any_of(sampling_rates, [](double rate) { return rate < 1; });
}

double claimed_epsilon(const CanaryPlan& plan, double delta) {
  if (!plan.sampled()) {
    return gdp_epsilon(claimed_mu(plan), delta);
  }
  PldAccountant accountant({.absolute = 1e-3, .relative = 1e-3});
  for (std::size_t round = 0; round < plan.sums.size(); ++round) {
    const SumParameters& sum = plan.sums[round];
    if (plan.shift(round) == 0) {
      continue;
    }
    accountant.compose({.noise_multiplier = sigma_of(plan, sum) / plan.shift(round),
                        .sampling_rate = plan.sampling_rate(round),
                        .coins = sum.merchants_per_unit});
  }
  return accountant.epsilon(delta).upper;
}

double claimed_mu(const CanaryPlan& plan) {
  double square = 0;
  for (std::size_t round = 0; round < plan.sums.size(); ++round) {
    square += std::pow(plan.shift(round) / sigma_of(plan, plan.sums[round]), 2);
  }
  return std::sqrt(square);
}

SealedSum honest_part(const MerchantTurn& turn, const UnitSource& units, const Seal& seal,
                      SecureRandom& random) {
  return prepare(units, turn.parameters, NoiseShare::draw(turn.parameters, random), seal, turn.place);
}

CanaryRun run_canaries(const CanaryPlan& plan, SecureRandom& random, const MerchantPart& part) {
  check_plan(plan);
  const double mu = claimed_mu(plan);
  const bool sampled = plan.sampled();
  const std::vector<bool> included = fair_coins(plan.canaries, SeededGenerator({plan.seed, 0x636F696E73}));
  const auto left_out = static_cast<std::uint64_t>(std::count(included.begin(), included.end(), false));
  std::vector<double> scores(plan.canaries);
  std::vector<std::vector<double>> noise;  // Of the rounds that are compared.
  double noise_square = 0;
  double shift = 0;
  double shift_weight = 0;
  double shift_variance = 0;
  MaskedMerchants merchants(plan.merchants, random);
  std::vector<PastSums> past;
  for (std::uint32_t i = 0; i < plan.merchants && !plan.coefficients.empty(); ++i) {
    past.emplace_back(plan.coefficients);
  }

  for (std::size_t round = 0; round < plan.sums.size(); ++round) {
    const SumParameters& sum = plan.sums[round];
    const std::vector<bool> negative = signs_of(plan, round);
    const auto row = plan.row(round);
    const OpenedSum opened = merchants.sum(round, sum, [&](std::uint32_t merchant, const RoundMasks& masks) {
      std::optional<RowOfRun> place;
      if (row) {
        place.emplace(RowOfRun{.row = *row, .past = past[merchant]});
      }
      return part({merchant, round, sum, place ? &*place : nullptr},
                  canaries_at(merchant, plan, round, included, negative, random), masks, random);
    });
    const double sigma = sigma_of(plan, sum);
    const double step_mu = plan.shift(round) / sigma;
    const double rate = plan.sampling_rate(round);
    const double weight = step_mu * step_mu * static_cast<double>(plan.canaries - left_out);
    shift_weight += rate * weight;
    shift_variance += weight * (1 + step_mu * step_mu * rate * (1 - rate) / sum.merchants_per_unit);
    const LogRatio log_ratio(step_mu, rate, sum.merchants_per_unit);
    std::vector<double> unexplained;
    for (std::uint32_t i = 0; i < plan.canaries; ++i) {
      const double entry = static_cast<double>(opened.entries[i]) / sigma;
      const double signed_entry = negative[i] ? -entry : entry;
      scores[i] += sampled ? log_ratio(signed_entry) : signed_entry * step_mu / mu;
      if (included[i]) {
        shift += signed_entry * step_mu;
      } else {
        noise_square += entry * entry;
        unexplained.push_back(entry);
      }
    }
    if (noise.size() < kRoundsCompared) {
      noise.push_back(std::move(unexplained));
    }
  }

  CanaryRun run;
  for (std::uint32_t i = 0; i < plan.canaries; ++i) {
    (included[i] ? run.scores.included : run.scores.left_out).push_back(scores[i]);
  }
  run.noise_samples = left_out * plan.sums.size();
  run.noise_ratio =
      run.noise_samples > 0 ? std::sqrt(noise_square / static_cast<double>(run.noise_samples)) : 0;
  // The mean of the shifts, each with the inverse of its variance as its weight.
  run.shift_ratio = shift_weight > 0 ? shift / shift_weight : 0;
  run.shift_error =
      shift_weight > 0 ? std::sqrt(shift_variance) / shift_weight : std::numeric_limits<double>::infinity();
  compare_rounds(noise, run);
  return run;
}

}  // namespace hanse
