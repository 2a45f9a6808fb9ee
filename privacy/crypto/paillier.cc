#include "privacy/crypto/paillier.h"

#include <openssl/bn.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "privacy/crypto/openssl.h"
#include "privacy/crypto/secret.h"

namespace hanse {
namespace {

using openssl::must;
using Bignum = std::unique_ptr<BIGNUM, openssl::Freer<BN_clear_free>>;
using BignumContext = std::unique_ptr<BN_CTX, openssl::Freer<BN_CTX_free>>;
using Montgomery = std::unique_ptr<BN_MONT_CTX, openssl::Freer<BN_MONT_CTX_free>>;

constexpr const char* kArithmetic = "arithmetic on big numbers has the memory it needs";

Bignum number() {
  Bignum value(BN_new());
  must(value != nullptr, kArithmetic);
  return value;
}

/// A number whose exponentiations and divisions OpenSSL does in constant time.
Bignum secret_number() {
  Bignum value = number();
  BN_set_flags(value.get(), BN_FLG_CONSTTIME);
  return value;
}

BignumContext scratch() {
  BignumContext context(BN_CTX_new());
  must(context != nullptr, kArithmetic);
  return context;
}

Montgomery montgomery(const BIGNUM* modulus, BN_CTX* context) {
  Montgomery mont(BN_MONT_CTX_new());
  must(mont != nullptr && BN_MONT_CTX_set(mont.get(), modulus, context) == 1, kArithmetic);
  return mont;
}

void read(BIGNUM* out, ByteView bytes) {
  must(BN_lebin2bn(openssl::raw(bytes.data()), static_cast<int>(bytes.size()), out) != nullptr, kArithmetic);
}

void write(std::span<std::byte> out, const BIGNUM* value) {
  const auto size = static_cast<int>(out.size());
  must(BN_bn2lebinpad(value, openssl::raw(out.data()), size) == size, "a number fits its field");
}

/// True when no factor of `product` is one of n. Both are public: the quicker way to ask is for the inverse.
bool coprime(const BIGNUM* product, const BIGNUM* n, BN_CTX* context) {
  const Bignum residue = number();
  must(BN_nnmod(residue.get(), product, n, context) == 1, kArithmetic);
  ERR_set_mark();
  const bool invertible = BN_mod_inverse(residue.get(), residue.get(), n, context) != nullptr;
  ERR_pop_to_mark();
  return invertible;
}

}  // namespace

// --- sizes and public keys ---

std::optional<PaillierSize> PaillierSize::of(std::uint32_t bits) {
  return bits == 3072 || bits == 4096 ? std::optional(PaillierSize(bits)) : std::nullopt;
}

PaillierSize PaillierSize::for_tests(std::uint32_t bits) {
  check(bits >= 128 && bits % 16 == 0, "a modulus has an even number of bytes, 16 at least");
  return PaillierSize(bits);
}

struct PaillierPublicKey::Numbers {
  PaillierSize size;
  Bytes wire;
  Bignum n = number();
  Bignum n_squared = number();
  Bignum g = number();  ///< h^n mod n^2.
  Montgomery mont;      ///< Of n^2.

  Numbers(const BIGNUM* modulus, const BIGNUM* h, PaillierSize of_size) : size(of_size) {
    const BignumContext context = scratch();
    must(BN_copy(n.get(), modulus) != nullptr && BN_sqr(n_squared.get(), modulus, context.get()) == 1,
         kArithmetic);
    mont = montgomery(n_squared.get(), context.get());
    must(BN_mod_exp_mont(g.get(), h, modulus, n_squared.get(), context.get(), mont.get()) == 1, kArithmetic);
    wire.resize(size.public_key_bytes());
    write(std::span(wire).first(size.plaintext_bytes()), modulus);
    write(std::span(wire).last(size.plaintext_bytes()), h);
  }

  bool in_range(const BIGNUM* c) const {
    return !BN_is_zero(c) && !BN_is_one(c) && BN_cmp(c, n_squared.get()) < 0;
  }

