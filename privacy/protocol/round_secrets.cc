#include "privacy/protocol/round_secrets.h"

#include <algorithm>

#include "privacy/crypto/aead.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/hkdf.h"
#include "privacy/secure_sum/neighbours.h"
#include "privacy/secure_sum/shamir.h"

namespace hanse {

namespace {

Bytes16 truncated(ByteView digest) {
  Bytes16 first;
  std::copy_n(digest.begin(), first.size(), first.begin());
  return first;
}

/// Rounds are far below: the counters of a key's two boxes differ.
constexpr std::uint64_t kRungBox = std::uint64_t{1} << 63;
constexpr std::string_view kRungLabel = "hanse/1 rung shares";

Bytes address_bytes(const ShareAddress& address, std::string_view label = "hanse/1 shares") {
  ByteWriter writer;
  writer.put_bytes(bytes_of(label))
      .put_bytes(address.session_id)
      .put(address.round)
      .put(address.dealer)
      .put(address.holder);
  return writer.take();
}

Bytes rung_address_bytes(const ShareAddress& address, const MerchantSet& invited) {
  ByteWriter writer;
  writer.put_bytes(address_bytes(address, kRungLabel));
  for (const std::uint32_t id : invited.ids()) {
    writer.put(id);
  }
  return writer.take();
}

}  // namespace

Secret<32> random_secret(SecureRandom& random) {
  Secret<32> secret;
  random.fill(secret.expose_for_writing());
  return secret;
}

Dealing deal_secret(const Secret<32>& secret, std::span<const std::uint32_t> neighbours, std::uint32_t dealer,
                    std::uint32_t threshold, SecureRandom& random) {
  std::vector<std::uint32_t> holders(neighbours.begin(), neighbours.end());
  holders.push_back(dealer);
  Dealing dealing{.others = shamir_split(secret, holders, threshold, random), .own = {}};
  dealing.own = std::move(dealing.others.back());
  dealing.others.pop_back();
  return dealing;
}

ShareBox seal_shares(const Secret<32>& key, const ShareAddress& address, const Secret<40>& self_mask,
                     const Secret<40>& escrow) {
  Secret<80> plain;
  const auto room = plain.expose_for_writing();
  std::copy(self_mask.expose().begin(), self_mask.expose().end(), room.begin());
  std::copy(escrow.expose().begin(), escrow.expose().end(), room.begin() + 40);
  const Bytes sealed = aead_seal(key, address.round, address_bytes(address), plain.expose());
  ShareBox box;
  check(sealed.size() == box.size(), "a share box has two shares and a tag");
  std::copy(sealed.begin(), sealed.end(), box.begin());
  return box;
}

Result<OpenedShares> open_shares(const Secret<32>& key, const ShareAddress& address, const ShareBox& box) {
  auto plain = aead_open(key, address.round, address_bytes(address), box);
  if (!plain) {
    return Error{"a share box does not open"};
  }
  OpenedShares shares;
  std::copy_n(plain->begin(), 40, shares.self_mask.expose_for_writing().begin());
  std::copy_n(plain->begin() + 40, 40, shares.escrow.expose_for_writing().begin());
  wipe(*plain);
  return shares;
}

Bytes seal_rung_shares(const Secret<32>& key, const ShareAddress& address, const MerchantSet& invited,
                       const std::vector<Secret<40>>& shares) {
  Bytes plain;
  plain.reserve(shares.size() * sizeof(Share));  // No second copy of it is left behind.
  for (const Secret<40>& share : shares) {
    plain.insert(plain.end(), share.expose().begin(), share.expose().end());
  }
  Bytes sealed = aead_seal(key, address.round | kRungBox, rung_address_bytes(address, invited), plain);
  wipe(plain);
  return sealed;
}

Result<std::vector<Secret<40>>> open_rung_shares(const Secret<32>& key, const ShareAddress& address,
                                                 const MerchantSet& invited, ByteView box) {
  auto plain = aead_open(key, address.round | kRungBox, rung_address_bytes(address, invited), box);
  if (!plain) {
    return Error{"a box of rung shares does not open"};
  }
  std::vector<Secret<40>> shares(plain->size() / sizeof(Share));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    std::copy_n(plain->begin() + static_cast<std::ptrdiff_t>(i * sizeof(Share)), sizeof(Share),
                shares[i].expose_for_writing().begin());
  }
  wipe(*plain);
  return shares;
}

Bytes16 commit(const Secret<40>& share) {
  return truncated(sha256(share.expose()));
}
Bytes16 commit(const Share& share) {
  return truncated(sha256(share));
}
Bytes16 commit(const Secret<32>& secret) {
  constexpr std::string_view label = "hanse/1 secret";
  Secret<label.size() + 32> labelled;
  const auto room = labelled.expose_for_writing();
  std::ranges::copy(bytes_of(label), room.begin());
  std::ranges::copy(secret.expose(), room.begin() + label.size());
  return truncated(sha256(labelled.expose()));
}

Bytes16 confirm_code(const PairKeys& pair, std::uint32_t sender, const Digest& session_id) {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 confirm")).put(sender).put_bytes(session_id);
  return truncated(hmac_sha256(pair.agreement().expose(), writer.bytes()).expose());
}

AgreedOn agreed_on(std::uint64_t round, const Digest& context, const MerchantSet& included) {
  ByteWriter set;
  included.write(set);
  return {round, context, sha256(set.bytes())};
}

Bytes16 agree_code(const PairKeys& pair, std::uint32_t sender, const AgreedOn& what) {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 agree"))
      .put(sender)
      .put(what.round)
      .put_bytes(what.context)
      .put_bytes(what.included);
  return truncated(hmac_sha256(pair.agreement().expose(), writer.bytes()).expose());
}

}  // namespace hanse
