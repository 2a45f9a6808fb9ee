// Signing, verifying, agreeing on a key and reading a ledger's line are functions: asked again they give the same answer, at
// a tenth of a millisecond each. A test that runs a hundred thousand federations from few seeds asks most of it a hundred
// times. Linked with --wrap for the four (tests/coordinator/CMakeLists.txt), a program asks the product's own function once
// and remembers.

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "privacy/crypto/signature.h"
#include "privacy/crypto/x25519.h"
#include "privacy/ledger/record.h"

#define HANSE_VERIFY \
  "_ZN5hanse6verifyERKSt5arrayISt4byteLm32EESt4spanIKS1_Lm18446744073709551615EERKS0_IS1_Lm64EE"
#define HANSE_SIGN "_ZNK5hanse10SigningKey4signESt4spanIKSt4byteLm18446744073709551615EE"
#define HANSE_DECODE "_ZN5hanse13decode_recordESt17basic_string_viewIcSt11char_traitsIcEE"
#define HANSE_AGREE "_ZNK5hanse9X25519Key5agreeERKSt5arrayISt4byteLm32EE"

namespace hanse {

bool real_verify(const PublicKey& key, ByteView message,
                 const Signature& signature) asm("__real_" HANSE_VERIFY);
bool remembered_verify(const PublicKey& key, ByteView message,
                       const Signature& signature) asm("__wrap_" HANSE_VERIFY);
Signature real_sign(const SigningKey* key, ByteView message) asm("__real_" HANSE_SIGN);
Signature remembered_sign(const SigningKey* key, ByteView message) asm("__wrap_" HANSE_SIGN);
Result<Secret<32>> real_agree(const X25519Key* key, const PublicPoint& peer) asm("__real_" HANSE_AGREE);
Result<Secret<32>> remembered_agree(const X25519Key* key, const PublicPoint& peer) asm("__wrap_" HANSE_AGREE);
Result<Record> real_decode(std::string_view line) asm("__real_" HANSE_DECODE);
Result<Record> remembered_decode(std::string_view line) asm("__wrap_" HANSE_DECODE);

namespace {

constexpr std::size_t kRememberedMax = 50'000;

std::string question(std::initializer_list<ByteView> parts) {
  std::string text;
  for (const ByteView part : parts) {
    text.append(reinterpret_cast<const char*>(part.data()), part.size());
  }
  return text;
}

/// The answer to `asked`, from `remembered` or from `ask`.
template <class Answer, class Ask>
Answer answer(std::unordered_map<std::string, Answer>& remembered, std::string asked, Ask ask) {
  const auto known = remembered.find(asked);
  if (known != remembered.end()) {
    return known->second;
  }
  if (remembered.size() >= kRememberedMax) {
    remembered.clear();
  }
  return remembered.emplace(std::move(asked), ask()).first->second;
}

}  // namespace

bool remembered_verify(const PublicKey& key, ByteView message, const Signature& signature) {
  static thread_local std::unordered_map<std::string, bool> remembered;
  return answer(remembered, question({key, signature, message}),
                [&] { return real_verify(key, message, signature); });
}

Result<Record> remembered_decode(std::string_view line) {
  static thread_local std::unordered_map<std::string, Result<Record>> remembered;
  return answer(remembered, std::string(line), [&] { return real_decode(line); });
}

Signature remembered_sign(const SigningKey* key, ByteView message) {
  static thread_local std::unordered_map<std::string, Signature> remembered;
  return answer(remembered, question({key->public_key(), message}), [&] { return real_sign(key, message); });
}

Result<Secret<32>> remembered_agree(const X25519Key* key, const PublicPoint& peer) {
  static thread_local std::unordered_map<std::string, PublicPoint> remembered;  // Those that are agreed on.
  std::string asked = question({key->public_key(), peer});
  if (!remembered.contains(asked)) {
    Result<Secret<32>> agreed = real_agree(key, peer);
    if (!agreed) {
      return agreed;
    }
    PublicPoint bytes{};
    std::ranges::copy(agreed->expose(), bytes.begin());
    (void)answer(remembered, asked, [&] { return bytes; });
  }
  Secret<32> secret;
  std::ranges::copy(remembered.at(asked), secret.expose_for_writing().begin());
  return secret;
}

}  // namespace hanse