  /// Why `bytes` are not `count` ciphertexts; nothing when they are. One inverse is asked for, of the product of all.
  std::optional<Error> fault_of(ByteView bytes, std::size_t count, BN_CTX* context) const {
    const std::size_t each = size.ciphertext_bytes();
    if (bytes.empty() || bytes.size() != count * each) {
      return Error{"ciphertexts have " + std::to_string(bytes.size()) + " bytes instead of " +
                   std::to_string(count * each)};
    }
    const Bignum value = number();
    const Bignum product = number();
    must(BN_one(product.get()) == 1, kArithmetic);
    for (; !bytes.empty(); bytes = bytes.subspan(each)) {
      read(value.get(), bytes.first(each));
      if (!in_range(value.get())) {
        return Error{"a ciphertext is not a number between 1 and n^2"};
      }
      must(BN_mod_mul_montgomery(product.get(), product.get(), value.get(), mont.get(), context) == 1,
           kArithmetic);
    }
    if (!coprime(product.get(), n.get(), context)) {
      return Error{"a ciphertext shares a factor with the modulus"};
    }
    return std::nullopt;
  }
};

namespace {

constexpr unsigned kSmallFactor = 1u << 16;

/// The product of all odd primes below kSmallFactor: one inverse asks for all of them.
Bignum product_of_small_primes() {
  std::vector<bool> composite(kSmallFactor);
  Bignum product = number();
  must(BN_one(product.get()) == 1, kArithmetic);
  for (std::size_t prime = 3; prime < kSmallFactor; prime += 2) {
    if (composite[prime]) {
      continue;
    }
    must(BN_mul_word(product.get(), prime) == 1, kArithmetic);
    for (std::size_t multiple = prime * prime; multiple < kSmallFactor; multiple += 2 * prime) {
      composite[multiple] = true;
    }
  }
  return product;
}

/// Why n cannot be a modulus; empty when it can.
std::string fault_of_modulus(const BIGNUM* n, PaillierSize size, BN_CTX* context) {
  if (BN_num_bits(n) != static_cast<int>(size.bits())) {
    return "its modulus has " + std::to_string(BN_num_bits(n)) + " bits instead of " +
           std::to_string(size.bits());
  }
  if (!BN_is_odd(n)) {
    return "its modulus is even";
  }
  static const Bignum small_primes = product_of_small_primes();
  if (!coprime(small_primes.get(), n, context)) {
    return "its modulus has a factor below " + std::to_string(kSmallFactor);
  }
  if (BN_check_prime(n, context, nullptr) != 0) {
    return "its modulus is prime";
  }
  return {};
}

std::string fault_of_generator(const BIGNUM* h, const BIGNUM* n, BN_CTX* context) {
  const Bignum last = number();
  must(BN_sub(last.get(), n, BN_value_one()) == 1, kArithmetic);
  if (BN_is_zero(h) || BN_is_one(h) || BN_cmp(h, last.get()) >= 0) {
    return "its generator generates nothing";
  }
  if (!coprime(h, n, context) || BN_kronecker(h, n, context) != 1) {
    return "its generator is no generator modulo n";
  }
  return {};
}

}  // namespace

Result<PaillierPublicKey> PaillierPublicKey::from_wire(ByteView bytes, PaillierSize size) {
  if (bytes.size() != size.public_key_bytes()) {
    return Error{"a Paillier key of " + std::to_string(size.bits()) + " bits has " +
                 std::to_string(size.public_key_bytes()) + " bytes, not " + std::to_string(bytes.size())};
  }
  const BignumContext context = scratch();
  const Bignum n = number();
  const Bignum h = number();
  read(n.get(), bytes.first(size.plaintext_bytes()));
  read(h.get(), bytes.last(size.plaintext_bytes()));
  std::string fault = fault_of_modulus(n.get(), size, context.get());
  if (fault.empty()) {
    fault = fault_of_generator(h.get(), n.get(), context.get());
  }
  if (!fault.empty()) {
    return Error{"a Paillier key is refused: " + fault};
  }
  return PaillierPublicKey(std::make_shared<const Numbers>(n.get(), h.get(), size));
}

const Bytes& PaillierPublicKey::wire() const {
  return numbers_->wire;
}
PaillierSize PaillierPublicKey::size() const {
  return numbers_->size;
}

// --- encryption ---

namespace {

constexpr std::size_t kDigitBits = 6;
constexpr std::size_t kDigits = (kPaillierExponentBits + kDigitBits - 1) / kDigitBits;
constexpr std::size_t kRowLength = std::size_t{1} << kDigitBits;

/// All ones when a == b, else zero, and no compiler knows which.
std::uint64_t mask_if_equal(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t difference = a ^ b;
  std::uint64_t mask = ((difference | (0 - difference)) >> 63) - 1;
  asm volatile("" : "+r"(mask));
  return mask;
}

/// The digits of kDigitBits bits of a little-endian number.
std::array<std::uint64_t, kDigits> digits_of(ByteView exponent) {
  std::array<std::uint64_t, kDigits> digits{};
  for (std::size_t bit = 0; bit < kPaillierExponentBits; ++bit) {
    const std::uint64_t value = (std::to_integer<std::uint64_t>(exponent[bit / 8]) >> bit % 8) & 1;
    digits[bit / kDigitBits] |= value << bit % kDigitBits;
  }
  return digits;
}

}  // namespace

struct PaillierEncryptor::Table {
  PaillierPublicKey key;
  std::size_t words;                   ///< Of one entry.
  std::vector<std::uint64_t> entries;  ///< kDigits rows of kRowLength numbers, in Montgomery form.

