#include "common/data/partition.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "common/data/numbers.h"
#include "common/data/text_hash.h"

namespace hanse {
namespace {

constexpr std::int64_t kMostMerchants = 1 << 20;
constexpr std::uint64_t kPurpose =
    0x706172746974696F;  // "partitio": keeps these numbers apart from other uses.

[[noreturn]] void refuse(std::string_view text) {
  throw bad_input(
      "data.partition: cannot read '" + std::string(text) +
      "'; expected column, iid:N or dirichlet:N,ALPHA with N merchants (1 to 1048576) and ALPHA > 0");
}

std::vector<std::string> merchant_names(std::int64_t count) {
  const std::size_t digits = std::max<std::size_t>(4, std::to_string(count).size());
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= count; ++i) {
    const std::string number = std::to_string(i);
    std::string name(1 + digits - number.size(), '0');
    name.front() = 'm';
    names.push_back(name.append(number));
  }
  return names;
}

// Dirichlet proportions as normalised gamma variates, summed up; the last is exactly 1.
std::vector<double> cumulative_dirichlet(std::size_t count, double alpha, SeededGenerator random) {
  std::vector<double> sums(count);
  double sum = 0;
  for (double& entry : sums) {
    entry = sum += random.gamma(alpha);
  }
  if (sum > 0) {
    for (double& entry : sums) {
      entry /= sum;
    }
  }
  sums.back() =
      1;  // All mass on one merchant is also the limit when alpha is so small that every variate is 0.
  return sums;
}

}  // namespace

Partition::Partition(std::string_view text, std::uint64_t seed)
    : salt_(split_mix(seed ^ kPurpose)), seed_(seed) {
  if (text == "column") {
    return;
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view kind = text.substr(0, colon);
  std::string_view count_text = text.substr(std::min(colon + 1, text.size()));
  if (kind == "dirichlet") {
    const std::size_t comma = count_text.find(',');
    const auto read =
        comma == std::string_view::npos ? std::nullopt : read_number(count_text.substr(comma + 1));
    if (!read || !(*read > 0)) {
      refuse(text);
    }
    alpha_ = *read;
    count_text = count_text.substr(0, comma);
  } else if (kind != "iid") {
    refuse(text);
  }
  const auto count = read_integer(count_text);
  if (!count || *count < 1 || *count > kMostMerchants) {
    refuse(text);
  }
  kind_ = kind == "iid" ? Kind::iid : Kind::dirichlet;
  names_ = merchant_names(*count);
}

const std::vector<double>& Partition::proportions_of(std::uint64_t label) {
  std::vector<double>& sums = cumulative_[label];
  if (sums.empty()) {
    sums = cumulative_dirichlet(names_.size(), alpha_, SeededGenerator({seed_, kPurpose, label}));
  }
  return sums;
}

std::string_view Partition::merchant_of(std::uint64_t row, std::string_view customer, float label) {
  check(kind_ != Kind::column, "the merchant of a row is in its column");
  const std::uint64_t identity = customer.empty() ? row : text_hash(customer);
  const double point =
      static_cast<double>(split_mix(identity ^ salt_) >> 11) * 0x1p-53;  // Uniform in [0, 1).
  if (kind_ == Kind::iid) {
    return names_[static_cast<std::size_t>(point * static_cast<double>(names_.size()))];
  }
  auto dealt_by = static_cast<std::uint64_t>(label);
  if (!customer.empty()) {
    dealt_by = first_label_.try_emplace(identity, dealt_by).first->second;
  }
  const std::vector<double>& sums = proportions_of(dealt_by);
  return names_[static_cast<std::size_t>(std::upper_bound(sums.begin(), sums.end(), point) - sums.begin())];
}

}  // namespace hanse
