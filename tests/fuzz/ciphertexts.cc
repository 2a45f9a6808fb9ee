// Ciphertexts of merchants, as whoever adds them reads them. Small moduli: the checks are the same.

#include "privacy/crypto/paillier.h"
#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  constexpr std::size_t count = 2;
  static const PaillierPublicKey key = fuzz::fixed_paillier().public_key();
  PaillierTotal total(key, count);
  const bool refused = total.add(fuzz::input(data, size)).has_value();
  check(refused || size == count * key.size().ciphertext_bytes(), "ciphertexts have their length");
  return 0;
}
