#include "privacy/empirical/binomial.h"

#include <boost/math/special_functions/beta.hpp>

#include "common/base/check.h"

namespace hanse {
namespace {

using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;

}  // namespace

double clopper_pearson_upper(std::uint64_t successes, std::uint64_t trials, double significance) {
  check(successes <= trials && significance > 0 && significance < 1, "a bound is on a share of trials");
  if (successes == trials) {
    return 1;
  }
  const auto k = static_cast<double>(successes);
  const auto n = static_cast<double>(trials);
  return boost::math::ibetac_inv(k + 1, n - k, significance, Policy());
}

double clopper_pearson_lower(std::uint64_t successes, std::uint64_t trials, double significance) {
  check(successes <= trials && significance > 0 && significance < 1, "a bound is on a share of trials");
  if (successes == 0) {
    return 0;
  }
  const auto k = static_cast<double>(successes);
  const auto n = static_cast<double>(trials);
  return boost::math::ibeta_inv(k, n - k + 1, significance, Policy());
}

double binomial_tail(std::uint64_t trials, double p, std::uint64_t successes) {
  check(p >= 0 && p <= 1, "a probability lies between 0 and 1");
  if (successes == 0 || successes > trials) {
    return successes == 0 ? 1 : 0;
  }
  const auto k = static_cast<double>(successes);
  const auto n = static_cast<double>(trials);
  return boost::math::ibeta(k, n - k + 1, p, Policy());
}

}  // namespace hanse
