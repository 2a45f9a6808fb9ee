#include "privacy/secure_sum/shamir.h"

#include <algorithm>
#include <cstring>

#include "common/base/check.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;
constexpr std::size_t kLimbs = 5;
constexpr unsigned kLimbBits = 52;

using Limbs = std::array<std::uint64_t, kLimbs>;

/// Subtracts p once if needed, without a branch on the value.
std::uint64_t reduce_once(std::uint64_t value) {
  const std::uint64_t less = value - kPrime;
  const std::uint64_t keep = 0 - (less >> 63);  // All ones when value < p.
  return (value & keep) | (less & ~keep);
}

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return reduce_once(a + b);
}
std::uint64_t subtract(std::uint64_t a, std::uint64_t b) {
  return reduce_once(a + kPrime - b);
}

/// 2^61 = 1 modulo p: the high part of a product is added to the low part.
std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  return reduce_once((static_cast<std::uint64_t>(product) & kPrime) +
                     static_cast<std::uint64_t>(product >> 61));
}

/// The element below p that any number is modulo p.
std::uint64_t canonical(std::uint64_t value) {
  return reduce_once((value & kPrime) + (value >> 61));
}

/// a^(p - 2). The exponent is public.
std::uint64_t invert(std::uint64_t a) {
  std::uint64_t result = 1;
  for (int bit = 60; bit >= 0; --bit) {
    result = multiply(result, result);
    if (((kPrime - 2) >> bit & 1) != 0) {
      result = multiply(result, a);
    }
  }
  return result;
}

/// Bits [52 i, 52 i + 52) of the secret, read as a little-endian number of 256 bits.
Limbs limbs_of(const Secret<32>& secret) {
  std::array<std::uint64_t, 5> words{};
  std::memcpy(words.data(), secret.expose().data(), 32);
  Limbs limbs{};
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const std::size_t bit = i * kLimbBits;
    const Wide window = Wide{words[bit / 64 + 1 < 5 ? bit / 64 + 1 : 4]} << 64 | words[bit / 64];
    limbs[i] = static_cast<std::uint64_t>(window >> (bit % 64)) & ((std::uint64_t{1} << kLimbBits) - 1);
  }
  wipe(std::as_writable_bytes(std::span(words)));
  return limbs;
}

Secret<32> secret_of(const Limbs& limbs) {
  std::array<std::uint64_t, 6> words{};
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const std::size_t bit = i * kLimbBits;
    const Wide window = Wide{limbs[i] & ((std::uint64_t{1} << kLimbBits) - 1)} << (bit % 64);
    words[bit / 64] |= static_cast<std::uint64_t>(window);
    words[bit / 64 + 1] |= static_cast<std::uint64_t>(window >> 64);
  }
  Secret<32> secret;
  std::memcpy(secret.expose_for_writing().data(), words.data(), 32);
  wipe(std::as_writable_bytes(std::span(words)));
  return secret;
}

/// Uniform below p, by rejection: 61 random bits are p with probability 2^-61.
void fill_with_elements(std::span<Limbs> rows, SecureRandom& random) {
  random.fill(std::as_writable_bytes(rows));
  for (Limbs& row : rows) {
    for (std::uint64_t& value : row) {
      for (value &= kPrime; value == kPrime; value &= kPrime) {
        random.fill(std::as_writable_bytes(std::span(&value, 1)));
      }
    }
  }
}

/// a * x + c modulo p, not reduced to the end: for a < 2^63, x <= 2^32 and c < p it is below 2^63 again, and a chain of
/// them saves two thirds of the work.
std::uint64_t multiply_add(std::uint64_t a, std::uint64_t x, std::uint64_t c) {
  const Wide product = Wide{a} * x;
  return (static_cast<std::uint64_t>(product) & kPrime) + static_cast<std::uint64_t>(product >> 61) + c;
}

std::uint64_t point_of(std::uint32_t holder) {
  return std::uint64_t{holder} + 1;
}

}  // namespace

std::vector<Secret<40>> shamir_split(const Secret<32>& secret, std::span<const std::uint32_t> holders,
                                     std::uint32_t threshold, SecureRandom& random) {
  check(threshold >= 1 && threshold <= holders.size(),
        "a threshold is between one and the number of holders");
  // Coefficients of each power, highest first; the limbs themselves come last.
  std::vector<Limbs> coefficients(threshold);
  fill_with_elements(std::span(coefficients).first(threshold - 1), random);
  coefficients.back() = limbs_of(secret);

  std::vector<Secret<40>> shares(holders.size());
  for (std::size_t i = 0; i < holders.size(); ++i) {
    Limbs value{};
    for (const Limbs& coefficient : coefficients) {  // Horner
      for (std::size_t limb = 0; limb < kLimbs; ++limb) {
        value[limb] = multiply_add(value[limb], point_of(holders[i]), coefficient[limb]);
      }
    }
    std::ranges::transform(value, value.begin(), canonical);
    std::memcpy(shares[i].expose_for_writing().data(), value.data(), 40);
    wipe(std::as_writable_bytes(std::span(value)));
  }
  wipe(std::as_writable_bytes(std::span(coefficients)));
  return shares;
}

ShareCombiner::ShareCombiner(std::span<const std::uint32_t> holders) : weights_(holders.size()) {
  check(!holders.empty(), "shares are combined of at least one holder");
  // Lagrange at x = 0: the weight of holder i is the product over j of x_j / (x_j - x_i). One inversion
  // serves all denominators.
  const std::size_t count = holders.size();
  std::vector<std::uint64_t> numerator(count, 1);
  std::vector<std::uint64_t> denominator(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      if (i != j) {
        numerator[i] = multiply(numerator[i], point_of(holders[j]));
        denominator[i] = multiply(denominator[i], subtract(point_of(holders[j]), point_of(holders[i])));
      }
    }
    check(denominator[i] != 0, "shares come from distinct holders");
  }
  std::vector<std::uint64_t> prefix(count + 1, 1);
  for (std::size_t i = 0; i < count; ++i) {
    prefix[i + 1] = multiply(prefix[i], denominator[i]);
  }
  std::uint64_t inverse = invert(prefix[count]);
  for (std::size_t i = count; i-- > 0;) {
    weights_[i] = multiply(numerator[i], multiply(inverse, prefix[i]));
    inverse = multiply(inverse, denominator[i]);
  }
}

Secret<32> ShareCombiner::combine(std::span<const Share> shares) const {
  check(shares.size() == weights_.size(), "every share has its holder");
  Limbs limbs{};
  Limbs value{};
  for (std::size_t i = 0; i < shares.size(); ++i) {
    std::memcpy(value.data(), shares[i].data(), sizeof value);
    for (std::size_t limb = 0; limb < kLimbs; ++limb) {
      // A holder's bytes may be any number; modulo p it is an element.
      limbs[limb] = add(limbs[limb], multiply(canonical(value[limb]), weights_[i]));
    }
  }
  Secret<32> secret = secret_of(limbs);
  wipe(std::as_writable_bytes(std::span(limbs)));
  wipe(std::as_writable_bytes(std::span(value)));
  return secret;
}

}  // namespace hanse
