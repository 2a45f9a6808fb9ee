#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/secure_random.h"

namespace hanse {

/// Paillier's additively homomorphic encryption (Eurocrypt 1999) in the manner of Damgard, Jurik and Nielsen
/// (Int. J. Inf. Secur. 9, 2010), with three primes. With n = p q r, each prime 3 mod 4 and gcd(p - 1, q - 1) = 2 for
/// each two of them:
///
///   public     n, and h = x^2 mod n for a random x; everyone derives g = h^n mod n^2
///   encrypt    c = (1 + m n) g^a mod n^2      for 0 <= m < n and a fresh a of kPaillierExponentBits bits
///   add        c1 c2 mod n^2                  encrypts m1 + m2 mod n
///   decrypt    m = L(c^(p-1) mod p^2) (-n/p)^-1 mod p with L(u) = (u - 1) / p, the same mod q and mod r, and the
///              remainder theorem
///
/// g generates the squares among the n-th residues, a cyclic group of odd order. With a uniform exponent a ciphertext
/// hides its plaintext under Paillier's own assumption (decisional composite residuosity) squared on both sides: squaring
/// a random residue or a random number gives one of these squares or a random square. That g^a with a short a looks like
/// one with a long a is what the variant assumes beyond that.
///
/// Why three primes: an exponentiation modulo p^2 costs the cube of its length, so that three of a third take less than
/// half the time of two of a half. n alone is public, and nothing else knows how many primes it has. Two methods
/// factor it: the number field sieve, whose cost is that of n's length, and elliptic curves, whose cost is that of the
/// smallest prime's. By their asymptotic exponents, without their o(1), the sieve takes about 2^139 steps for 3072 bits
/// and curves 2^139 multiplications modulo n for a prime of 1024; at 4096 bits 2^156 and 2^164. Hinek (On the security
/// of multi-prime RSA, J. Math. Cryptol. 2, 2008) finds three primes safe from 1024 bits on and four from 4096, and so
/// does OpenSSL's own limit for RSA of several primes (RFC 8017, 3.2). The largest prime found by curves so
/// far has 274 bits (Propper 2013). What it rests on beyond two primes is that nothing better than curves makes use of a
/// factor's being a third as long as n instead of half. Counted the same
/// way, curves would be the cheaper attack at 2048 bits (2^110 to 2^117).
///
/// Numbers travel as little-endian bytes of fixed size. Exponentiations with secret exponents, and look-ups by
/// them, take the same time and touch the same memory whatever the exponent.

/// Factors of a modulus, of equal length to within a bit.
inline constexpr std::size_t kPaillierPrimes = 3;

/// Length of a fresh exponent: twice the 128 bits of strength that a discrete logarithm in an interval needs, and a
/// margin.
inline constexpr std::size_t kPaillierExponentBits = 448;

/// Length of a modulus. A program gets only those that count as safe.
class PaillierSize {
 public:
  /// 3072 (about 128 bits of strength) or 4096; nothing for any other length.
  static std::optional<PaillierSize> of(std::uint32_t bits);
  /// Any even number of bytes: keys to break at leisure, made in no time. No program calls it.
  static PaillierSize for_tests(std::uint32_t bits);

  std::uint32_t bits() const { return bits_; }
  std::size_t plaintext_bytes() const { return bits_ / 8; }
  std::size_t ciphertext_bytes() const { return bits_ / 4; }
  /// n and h.
  std::size_t public_key_bytes() const { return bits_ / 4; }

  friend bool operator==(const PaillierSize&, const PaillierSize&) = default;

 private:
  explicit PaillierSize(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_;
};

/// n and h, checked. Cheap to copy.
class PaillierPublicKey {
 public:
  /// Takes `bytes` of n, then h, from a peer. Refuses a wrong length, an n that has not all its bits, is even, prime
  /// or has a factor below 2^16, and an h that generates nothing: 1, -1, not coprime to n, of Jacobi symbol -1. That
  /// n has three large factors, only its owner can know.
  static Result<PaillierPublicKey> from_wire(ByteView bytes, PaillierSize size);
  const Bytes& wire() const;
  PaillierSize size() const;

 private:
  friend class PaillierPrivateKey;
  friend class PaillierEncryptor;
  friend class PaillierTotal;
  struct Numbers;
  explicit PaillierPublicKey(std::shared_ptr<const Numbers> numbers) : numbers_(std::move(numbers)) {}
  std::shared_ptr<const Numbers> numbers_;
};

/// Encrypts under one key with a table of powers of g: row i holds g^(d 2^(w i)) for each digit d of w bits, so that an
/// encryption is one multiplication a row. Each row is read from end to end and the wanted entry kept by masks: which one it
/// is shows in no address. 3.7 MB for 3072 bits, made in some 60 ms; once a session.
class PaillierEncryptor {
 public:
  explicit PaillierEncryptor(const PaillierPublicKey& key);
  ~PaillierEncryptor();
  PaillierEncryptor(PaillierEncryptor&&) noexcept;
  PaillierEncryptor& operator=(PaillierEncryptor&&) noexcept;

  const PaillierPublicKey& key() const;
  /// Encrypts a plaintext of size().plaintext_bytes() bytes below n into size().ciphertext_bytes() bytes.
  void encrypt(ByteView plaintext, SecureRandom& random, std::span<std::byte> ciphertext) const;
  /// Multiplies by a fresh encryption of zero: nobody can tell which ciphertexts this one came from.
  void rerandomise(std::span<std::byte> ciphertext, SecureRandom& random) const;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

/// A running sum of vectors of ciphertexts: their products, entry by entry. One Montgomery multiplication for each
/// entry that is added, and one for the check.
class PaillierTotal {
 public:
  PaillierTotal(const PaillierPublicKey& key, std::size_t count);
  ~PaillierTotal();
  PaillierTotal(PaillierTotal&&) noexcept;
  PaillierTotal& operator=(PaillierTotal&&) noexcept;

  /// Adds `count` ciphertexts, one after the other in `bytes`. Refused as a whole, with nothing added: a wrong
  /// length, a number outside (1, n^2), one not coprime to n.
  std::optional<Error> add(ByteView ciphertexts);
  /// The sum as ciphertexts, each re-randomised. At least one vector must have been added.
  Bytes take(const PaillierEncryptor& encryptor, SecureRandom& random) const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

/// The primes: wiped when it dies, never copied, never printed; it has no wire form and no file.
class PaillierPrivateKey {
 public:
  /// Draws the primes from `random` and tests them to an error below 2^-128. One that equals another, is near it, or
  /// shares more than a 2 in p - 1 is drawn anew; gcd(n, (p-1)(q-1)(r-1)) = 1 is checked.
  static PaillierPrivateKey generate(PaillierSize size, SecureRandom& random);
  ~PaillierPrivateKey();
  PaillierPrivateKey(PaillierPrivateKey&&) noexcept;
  PaillierPrivateKey& operator=(PaillierPrivateKey&&) noexcept;

  const PaillierPublicKey& public_key() const;
  /// The plaintexts of `count` ciphertexts, one after the other. Refuses what PaillierTotal::add() refuses.
  Result<Bytes> decrypt(ByteView ciphertexts, std::size_t count) const;

 private:
  struct Secrets;
  explicit PaillierPrivateKey(std::unique_ptr<Secrets> secrets);
  std::unique_ptr<Secrets> secrets_;
};

}  // namespace hanse
