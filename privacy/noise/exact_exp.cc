#include "privacy/noise/exact_exp.h"

#include <algorithm>
#include <span>
#include <vector>

#include "common/base/check.h"

// Numbers are vectors of 64-bit limbs, the lowest first; the lowest `fraction` limbs stand behind the point.

namespace hanse {
namespace {

using Limbs = std::vector<std::uint64_t>;

constexpr std::size_t kFirstFraction = 3;
constexpr std::size_t kMostFraction = 4096;  // Reached with probability 2^-250,000.

enum class Toward { zero, above };

void trim(Limbs& x) {
  while (!x.empty() && x.back() == 0) {
    x.pop_back();
  }
}

Limbs sum_of(const Limbs& x, const Limbs& y) {
  const Limbs& more = x.size() >= y.size() ? x : y;
  const Limbs& less = x.size() >= y.size() ? y : x;
  Limbs sum = more;
  Uint128 carry = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    carry += sum[i];
    carry += i < less.size() ? less[i] : 0;
    sum[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  if (carry != 0) {
    sum.push_back(static_cast<std::uint64_t>(carry));
  }
  return sum;
}

Limbs product_of(const Limbs& x, const Limbs& y) {
  Limbs product(x.size() + y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    Uint128 carry = 0;
    for (std::size_t j = 0; j < y.size(); ++j) {
      carry += static_cast<Uint128>(x[i]) * y[j] + product[i + j];
      product[i + j] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    product[i + y.size()] = static_cast<std::uint64_t>(carry);
  }
  trim(product);
  return product;
}

Limbs quotient_of(Limbs x, std::uint64_t divisor, Toward toward) {
  Uint128 rest = 0;
  for (std::size_t i = x.size(); i-- > 0;) {
    rest = rest << 64 | x[i];
    x[i] = static_cast<std::uint64_t>(rest / divisor);
    rest %= divisor;
  }
  trim(x);
  return toward == Toward::above && rest != 0 ? sum_of(x, {1}) : x;
}

bool is_less(const Limbs& x, const Limbs& y) {  // Both trimmed.
  if (x.size() != y.size()) {
    return x.size() < y.size();
  }
  return std::lexicographical_compare(x.rbegin(), x.rend(), y.rbegin(), y.rend());
}

/// A bound of exp(a / b) from the chosen side: the sum of (a / b)^n / n!, all of it positive, each term rounded to that
/// side. From n >= 2 a / b on every term is at most half of the one before, so what is left out is below the last one.
Limbs exp_bound(Uint128 a, std::uint64_t b, std::size_t fraction, Toward toward) {
  const Limbs whole = {static_cast<std::uint64_t>(a / b)};
  const Limbs rest = {static_cast<std::uint64_t>(a % b)};
  Limbs term(fraction + 1);
  term.back() = 1;
  Limbs sum = term;
  for (std::uint64_t n = 1;; ++n) {
    term = sum_of(product_of(term, whole), quotient_of(product_of(term, rest), b, toward));
    term = quotient_of(std::move(term), n, toward);
    sum = sum_of(sum, term);
    const bool falls = n / 2 > whole[0];
    if (falls && (term.empty() || (term.size() == 1 && term[0] <= 2))) {
      return toward == Toward::above ? sum_of(sum, term) : sum;
    }
  }
}

}  // namespace

bool is_below_exp(std::uint64_t t, std::uint64_t scale, unsigned shift, Uint128 a, std::uint64_t b,
                  RandomBits& bits) {
  check(b > 0 && a / b >> 64 == 0, "an exponent is a fraction below 2^64");
  Limbs point = {t};  // t and the bits of f so far, the newest lowest.
  for (std::size_t fraction = kFirstFraction; fraction < kMostFraction; fraction += 2) {
    while (point.size() < fraction + 1) {
      point.insert(point.begin(), bits.next<std::uint64_t>());
    }
    Limbs low = point;
    trim(low);
    // t + f lies in [low, low + 2^(-64 fraction)], and what it is compared with is (t + f) exp(a / b).
    Limbs target(2 * fraction + shift / 64 + 2);
    const Uint128 shifted = static_cast<Uint128>(scale) << (shift % 64);
    target[2 * fraction + shift / 64] = static_cast<std::uint64_t>(shifted);
    target[2 * fraction + shift / 64 + 1] = static_cast<std::uint64_t>(shifted >> 64);
    trim(target);
    if (!is_less(target, product_of(sum_of(low, {1}), exp_bound(a, b, fraction, Toward::above)))) {
      wipe(std::as_writable_bytes(std::span(point)));
      return true;
    }
    if (!is_less(product_of(low, exp_bound(a, b, fraction, Toward::zero)), target)) {
      wipe(std::as_writable_bytes(std::span(point)));
      return false;
    }
  }
  check(false, "a uniform number differs from a given one within its first 200,000 bits");
  return false;
}

}  // namespace hanse
