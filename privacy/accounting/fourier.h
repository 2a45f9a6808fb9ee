#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace hanse {

/// The discrete Fourier transform of N points, a power of two.
class Fourier {
 public:
  explicit Fourier(std::size_t points);

  std::size_t points() const { return 2 * roots_.size(); }
  /// X_k = sum over n of x_n exp(-2 pi i k n / N), in place. Each X_k is off by at most fourier_error(N) times the
  /// sum of |x_n|: log2 N levels of one complex product and one sum.
  void transform(std::vector<std::complex<double>>& x);
  /// exp(-2 pi i k / N), 0 <= k < N.
  std::complex<double> root(std::size_t k) const {
    return k < roots_.size() ? roots_[k] : -roots_[k - roots_.size()];
  }

 private:
  std::vector<std::complex<double>> roots_;
  std::vector<std::complex<double>> other_;
};

/// 5 log2 N half units in the last place: 2.3 for a product, 1 for a sum, 1.3 for the roots, a level.
double fourier_error(std::size_t points);

}  // namespace hanse
