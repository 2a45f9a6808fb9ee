#include "privacy/encrypted_total.h"

#include <utility>

#include "privacy/crypto/secret.h"

namespace hanse {

Bytes encrypt_entries(std::span<const std::int64_t> entries, const SumParameters& parameters,
                      const PaillierEncryptor& encryptor, SecureRandom& random) {
  const PaillierSize size = encryptor.key().size();
  const Packing packing(parameters, size.bits());
  Bytes plaintexts = packing.pack(entries);
  Bytes ciphertexts(packing.plaintexts() * size.ciphertext_bytes());
  for (std::size_t i = 0; i < packing.plaintexts(); ++i) {
    encryptor.encrypt(ByteView(plaintexts).subspan(i * size.plaintext_bytes(), size.plaintext_bytes()),
                      random,
                      std::span(ciphertexts).subspan(i * size.ciphertext_bytes(), size.ciphertext_bytes()));
  }
  wipe(plaintexts);
  return ciphertexts;
}

std::size_t encrypted_size(const SumParameters& parameters, PaillierSize size) {
  return Packing(parameters, size.bits()).plaintexts() * size.ciphertext_bytes();
}

EncryptedTotal::EncryptedTotal(const SumParameters& parameters, const PaillierPublicKey& key)
    : total_(key, Packing(parameters, key.size().bits()).plaintexts()) {}

Result<OpenedSum> open_plaintexts(ByteView plaintexts, const SumParameters& parameters, PaillierSize size,
                                  std::vector<std::uint32_t> merchants) {
  auto sum = Packing(parameters, size.bits()).unpack(plaintexts);
  if (!sum) {
    return sum.error();
  }
  if (sum->merchants != merchants.size()) {
    return Error{"the canaries count " + std::to_string(sum->merchants) + " merchants where " +
                 std::to_string(merchants.size()) + " uploaded"};
  }
  return OpenedSum{std::move(sum->entries), std::move(merchants)};
}

}  // namespace hanse