  explicit Table(PaillierPublicKey of_key)
      : key(std::move(of_key)), words(key.size().ciphertext_bytes() / sizeof(std::uint64_t)) {}

  const PaillierPublicKey::Numbers& numbers() const { return *key.numbers_; }
  std::span<std::uint64_t> entry(std::size_t row, std::size_t digit) {
    return std::span(entries).subspan((row * kRowLength + digit) * words, words);
  }

  void fill() {
    entries.resize(kDigits * kRowLength * words);
    const BignumContext context = scratch();
    BN_MONT_CTX* mont = numbers().mont.get();
    const Bignum base = number();
    const Bignum power = number();
    must(BN_to_montgomery(base.get(), numbers().g.get(), mont, context.get()) == 1, kArithmetic);
    for (std::size_t row = 0; row < kDigits; ++row) {
      must(BN_to_montgomery(power.get(), BN_value_one(), mont, context.get()) == 1, kArithmetic);
      for (std::size_t digit = 0; digit < kRowLength; ++digit) {
        write(std::as_writable_bytes(entry(row, digit)), power.get());
        must(BN_mod_mul_montgomery(power.get(), power.get(), base.get(), mont, context.get()) == 1,
             kArithmetic);
      }
      must(BN_copy(base.get(), power.get()) != nullptr, kArithmetic);  // To the power 2^kDigitBits.
    }
  }

  /// The entry of `digit`, without a trace of which one it is.
  void select(std::size_t row, std::uint64_t digit, std::span<std::uint64_t> out) const {
    std::ranges::fill(out, 0);
    const std::uint64_t* source = entries.data() + row * kRowLength * words;
    for (std::uint64_t candidate = 0; candidate < kRowLength; ++candidate, source += words) {
      const std::uint64_t mask = mask_if_equal(candidate, digit);
      for (std::size_t i = 0; i < words; ++i) {
        out[i] |= mask & source[i];
      }
    }
  }

