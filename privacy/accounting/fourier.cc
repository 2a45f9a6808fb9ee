#include "privacy/accounting/fourier.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "common/base/check.h"

namespace hanse {
namespace {

using Complex = std::complex<double>;

// Without the care for infinities that operator* takes.
inline Complex product(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// Stockham's radix-2 step: n points in blocks of `stride`, from -> to, in order without bit reversal.
void step(const Complex* from, Complex* to, std::size_t half, std::size_t stride, const Complex* twiddles) {
  for (std::size_t p = 0; p < half; ++p) {
    const Complex w = twiddles[p * stride];
    const Complex* a = from + stride * p;
    const Complex* b = from + stride * (p + half);
    Complex* sum = to + stride * 2 * p;
    Complex* difference = sum + stride;
    for (std::size_t q = 0; q < stride; ++q) {
      sum[q] = a[q] + b[q];
      difference[q] = product(a[q] - b[q], w);
    }
  }
}

}  // namespace

Fourier::Fourier(std::size_t points) : roots_(points / 2), other_(points) {
  check(points >= 2 && std::has_single_bit(points), "a Fourier transform has a power of two of points");
  for (std::size_t k = 0; k < points / 2; ++k) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(points);
    roots_[k] = {std::cos(angle), std::sin(angle)};
  }
}

void Fourier::transform(std::vector<Complex>& x) {
  check(x.size() == points(), "a Fourier transform has as many points as it was made for");
  for (std::size_t half = x.size() / 2, stride = 1; half >= 1; half /= 2, stride *= 2) {
    step(x.data(), other_.data(), half, stride, roots_.data());
    x.swap(other_);
  }
}

double fourier_error(std::size_t points) {
  return 2.5 * std::numeric_limits<double>::epsilon() * static_cast<double>(std::bit_width(points));
}

}  // namespace hanse
