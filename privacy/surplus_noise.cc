#include "privacy/surplus_noise.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "privacy/crypto/hkdf.h"
#include "privacy/crypto/keystream.h"
#include "privacy/noise/discrete_gaussian.h"

namespace hanse {
namespace {

__extension__ using Wide = unsigned __int128;

/// A secret key's keystream, as the source of a sample: who has the key has the sample.
class ExpandedKey final : public SecureRandom {
 public:
  explicit ExpandedKey(const Secret<32>& key) : stream_(key) {}
  void fill(std::span<std::byte> out) override { stream_.next(out); }

 private:
  Keystream stream_;
};

}  // namespace

std::uint64_t NoiseLadder::left(std::uint32_t merchants) const {
  check(collusion < shares_min && shares_min <= merchants,
        "a sum has at least as many merchants as it needs");
  const Wide needed = Wide{share_variance} * (shares_min - collusion);
  std::uint64_t left = share_variance;
  for (std::uint32_t included = shares_min + 1; included <= merchants; ++included) {
    const Wide honest = included - collusion;
    const auto enough = static_cast<std::uint64_t>((needed + honest - 1) / honest);
    if (enough >= kRungVarianceMin && left - enough >= kRungVarianceMin) {
      left = enough;
    }
  }
  return left;
}

RungKey RungKey::fresh(std::uint32_t rung, SecureRandom& random) {
  RungKey key{.rung = rung, .key = {}};
  random.fill(key.key.expose_for_writing());
  return key;
}

RungKey RungKey::below() const {
  check(rung > 0, "there is no rung below the lowest");
  return {.rung = rung - 1, .key = hkdf_expand(key, bytes_of("hanse/1 lower rung"))};
}

RungKey RungKey::at(std::uint32_t lower) const {
  check(lower <= rung, "no key leads to a rung above");
  RungKey found{.rung = rung, .key = key.duplicate()};
  while (found.rung > lower) {
    found = found.below();
  }
  return found;
}

void add_rungs(const RungKey& top, const NoiseLadder& ladder, std::span<std::int64_t> entries) {
  std::vector<std::int64_t> part;
  RungKey rung = top.at(top.rung);
  for (; rung.rung >= ladder.shares_min; rung = rung.below()) {
    const std::uint64_t variance = ladder.left(rung.rung) - ladder.left(rung.rung + 1);
    if (variance == 0) {
      continue;
    }
    part.resize(entries.size());
    ExpandedKey noise(hkdf_expand(rung.key, bytes_of("hanse/1 surplus noise")));
    sample_discrete_gaussian(variance, noise, part);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] += part[i];
    }
  }
  wipe(std::as_writable_bytes(std::span(part)));
}

std::optional<std::uint32_t> rung_to_open(const SumParameters& parameters, std::uint32_t included) {
  return parameters.share_variance > 0 && included > parameters.shares_min ? std::optional(included - 1)
                                                                           : std::nullopt;
}

}  // namespace hanse
