// A public key of Paillier's encryption, as its holder sends it. Small moduli: the checks are the same.

#include <algorithm>

#include "privacy/crypto/paillier.h"
#include "tests/fuzz/fixtures.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  const ByteView bytes = fuzz::input(data, size);
  const auto key = PaillierPublicKey::from_wire(bytes, fuzz::small_paillier());
  if (key) {
    check(std::ranges::equal(key->wire(), bytes), "a public key has one encoding");
  }
  return 0;
}