  /// g^a for a fresh a, in Montgomery form.
  void fresh_power(BIGNUM* out, SecureRandom& random, BN_CTX* context) const {
    Secret<kPaillierExponentBits / 8> exponent;
    random.fill(exponent.expose_for_writing());
    auto digits = digits_of(exponent.expose());
    std::vector<std::uint64_t> chosen(words);
    const Bignum factor = secret_number();
    for (std::size_t row = 0; row < kDigits; ++row) {
      select(row, digits[row], chosen);
      BIGNUM* const taken = row == 0 ? out : factor.get();
      read(taken, std::as_bytes(std::span(chosen)));
      if (row > 0) {
        must(BN_mod_mul_montgomery(out, out, factor.get(), numbers().mont.get(), context) == 1, kArithmetic);
      }
    }
    wipe(std::as_writable_bytes(std::span(digits)));
    wipe(std::as_writable_bytes(std::span(chosen)));
  }
};

PaillierEncryptor::PaillierEncryptor(const PaillierPublicKey& key) : table_(std::make_unique<Table>(key)) {
  table_->fill();
}
PaillierEncryptor::~PaillierEncryptor() = default;
PaillierEncryptor::PaillierEncryptor(PaillierEncryptor&&) noexcept = default;
PaillierEncryptor& PaillierEncryptor::operator=(PaillierEncryptor&&) noexcept = default;

const PaillierPublicKey& PaillierEncryptor::key() const {
  return table_->key;
}

void PaillierEncryptor::encrypt(ByteView plaintext, SecureRandom& random,
                                std::span<std::byte> ciphertext) const {
  const PaillierPublicKey::Numbers& numbers = table_->numbers();
  check(plaintext.size() == numbers.size.plaintext_bytes() &&
            ciphertext.size() == numbers.size.ciphertext_bytes(),
        "plaintexts and ciphertexts have their sizes");
  const BignumContext context = scratch();
  const Bignum message = secret_number();
  const Bignum power = secret_number();
  read(message.get(), plaintext);
  check(BN_cmp(message.get(), numbers.n.get()) < 0, "a plaintext is below the modulus");
  must(BN_mul(message.get(), message.get(), numbers.n.get(), context.get()) == 1 &&
           BN_add_word(message.get(), 1) == 1,
       kArithmetic);
  table_->fresh_power(power.get(), random, context.get());
  // One factor in Montgomery form, one not: the product is not.
  must(BN_mod_mul_montgomery(message.get(), power.get(), message.get(), numbers.mont.get(), context.get()) ==
           1,
       kArithmetic);
  write(ciphertext, message.get());
}

void PaillierEncryptor::rerandomise(std::span<std::byte> ciphertext, SecureRandom& random) const {
  const PaillierPublicKey::Numbers& numbers = table_->numbers();
  check(ciphertext.size() == numbers.size.ciphertext_bytes(), "ciphertexts have their size");
  const BignumContext context = scratch();
  const Bignum value = number();
  const Bignum power = secret_number();
  read(value.get(), ciphertext);
  // Ciphertexts that hostile merchants made for it may have the product one: the arbiter refuses what it opens to.
  check(!BN_is_zero(value.get()) && BN_cmp(value.get(), numbers.n_squared.get()) < 0,
        "what is re-randomised is below n^2");
  table_->fresh_power(power.get(), random, context.get());
  must(BN_mod_mul_montgomery(value.get(), power.get(), value.get(), numbers.mont.get(), context.get()) == 1,
       kArithmetic);
  write(ciphertext, value.get());
}

// --- sums ---

struct PaillierTotal::Running {
  PaillierPublicKey key;
  std::vector<Bignum> products;  ///< Each still to be multiplied by R^(added - 1), with R that of Montgomery.
  std::uint64_t added = 0;
};

PaillierTotal::PaillierTotal(const PaillierPublicKey& key, std::size_t count)
    : running_(std::make_unique<Running>(Running{key, {}, 0})) {
  check(count > 0, "a sum has ciphertexts");
  running_->products.resize(count);
}
PaillierTotal::~PaillierTotal() = default;
PaillierTotal::PaillierTotal(PaillierTotal&&) noexcept = default;
PaillierTotal& PaillierTotal::operator=(PaillierTotal&&) noexcept = default;

std::optional<Error> PaillierTotal::add(ByteView ciphertexts) {
  const PaillierPublicKey::Numbers& numbers = *running_->key.numbers_;
  const BignumContext context = scratch();
  if (auto fault = numbers.fault_of(ciphertexts, running_->products.size(), context.get())) {
    return fault;
  }
  const std::size_t size = numbers.size.ciphertext_bytes();
  const Bignum value = number();
  for (std::size_t i = 0; i < running_->products.size(); ++i) {
    Bignum& product = running_->products[i];
    read(value.get(), ciphertexts.subspan(i * size, size));
    if (!product) {
      product = number();
      must(BN_copy(product.get(), value.get()) != nullptr, kArithmetic);
    } else {
      must(BN_mod_mul_montgomery(product.get(), product.get(), value.get(), numbers.mont.get(),
                                 context.get()) == 1,
           kArithmetic);
    }
  }
  ++running_->added;
  return std::nullopt;
}

Bytes PaillierTotal::take(const PaillierEncryptor& encryptor, SecureRandom& random) const {
  const PaillierPublicKey::Numbers& numbers = *running_->key.numbers_;
  check(running_->added > 0, "a sum of ciphertexts has summands");
  check(encryptor.key().wire() == numbers.wire, "a sum is re-randomised under its own key");
  const BignumContext context = scratch();
  // Montgomery's form of R^(added - 1) undoes what the multiplications without it have left out.
  const Bignum radix = number();
  const Bignum times = number();
  const Bignum correction = number();
  must(BN_to_montgomery(radix.get(), BN_value_one(), numbers.mont.get(), context.get()) == 1 &&
           BN_set_word(times.get(), running_->added) == 1 &&
           BN_mod_exp_mont(correction.get(), radix.get(), times.get(), numbers.n_squared.get(), context.get(),
                           numbers.mont.get()) == 1,
       kArithmetic);
  const std::size_t size = numbers.size.ciphertext_bytes();
  Bytes sums(running_->products.size() * size);
  const Bignum sum = number();
  for (std::size_t i = 0; i < running_->products.size(); ++i) {
    must(BN_mod_mul_montgomery(sum.get(), running_->products[i].get(), correction.get(), numbers.mont.get(),
                               context.get()) == 1,
         kArithmetic);
    const auto place = std::span(sums).subspan(i * size, size);
    write(place, sum.get());
    encryptor.rerandomise(place, random);
  }
  return sums;
}

// --- private keys ---

namespace {

/// What decryption needs of one prime.
struct PrimePart {
  Bignum prime = secret_number();
  Bignum square = secret_number();
  Bignum exponent = secret_number();        ///< prime - 1.
  Bignum inverse = secret_number();         ///< (-n / prime)^-1 mod prime.
  Bignum before = secret_number();          ///< The product of the primes before this one.
  Bignum before_inverse = secret_number();  ///< before^-1 mod prime.
  Montgomery mont;                          ///< Of the square.

