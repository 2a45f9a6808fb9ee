// Ciphertexts of merchants as whoever adds them reads them, and the total as the key's holder does.

#include "privacy/crypto/paillier.h"
#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  constexpr std::size_t count = 2;
  static const PaillierPrivateKey key = fuzz::fixed_paillier();
  static const PaillierEncryptor encryptor(key.public_key());
  DeterministicSecureRandom random = fuzz::fixed_random();
  const ByteView bytes = fuzz::input(data, size);
  PaillierTotal total(key.public_key(), count);
  const bool added = !total.add(bytes);
  check(key.decrypt(bytes, count).ok() == added, "both ends refuse the same ciphertexts");
  if (added) {
    check(key.decrypt(total.take(encryptor, random), count).ok(), "a sum of good ciphertexts is one");
  }
  return 0;
}
