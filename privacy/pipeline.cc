#include "privacy/pipeline.h"

#include <cmath>
#include <cstring>
#include <string>

#include "common/base/failure.h"
#include "privacy/clip.h"
#include "privacy/encrypted_total.h"
#include "privacy/grid.h"
#include "privacy/noise/discrete_gaussian.h"
#include "privacy/rows.h"
#include "privacy/secure_sum/masks.h"

namespace hanse {

SealedSum prepare(const UnitSource& units, const SumParameters& parameters, NoiseShare&& noise,
                  const Seal& seal, const RowOfRun* place) {
  LocalSum local = LocalSum::of(units, parameters);  // clip, then the grid
  EncodedSum encoded =
      EncodedSum::of(std::move(local), place);  // with earlier sums, where noise is correlated
  NoisedSum noised =
      NoisedSum::of(std::move(encoded), std::move(noise));    // this merchant's share of the noise
  return SealedSum::of(std::move(noised), parameters, seal);  // under masks or a key that open only the sum
}

NoiseShare NoiseShare::draw(const SumParameters& parameters, SecureRandom& random) {
  NoiseShare share;
  if (parameters.share_variance > 0) {
    share.entries_.resize(parameters.length);
    sample_discrete_gaussian(parameters.share_variance, random, share.entries_);
  }
  return share;
}

NoiseShare NoiseShare::draw(const SumParameters& parameters, std::uint32_t collusion, const RungKey& top,
                            SecureRandom& random) {
  const NoiseLadder ladder{parameters.share_variance, parameters.shares_min, collusion};
  SumParameters base = parameters;
  base.share_variance = ladder.left(top.rung + 1);
  NoiseShare share = draw(base, random);
  add_rungs(top, ladder, share.entries_);
  return share;
}

LocalSum LocalSum::of(const UnitSource& source, const SumParameters& parameters) {
  const bool secret = parameters.share_variance > 0;
  std::uint64_t units = 0;
  LocalSum sum;
  sum.entries_.assign(parameters.length, 0);
  source([&](const Contribution& contribution) {
    const std::optional<double> factor = clip_factor(contribution, parameters.local_clip_norm());
    const bool fits = ++units <= parameters.units_max;
    if (fits && factor) {
      add_on_grid(contribution, *factor, parameters, sum.entries_);
    } else if (!secret) {
      throw fits ? Failure(ExitCode::could_not_finish,
                           "a contribution is not finite: training diverged; lower workload.learning_rate or "
                           "server.learning_rate")
                 : bad_input("a merchant has more than " + std::to_string(parameters.units_max) +
                             " units: raise data.max_units, which is public and bounds them");
    }
  });
  return sum;
}

EncodedSum EncodedSum::of(LocalSum&& sum, const RowOfRun* place) {
  EncodedSum encoded;
  encoded.entries_ =
      place == nullptr ? std::move(sum.entries_) : place->past.encode(place->row, std::move(sum.entries_));
  return encoded;
}

NoisedSum NoisedSum::of(EncodedSum&& sum, NoiseShare&& noise) {
  NoisedSum noised;
  noised.entries_ = std::move(sum.entries_);
  check(noise.entries_.empty() || noise.entries_.size() == noised.entries_.size(),
        "a noise share is as long as its sum");
  for (std::size_t i = 0; i < noise.entries_.size(); ++i) {
    noised.entries_[i] += noise.entries_[i];
  }
  wipe(std::as_writable_bytes(std::span(noise.entries_)));
  noise.entries_.clear();
  return noised;
}

namespace {

template <class T>
std::vector<T> residues_of(const std::vector<std::int64_t>& entries) {
  std::vector<T> residues;
  residues.reserve(entries.size() + kCanaries.size());
  for (const std::int64_t entry : entries) {
    residues.push_back(static_cast<T>(entry));  // modulo 2^w
  }
  residues.insert(residues.end(), kCanaries.begin(), kCanaries.end());
  return residues;
}

SealedSum::Residues zero_residues(const SumParameters& parameters) {
  const std::size_t count = parameters.length + kCanaries.size();
  if (parameters.ring == Ring::bits32) {
    return std::vector<std::uint32_t>(count);
  }
  return std::vector<std::uint64_t>(count);
}

}  // namespace

SealedSum SealedSum::of(NoisedSum&& sum, const SumParameters& parameters, const Seal& seal) {
  SealedSum sealed;
  if (seal.encryptor_ != nullptr) {
    sealed.ciphertexts_ = encrypt_entries(sum.entries_, parameters, *seal.encryptor_, *seal.random_);
  } else if (parameters.ring == Ring::bits32) {
    sealed.residues_ = residues_of<std::uint32_t>(sum.entries_);
  } else {
    sealed.residues_ = residues_of<std::uint64_t>(sum.entries_);
  }
  wipe(std::as_writable_bytes(std::span(sum.entries_)));
  if (seal.masks_ != nullptr) {
    std::visit([&](auto& entries) { seal.masks_->add_to(entries); }, sealed.residues_);
  }
  return sealed;
}

std::size_t SealedSum::wire_size(const SumParameters& parameters) {
  return (parameters.length + kCanaries.size()) * (static_cast<std::size_t>(parameters.ring) / 8);
}

Result<SealedSum> SealedSum::from_wire(ByteView bytes, const SumParameters& parameters) {
  if (bytes.size() != wire_size(parameters)) {
    return Error{"an upload has " + std::to_string(bytes.size()) + " bytes instead of " +
                 std::to_string(wire_size(parameters))};
  }
  SealedSum sealed;
  sealed.residues_ = zero_residues(parameters);
  std::visit([&](auto& entries) { std::memcpy(entries.data(), bytes.data(), bytes.size()); },
             sealed.residues_);
  return sealed;
}

ByteView SealedSum::wire() const {
  if (!ciphertexts_.empty()) {
    return ciphertexts_;
  }
  return std::visit([](const auto& entries) -> ByteView { return std::as_bytes(std::span(entries)); },
                    residues_);
}

SealedTotal::SealedTotal(const SumParameters& parameters) : residues_(zero_residues(parameters)) {}

void SealedTotal::add(const SealedSum& sum) {
  check(sum.residues().index() == residues_.index(), "sealed sums of one round share a ring");
  std::visit(
      [&](auto& total) {
        const auto& entries = std::get<std::remove_reference_t<decltype(total)>>(sum.residues());
        check(entries.size() == total.size(), "sealed sums of one round share a length");
        for (std::size_t i = 0; i < total.size(); ++i) {
          total[i] += entries[i];
        }
      },
      residues_);
}

void SealedTotal::take_out(const RungKey& top, const NoiseLadder& ladder, const SumParameters& parameters) {
  std::vector<std::int64_t> surplus(parameters.length);
  add_rungs(top, ladder, surplus);
  std::visit(
      [&](auto& total) {
        using T = typename std::remove_reference_t<decltype(total)>::value_type;
        for (std::size_t i = 0; i < surplus.size(); ++i) {
          total[i] -= static_cast<T>(surplus[i]);
        }
      },
      residues_);
}

namespace {

template <class T>
Result<OpenedSum> open_residues(const std::vector<T>& residues, const SumParameters& parameters,
                                std::vector<std::uint32_t> merchants) {
  for (std::size_t i = 0; i < kCanaries.size(); ++i) {
    const T expected = static_cast<T>(static_cast<T>(merchants.size()) * static_cast<T>(kCanaries[i]));
    if (residues[parameters.length + i] != expected) {
      return Error{"a canary lane does not open to its constant: a share or an upload is wrong"};
    }
  }
  OpenedSum opened{.entries = {}, .merchants = std::move(merchants)};
  opened.entries.reserve(parameters.length);
  const std::uint64_t bound = parameters.sum_bound();
  for (std::size_t i = 0; i < parameters.length; ++i) {
    const std::int64_t entry = static_cast<std::make_signed_t<T>>(residues[i]);
    const auto magnitude =
        entry < 0 ? 0 - static_cast<std::uint64_t>(entry) : static_cast<std::uint64_t>(entry);
    if (magnitude > bound) {
      return Error{"an entry of the sum is beyond the bound that honest merchants keep"};
    }
    opened.entries.push_back(entry);
  }
  return opened;
}

}  // namespace

Result<OpenedSum> SealedTotal::open(const SumParameters& parameters,
                                    std::vector<std::uint32_t> merchants) const {
  return std::visit(
      [&](const auto& residues) { return open_residues(residues, parameters, std::move(merchants)); },
      residues_);
}

std::vector<double> OpenedSum::values(const SumParameters& parameters) const {
  std::vector<double> values;
  values.reserve(entries.size());
  for (const std::int64_t entry : entries) {
    values.push_back(static_cast<double>(entry) * parameters.step());
  }
  return values;
}

}  // namespace hanse