  void complete(const BIGNUM* n, BN_CTX* context) {
    const Bignum others = secret_number();
    must(BN_sqr(square.get(), prime.get(), context) == 1 &&
             BN_sub(exponent.get(), prime.get(), BN_value_one()) == 1 &&
             BN_div(others.get(), nullptr, n, prime.get(), context) == 1 &&
             BN_mod_inverse(inverse.get(), others.get(), prime.get(), context) != nullptr &&
             BN_sub(inverse.get(), prime.get(), inverse.get()) == 1 &&
             BN_mod_inverse(before_inverse.get(), before.get(), prime.get(), context) != nullptr,
         kArithmetic);
    mont = montgomery(square.get(), context);
  }

  /// m mod prime.
  void decrypt(BIGNUM* out, const BIGNUM* ciphertext, BN_CTX* context) const {
    const Bignum residue = secret_number();
    const Bignum quotient = secret_number();
    must(BN_nnmod(residue.get(), ciphertext, square.get(), context) == 1 &&
             BN_mod_exp_mont_consttime(residue.get(), residue.get(), exponent.get(), square.get(), context,
                                       mont.get()) == 1 &&
             BN_sub_word(residue.get(), 1) == 1 &&
             BN_div(quotient.get(), nullptr, residue.get(), prime.get(), context) == 1 &&
             BN_mod_mul(out, quotient.get(), inverse.get(), prime.get(), context) == 1,
         kArithmetic);
  }

