#include "privacy/protocol/arbiter_messages.h"

#include "privacy/protocol/context.h"
#include "privacy/protocol/wire.h"

namespace hanse {
namespace {

constexpr std::size_t kKeySizeMax = 1024;  ///< n and h of 4096 bits.

}  // namespace

Bytes ArbiterHello::signed_bytes(const Digest& parameters) const {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 arbiter"))
      .put_bytes(parameters)
      .put_bytes(identity)
      .put(static_cast<std::uint32_t>(key.size()))
      .put_bytes(key);
  return writer.take();
}

void ArbiterHello::write(ByteWriter& writer) const {
  writer.put_bytes(identity).put(static_cast<std::uint32_t>(key.size())).put_bytes(key).put_bytes(signature);
}

ArbiterHello ArbiterHello::read(ByteReader& reader) {
  ArbiterHello hello;
  hello.identity = get_array<32>(reader);
  const std::size_t size = get_count(reader, 1);
  if (size > kKeySizeMax) {
    reject(reader);
    return hello;
  }
  const ByteView key = reader.get_bytes(size);
  hello.key.assign(key.begin(), key.end());
  hello.signature = get_array<64>(reader);
  return hello;
}

void DecryptRequest::write(ByteWriter& writer) const {
  write_parameters(writer, parameters);
  writer.put_bytes(ciphertexts);
}

DecryptRequest DecryptRequest::read(ByteReader& reader) {
  DecryptRequest request;
  request.parameters = read_parameters(reader);
  request.ciphertexts = reader.get_bytes(reader.remaining());
  return request;
}

void Decrypted::write(ByteWriter& writer) const {
  writer.put_bytes(plaintexts);
}

Decrypted Decrypted::read(ByteReader& reader) {
  return {reader.get_bytes(reader.remaining())};
}

Result<PaillierPublicKey> verify_arbiter(const ArbiterHello& hello, const ArbiterRules& rules) {
  if (rules.pinned && hello.identity != *rules.pinned) {
    return Error{"the arbiter's identity is not the one in the roster of identities"};
  }
  if (rules.coordinator && hello.identity == *rules.coordinator) {
    return Error{"the arbiter has the coordinator's identity: who adds up must not be able to decrypt"};
  }
  if (!verify(hello.identity, hello.signed_bytes(rules.parameters.digest()), hello.signature)) {
    return Error{"the arbiter's signature of its key does not hold"};
  }
  return PaillierPublicKey::from_wire(hello.key, rules.size);
}

}  // namespace hanse
