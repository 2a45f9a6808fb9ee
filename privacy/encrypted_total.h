#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/secure_random.h"
#include "privacy/crypto/paillier.h"
#include "privacy/packing.h"
#include "privacy/pipeline.h"
#include "privacy/sum_parameters.h"

namespace hanse {

/// The way of a sum under the arbiter's key, after a merchant has sealed it:
///
///   SealedSum -> EncryptedTotal (coordinator) -> re-randomised ciphertexts -> arbiter -> plaintexts -> OpenedSum

/// Packs and encrypts entries; what it packs is wiped.
Bytes encrypt_entries(std::span<const std::int64_t> entries, const SumParameters& parameters,
                      const PaillierEncryptor& encryptor, SecureRandom& random);

/// Bytes of one merchant's ciphertexts, and of their sum.
std::size_t encrypted_size(const SumParameters& parameters, PaillierSize size);

/// The coordinator's running sum of what merchants encrypted: one vector of ciphertexts, whatever their number.
class EncryptedTotal {
 public:
  EncryptedTotal(const SumParameters& parameters, const PaillierPublicKey& key);
  /// An upload that is malformed is refused as a whole, and nothing is added.
  std::optional<Error> add(ByteView upload) { return total_.add(upload); }
  /// For the arbiter: re-randomised, so that it recognises no merchant's ciphertext, not even in a sum of one.
  Bytes take(const PaillierEncryptor& encryptor, SecureRandom& random) const {
    return total_.take(encryptor, random);
  }

 private:
  PaillierTotal total_;
};

/// Reads what the arbiter decrypted. Refuses what Packing::unpack() refuses, and canaries that do not count `merchants`.
Result<OpenedSum> open_plaintexts(ByteView plaintexts, const SumParameters& parameters, PaillierSize size,
                                  std::vector<std::uint32_t> merchants);

}  // namespace hanse