  /// Turns m modulo the primes before this one into m modulo their product with this one (Garner 1959):
  /// m += before ((m mod prime - m) before^-1 mod prime).
  void extend(BIGNUM* m, const BIGNUM* ciphertext, BN_CTX* context) const {
    const Bignum residue = secret_number();
    decrypt(residue.get(), ciphertext, context);
    must(BN_mod_sub(residue.get(), residue.get(), m, prime.get(), context) == 1 &&
             BN_mod_mul(residue.get(), residue.get(), before_inverse.get(), prime.get(), context) == 1 &&
             BN_mul(residue.get(), residue.get(), before.get(), context) == 1 &&
             BN_add(m, m, residue.get()) == 1,
         kArithmetic);
  }
};

using PrimeParts = std::array<PrimePart, kPaillierPrimes>;

/// Lengths that add up to that of n and differ by one bit at most.
std::size_t prime_bits(PaillierSize size, std::size_t which) {
  return size.bits() / kPaillierPrimes + (which < size.bits() % kPaillierPrimes ? 1 : 0);
}

/// A random prime that is 3 mod 4 and has its three highest bits set, so that three of them make a full product:
/// (7/8)^3 > 1/2.
void draw_prime(BIGNUM* out, std::size_t bits, SecureRandom& random, BN_CTX* context) {
  Bytes candidate((bits + 7) / 8);
  int prime = 0;
  while (prime == 0) {
    random.fill(candidate);
    read(out, candidate);
    const int top = static_cast<int>(bits) - 1;
    // BN_mask_bits() refuses a number that is shorter already.
    (void)BN_mask_bits(out, static_cast<int>(bits));
    for (const int bit : {0, 1, top - 2, top - 1, top}) {
      must(BN_set_bit(out, bit) == 1, kArithmetic);
    }
    prime = BN_check_prime(out, context, nullptr);
    must(prime >= 0, kArithmetic);
  }
  wipe(candidate);
}

/// Different, far from each other, and p - 1 and q - 1 without more in common than p = q = 3 mod 4 gives.
bool fit_together(const BIGNUM* p, const BIGNUM* q, BN_CTX* context) {
  const Bignum difference = secret_number();
  const Bignum p_less = secret_number();
  const Bignum q_less = secret_number();
  const Bignum divisor = secret_number();
  must(BN_sub(difference.get(), p, q) == 1 && BN_sub(p_less.get(), p, BN_value_one()) == 1 &&
           BN_sub(q_less.get(), q, BN_value_one()) == 1 &&
           BN_gcd(divisor.get(), p_less.get(), q_less.get(), context) == 1,
       kArithmetic);
  const int bits = BN_num_bits(p);
  return BN_is_word(divisor.get(), 2) && BN_num_bits(difference.get()) >= bits - std::min(100, bits / 4);
}

/// gcd(n, phi(n)) = 1, without which nothing decrypts: no prime divides another less one.
bool decrypts(const PrimeParts& parts, const BIGNUM* n, BN_CTX* context) {
  const Bignum order = secret_number();
  const Bignum less = secret_number();
  const Bignum divisor = secret_number();
  must(BN_one(order.get()) == 1, kArithmetic);
  for (const PrimePart& part : parts) {
    must(BN_sub(less.get(), part.prime.get(), BN_value_one()) == 1 &&
             BN_mul(order.get(), order.get(), less.get(), context) == 1,
         kArithmetic);
  }
  must(BN_gcd(divisor.get(), n, order.get(), context) == 1, kArithmetic);
  return BN_is_one(divisor.get());
}

/// Each prime is drawn until it fits to those before it. Leaves their product in `n`.
void draw_primes(PrimeParts& parts, BIGNUM* n, PaillierSize size, SecureRandom& random, BN_CTX* context) {
  must(BN_one(n) == 1, kArithmetic);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    BIGNUM* const prime = parts[i].prime.get();
    const auto fits = [&](const PrimePart& other) { return fit_together(other.prime.get(), prime, context); };
    do {
      draw_prime(prime, prime_bits(size, i), random, context);
    } while (!std::all_of(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i), fits));
    must(BN_copy(parts[i].before.get(), n) != nullptr && BN_mul(n, n, prime, context) == 1, kArithmetic);
  }
}

