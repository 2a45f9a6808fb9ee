#include <benchmark/benchmark.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "common/base/check.h"
#include "common/workloads/contribution.h"
#include "privacy/clip.h"
#include "privacy/crypto/aead.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/hkdf.h"
#include "privacy/crypto/paillier.h"
#include "privacy/crypto/system_random.h"
#include "privacy/crypto/x25519.h"
#include "privacy/grid.h"
#include "privacy/noise/discrete_gaussian.h"
#include "privacy/packing.h"
#include "privacy/protocol/round_secrets.h"
#include "privacy/secure_sum/masks.h"
#include "privacy/secure_sum/shamir.h"
#include "tests/benchmarks/measurements.h"

namespace hanse {
namespace {

using benchmark::DoNotOptimize;
using benchmark::State;

constexpr std::size_t kMaskBytes = 400'000;
constexpr std::size_t kNeighbours = 31;

SystemRandom& system_random() {
  static SystemRandom random;
  return random;
}

/// The floor under every mask: OpenSSL's AES-128-CTR alone, over the bytes of as many masks, in chunks of the same size.
void aes_alone(State& state) {
  constexpr std::size_t chunk = 8192;
  const std::vector<unsigned char> zeros(chunk);
  std::vector<unsigned char> pad(chunk);
  std::vector<EVP_CIPHER_CTX*> streams;
  for (std::size_t i = 0; i < kNeighbours; ++i) {
    const Secret<32> key = random_secret(system_random());
    const auto* bytes = reinterpret_cast<const unsigned char*>(key.expose().data());
    streams.push_back(EVP_CIPHER_CTX_new());
    check(EVP_EncryptInit_ex2(streams.back(), EVP_aes_128_ctr(), bytes, bytes + 16, nullptr) == 1,
          "AES-128-CTR is there");
  }
  for (auto _ : state) {
    for (std::size_t done = 0; done < kMaskBytes; done += chunk) {
      const int size = static_cast<int>(std::min(chunk, kMaskBytes - done));
      for (EVP_CIPHER_CTX* stream : streams) {
        int written = 0;
        EVP_EncryptUpdate(stream, pad.data(), &written, zeros.data(), size);
        DoNotOptimize(pad.data());
      }
    }
  }
  for (EVP_CIPHER_CTX* stream : streams) {
    EVP_CIPHER_CTX_free(stream);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMaskBytes * kNeighbours));
}

/// Items are bytes, as in the floor.
template <class T>
void mask_and_add(State& state) {
  std::vector<RoundMasks::Mask> list;
  for (std::size_t i = 0; i < kNeighbours; ++i) {
    list.push_back({random_secret(system_random()), i % 2 == 0 ? Sign::plus : Sign::minus});
  }
  const RoundMasks masks(std::move(list));
  std::vector<T> entries(kMaskBytes / sizeof(T));
  for (auto _ : state) {
    masks.add_to(entries);
    DoNotOptimize(entries.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMaskBytes * kNeighbours));
}

void x25519_generate(State& state) {
  for (auto _ : state) {
    DoNotOptimize(X25519Key::generate(system_random()));
  }
}

void x25519_agree(State& state) {
  const X25519Key own = X25519Key::generate(system_random());
  const X25519Key peer = X25519Key::generate(system_random());
  for (auto _ : state) {
    DoNotOptimize(own.agree(peer.public_key()).ok());
  }
}

/// What a neighbour costs when a session is set up: its keys, and a code to send and one to compare.
void set_up_neighbour(State& state) {
  const X25519Key own = X25519Key::generate(system_random());
  const X25519Key peer = X25519Key::generate(system_random());
  const Digest session = sha256(bytes_of("session"));
  for (auto _ : state) {
    const auto pair = PairKeys::derive(own, peer.public_key(), session, 1, 2);
    DoNotOptimize(confirm_code(*pair, 1, session));
    DoNotOptimize(confirm_code(*pair, 2, session));
  }
}

void hash_expand(State& state) {
  const Secret<32> key = random_secret(system_random());
  const Digest context{};
  for (auto _ : state) {
    DoNotOptimize(hkdf_expand(key, {bytes_of("hanse/1 mask"), context}));
  }
}

void commit_to_share(State& state) {
  Share share{};
  for (auto _ : state) {
    DoNotOptimize(commit(share));
  }
}

struct Pair {
  PairKeys here;
  PairKeys there;
};
Pair pair_of_merchants(const Digest& session) {
  const X25519Key one = X25519Key::generate(system_random());
  const X25519Key two = X25519Key::generate(system_random());
  return {*PairKeys::derive(one, two.public_key(), session, 0, 1),
          *PairKeys::derive(two, one.public_key(), session, 1, 0)};
}

void seal_share_box(State& state) {
  const Digest session{};
  Pair pair = pair_of_merchants(session);
  const Secret<32> key = pair.here.sending(1);
  const Secret<40> share;
  for (auto _ : state) {
    DoNotOptimize(seal_shares(key, {session, 1, 0, 1}, share, share));
  }
}

void open_share_box(State& state) {
  const Digest session{};
  Pair pair = pair_of_merchants(session);
  const Secret<32> key = pair.there.receiving(1);
  const ShareBox box = seal_shares(pair.here.sending(1), {session, 1, 0, 1}, Secret<40>(), Secret<40>());
  for (auto _ : state) {
    DoNotOptimize(open_shares(key, {session, 1, 0, 1}, box).ok());
  }
}

std::vector<std::uint32_t> holders(std::int64_t count) {
  std::vector<std::uint32_t> ids(static_cast<std::size_t>(count));
  std::iota(ids.begin(), ids.end(), 0u);
  return ids;
}
std::uint32_t two_thirds(std::int64_t count) {
  return static_cast<std::uint32_t>(2 * count / 3 + 1);
}

void deal_shares(State& state, std::int64_t count) {
  const Secret<32> secret = random_secret(system_random());
  const auto ids = holders(count);
  for (auto _ : state) {
    DoNotOptimize(shamir_split(secret, ids, two_thirds(count), system_random()));
  }
}

void find_weights(State& state, std::int64_t count) {
  const auto ids = holders(two_thirds(count));
  for (auto _ : state) {
    DoNotOptimize(ShareCombiner(ids));
  }
}

void combine_shares(State& state, std::int64_t count) {
  const std::vector<Share> shares(two_thirds(count));
  const ShareCombiner combiner(holders(two_thirds(count)));
  for (auto _ : state) {
    DoNotOptimize(combiner.combine(shares));
  }
}

/// Noise of multiplier 1 that 32 merchants make together on a grid of 20 bits. Items are entries.
void draw_noise(State& state) {
  std::vector<std::int64_t> out(10'000);
  for (auto _ : state) {
    sample_discrete_gaussian((std::uint64_t{1} << 40) / 32, system_random(), out);
    DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

/// Items are the entries that are written.
void clip_and_grid(State& state, const Contribution& contribution, std::uint64_t length,
                   std::size_t written) {
  const SumParameters parameters{.length = length, .clip_norm = 1, .grid_bits = 20};
  std::vector<std::int64_t> entries(length);
  for (auto _ : state) {
    add_on_grid(contribution, *clip_factor(contribution, 1), parameters, entries);
    DoNotOptimize(entries.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(written));
}

void clip_and_grid_dense(State& state) {
  Contribution contribution;
  contribution.add_block(0, std::vector<double>(1000, 0.25));
  clip_and_grid(state, contribution, 1000, 1000);
}

/// A customer with 20 of 1000 items, 10 factors each.
void clip_and_grid_sparse(State& state) {
  Contribution contribution;
  for (std::size_t item = 0; item < 20; ++item) {
    contribution.add_block(item * 500, std::vector<double>(10, 0.125));
  }
  clip_and_grid(state, contribution, 10'000, 200);
}

void digest_of_model(State& state) {
  const Bytes bytes(800'000);
  for (auto _ : state) {
    DoNotOptimize(sha256(bytes));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void seal_upload(State& state) {
  const Bytes upload(kMaskBytes);
  const Secret<32> key = random_secret(system_random());
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    DoNotOptimize(aead_seal(key, ++sequence, {}, upload));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMaskBytes));
}

/// Paillier's encryption of a sum of 32 merchants, z = 1, 3072 bits. Items are entries of the sum: many stand in one
/// plaintext.
struct PaillierSetting {
  SumParameters parameters{.length = 1000,
                           .clip_norm = 1,
                           .grid_bits = 20,
                           .ring = Ring::bits64,
                           .units_max = 1,
                           .share_variance = (std::uint64_t{1} << 40) / 32,
                           .shares_min = 32,
                           .merchants_max = 32};
  PaillierSize size = *PaillierSize::of(3072);
  PaillierPrivateKey key = PaillierPrivateKey::generate(size, system_random());
  PaillierEncryptor encryptor{key.public_key()};
  Packing packing{parameters, size.bits()};
  Bytes plaintexts = packing.pack(std::vector<std::int64_t>(parameters.length, 12345));
  Bytes ciphertexts = encrypted();

  Bytes encrypted() const {
    Bytes out(packing.plaintexts() * size.ciphertext_bytes());
    for (std::size_t i = 0; i < packing.plaintexts(); ++i) {
      encryptor.encrypt(ByteView(plaintexts).subspan(i * size.plaintext_bytes(), size.plaintext_bytes()),
                        system_random(),
                        std::span(out).subspan(i * size.ciphertext_bytes(), size.ciphertext_bytes()));
    }
    return out;
  }
  std::int64_t entries(const State& state) const {
    return state.iterations() * static_cast<std::int64_t>(parameters.length);
  }
};
const PaillierSetting& paillier() {
  static const PaillierSetting setting;
  return setting;
}

void paillier_encrypt(State& state) {
  const PaillierSetting& setting = paillier();
  for (auto _ : state) {
    DoNotOptimize(setting.encrypted());
  }
  state.SetItemsProcessed(setting.entries(state));
}

void paillier_add(State& state) {
  const PaillierSetting& setting = paillier();
  PaillierTotal total(setting.key.public_key(), setting.packing.plaintexts());
  for (auto _ : state) {
    DoNotOptimize(total.add(setting.ciphertexts).has_value());
  }
  state.SetItemsProcessed(setting.entries(state));
}

void paillier_decrypt(State& state) {
  const PaillierSetting& setting = paillier();
  for (auto _ : state) {
    DoNotOptimize(setting.key.decrypt(setting.ciphertexts, setting.packing.plaintexts()).ok());
  }
  state.SetItemsProcessed(setting.entries(state));
}

/// The floor under decryption: OpenSSL's exponentiations modulo the squares of the primes alone, as many as 1000 entries
/// take.
void paillier_exponentiations(State& state) {
  const PaillierSetting& setting = paillier();
  using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
  const auto number_of = [](std::size_t bits) {
    Number number(BN_new(), BN_free);
    BN_rand(number.get(), static_cast<int>(bits), BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    return number;
  };
  const std::size_t bits = setting.size.bits() / kPaillierPrimes;
  const Number modulus = number_of(2 * bits);
  const Number base = number_of(2 * bits - 1);
  const Number exponent = number_of(bits);
  const Number power(BN_new(), BN_free);
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), BN_CTX_free);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kPaillierPrimes * setting.packing.plaintexts(); ++i) {
      BN_mod_exp_mont_consttime(power.get(), base.get(), exponent.get(), modulus.get(), context.get(),
                                nullptr);
    }
  }
  state.SetItemsProcessed(setting.entries(state));
}

}  // namespace

void register_primitives() {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("AES-128-CTR alone, 31 streams", aes_alone);
  RegisterBenchmark("mask and add, 31 neighbours, 32 bits", mask_and_add<std::uint32_t>);
  RegisterBenchmark("mask and add, 31 neighbours, 64 bits", mask_and_add<std::uint64_t>);
  RegisterBenchmark("X25519: a key", x25519_generate);
  RegisterBenchmark("X25519: an agreement", x25519_agree);
  RegisterBenchmark("keys and codes of a neighbour", set_up_neighbour);
  RegisterBenchmark("HKDF-Expand", hash_expand);
  RegisterBenchmark("commitment to a share", commit_to_share);
  RegisterBenchmark("share box: seal", seal_share_box);
  RegisterBenchmark("share box: open", open_share_box);
  for (const std::int64_t count : {32, 100}) {
    const std::string among = ", " + std::to_string(count) + " holders";
    RegisterBenchmark(("Shamir: deal" + among).c_str(), deal_shares, count);
    RegisterBenchmark(("Shamir: weights" + among).c_str(), find_weights, count);
    RegisterBenchmark(("Shamir: combine" + among).c_str(), combine_shares, count);
  }
  RegisterBenchmark("Paillier, 3072 bits: encrypt 1000 entries", paillier_encrypt);
  RegisterBenchmark("Paillier, 3072 bits: add 1000 entries", paillier_add);
  RegisterBenchmark("Paillier, 3072 bits: decrypt 1000 entries", paillier_decrypt);
  RegisterBenchmark("Paillier, 3072 bits: its exponentiations alone", paillier_exponentiations);
  RegisterBenchmark("discrete Gaussian draw", draw_noise);
  RegisterBenchmark("clip and grid, dense", clip_and_grid_dense);
  RegisterBenchmark("clip and grid, sparse", clip_and_grid_sparse);
  RegisterBenchmark("SHA-256 of 800 KB", digest_of_model);
  RegisterBenchmark("AES-256-GCM of an upload of 400 KB", seal_upload);
}

}  // namespace hanse
