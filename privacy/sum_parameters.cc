#include "privacy/sum_parameters.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "common/base/check.h"
#include "common/base/failure.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t kNoiseGridBits = 20;
constexpr std::uint32_t kGridBitsMax = 40;
constexpr std::uint32_t kGridBitsMin = 8;
// The sampler's arithmetic is exact up to this variance (privacy/noise/discrete_gaussian.h).
constexpr double kShareVarianceMax = 0x1p62;

/// Smallest integer s with s * s >= value.
std::uint64_t square_root_up(Wide value) {
  std::uint64_t root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(value)));
  while (Wide{root} * root < value) {
    ++root;
  }
  return root;
}

Wide wide_bound(const SumParameters& p) {
  const Wide data = Wide{p.merchants_max} * p.units_max * p.gain << p.grid_bits;
  return data + Wide{12} * square_root_up(Wide{p.merchants_max} * p.share_variance);
}

bool fits(const SumParameters& p) {
  return wide_bound(p) < Wide{1} << (static_cast<unsigned>(p.ring) - 1);
}

/// Smallest share variance that times (shares_min - collusion) reaches z^2 D2^2, or more than the sampler takes. A
/// wished z is a real number and so rounded; what the ledger counts is computed from the integers that come of it.
double share_variance_of(const SumRequest& request, std::uint32_t grid_bits) {
  const double sigma = std::ldexp(request.noise_multiplier, static_cast<int>(grid_bits));
  return std::ceil(sigma * sigma / (request.shares_min - request.collusion));
}

std::uint32_t noise_free_grid_bits(std::uint64_t units_max, std::uint32_t gain) {
  const auto taken = static_cast<std::uint32_t>(std::bit_width(kMerchantsMax - 1) +
                                                std::bit_width(units_max - 1) + std::bit_width(gain - 1));
  return taken + kGridBitsMin > 62 ? 0 : std::min(kGridBitsMax, 62 - taken);
}

}  // namespace

bool is_clip_norm(double value) {
  return value >= 1e-100 && value <= 1e100;
}

double SumParameters::step() const {
  return std::ldexp(clip_norm, -static_cast<int>(grid_bits));
}

double SumParameters::noise_multiplier() const {
  return std::ldexp(std::sqrt(static_cast<double>(shares_min) * static_cast<double>(share_variance)),
                    -static_cast<int>(grid_bits));
}

bool SumParameters::has_headroom() const {
  if (units_max == 0 || merchants_max == 0 || gain == 0 || grid_bits > kGridBitsMax) {
    return false;
  }
  // Roughly first: a peer's numbers may pass even 128 bits.
  const double data = std::ldexp(
      static_cast<double>(merchants_max) * static_cast<double>(units_max) * static_cast<double>(gain),
      static_cast<int>(grid_bits));
  return data < 0x1p64 && wide_bound(*this) < Wide{1} << 63;
}

std::uint64_t SumParameters::sum_bound() const {
  check(has_headroom(), "parameters of a sum leave headroom in 64 bits");
  return static_cast<std::uint64_t>(wide_bound(*this));
}

std::uint64_t SumParameters::merchant_bound() const {
  SumParameters alone = *this;
  alone.merchants_max = 1;
  return alone.sum_bound();
}

SumParameters choose_parameters(const SumRequest& request) {
  check(request.length > 0 && request.units_max > 0 && request.merchants > 0 && request.shares_min > 0 &&
            request.merchants_per_unit > 0 && request.gain > 0 && request.collusion < request.shares_min,
        "a sum has entries, units and merchants");
  if (!is_clip_norm(request.clip_norm)) {
    throw bad_input("privacy.clip=" + std::to_string(request.clip_norm) +
                    " is no bound to clip to: set one between 1e-100 and 1e100");
  }
  SumParameters parameters{.length = request.length,
                           .clip_norm = request.clip_norm,
                           .grid_bits = kNoiseGridBits,
                           .ring = Ring::bits64,
                           .units_max = request.units_max,
                           .share_variance = 0,
                           .shares_min = request.shares_min,
                           .merchants_max = request.merchants,
                           .merchants_per_unit = request.merchants_per_unit,
                           .gain = request.gain};
  const bool noisy = request.noise_multiplier > 0;
  if (!noisy) {
    parameters.grid_bits = noise_free_grid_bits(request.units_max, request.gain);
  }
  const bool narrow = request.ring == SumRequest::RingWish::bits32;
  parameters.ring = narrow ? Ring::bits32 : Ring::bits64;
  for (; parameters.grid_bits >= kGridBitsMin; --parameters.grid_bits) {
    const double variance = noisy ? share_variance_of(request, parameters.grid_bits) : 0;
    if (variance > kShareVarianceMax) {
      continue;
    }
    parameters.share_variance = static_cast<std::uint64_t>(variance);
    if (fits(parameters)) {
      break;
    }
  }
  if (parameters.grid_bits < kGridBitsMin) {
    throw bad_input(
        "no ring of " + std::to_string(static_cast<int>(parameters.ring)) + " bits holds the sum of " +
        std::to_string(request.merchants) + " merchants with up to " + std::to_string(request.units_max) +
        " units each and noise multiplier " + std::to_string(request.noise_multiplier) +
        (narrow ? ": set aggregation.ring=64" : ": lower data.max_units or raise privacy.epsilon"));
  }
  if (request.ring == SumRequest::RingWish::automatic) {
    SumParameters candidate = parameters;
    candidate.ring = Ring::bits32;
    if (fits(candidate)) {
      parameters = candidate;
    }
  }
  return parameters;
}

}  // namespace hanse