/// h = x^2 mod n for a random x coprime to n.
Bignum draw_generator(const BIGNUM* n, std::size_t size, SecureRandom& random, BN_CTX* context) {
  Bignum h = number();
  Bytes bytes(size + 16);  // So much longer than n that the remainder is uniform.
  do {
    random.fill(bytes);
    read(h.get(), bytes);
    must(BN_mod_sqr(h.get(), h.get(), n, context) == 1, kArithmetic);
  } while (!fault_of_generator(h.get(), n, context).empty());
  wipe(bytes);
  return h;
}

}  // namespace

struct PaillierPrivateKey::Secrets {
  PrimeParts parts;
  std::optional<PaillierPublicKey> public_key;
};

PaillierPrivateKey::PaillierPrivateKey(std::unique_ptr<Secrets> secrets) : secrets_(std::move(secrets)) {}
PaillierPrivateKey::~PaillierPrivateKey() = default;
PaillierPrivateKey::PaillierPrivateKey(PaillierPrivateKey&&) noexcept = default;
PaillierPrivateKey& PaillierPrivateKey::operator=(PaillierPrivateKey&&) noexcept = default;

PaillierPrivateKey PaillierPrivateKey::generate(PaillierSize size, SecureRandom& random) {
  const BignumContext context = scratch();
  auto secrets = std::make_unique<Secrets>();
  const Bignum n = number();
  do {
    draw_primes(secrets->parts, n.get(), size, random, context.get());
  } while (!decrypts(secrets->parts, n.get(), context.get()));
  for (PrimePart& part : secrets->parts) {
    part.complete(n.get(), context.get());
  }
  const Bignum h = draw_generator(n.get(), size.plaintext_bytes(), random, context.get());
  secrets->public_key =
      PaillierPublicKey(std::make_shared<const PaillierPublicKey::Numbers>(n.get(), h.get(), size));
  return PaillierPrivateKey(std::move(secrets));
}

const PaillierPublicKey& PaillierPrivateKey::public_key() const {
  return *secrets_->public_key;
}

Result<Bytes> PaillierPrivateKey::decrypt(ByteView ciphertexts, std::size_t count) const {
  const PaillierPublicKey::Numbers& numbers = *public_key().numbers_;
  const BignumContext context = scratch();
  if (auto fault = numbers.fault_of(ciphertexts, count, context.get())) {
    return *fault;
  }
  const std::size_t size = numbers.size.ciphertext_bytes();
  const std::size_t plain = numbers.size.plaintext_bytes();
  const Bignum value = number();
  const Bignum plaintext = secret_number();
  Bytes plaintexts(count * plain);
  for (std::size_t i = 0; i < count; ++i) {
    read(value.get(), ciphertexts.subspan(i * size, size));
    BN_zero(plaintext.get());
    for (const PrimePart& part : secrets_->parts) {
      part.extend(plaintext.get(), value.get(), context.get());
    }
    write(std::span(plaintexts).subspan(i * plain, plain), plaintext.get());
  }
  return plaintexts;
}

}  // namespace hanse
