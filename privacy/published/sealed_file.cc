#include "privacy/published/sealed_file.h"

#include <algorithm>

#include "common/base/bytes.h"
#include "common/base/failure.h"
#include "privacy/crypto/digest.h"

namespace hanse {
namespace {

std::string advice(std::string_view separator, const SealedFileKind& kind) {
  return kind.when_damaged.empty() ? "" : std::string(separator) + std::string(kind.when_damaged);
}

}  // namespace

std::string seal_file(const SealedFileKind& kind, std::string_view payload) {
  ByteWriter header;
  header.put_bytes(bytes_of(kind.magic)).put(kind.version).put(std::uint64_t{payload.size()});
  header.put_bytes(sha256(bytes_of(payload)));
  return text_of(header.bytes()) + std::string(payload);
}

std::string_view payload_of(const SealedFileKind& kind, std::string_view bytes, const std::string& origin) {
  const std::string name(kind.name);
  ByteReader reader(bytes_of(bytes));
  if (text_of(reader.get_bytes(kind.magic.size())) != kind.magic) {
    throw bad_input(origin + " is no " + name + " of Hanse");
  }
  const auto version = reader.get<std::uint32_t>();
  if (!reader.failed() && version != kind.version) {
    throw bad_input(origin + " has " + name + " format " + std::to_string(version) +
                    ", and this program reads format " + std::to_string(kind.version) + ": " +
                    std::string(kind.when_of_another_version));
  }
  const auto size = reader.get<std::uint64_t>();
  const ByteView digest = reader.get_bytes(32);
  if (reader.failed() || reader.remaining() != size) {
    throw bad_input(origin + " is torn" + advice(": ", kind));
  }
  const std::string_view payload = bytes.substr(kSealedHeader);
  const Digest actual = sha256(bytes_of(payload));
  if (!std::equal(actual.begin(), actual.end(), digest.begin())) {
    throw bad_input(origin + " was altered: its digest does not match" + advice("; ", kind));
  }
  return payload;
}

}  // namespace hanse
