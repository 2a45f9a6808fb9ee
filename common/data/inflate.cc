#include "common/data/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace hanse {
namespace {

constexpr std::size_t kChunk = 1u << 20;
constexpr int kGzipOnly = 16 + MAX_WBITS;

}  // namespace

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

std::optional<std::string> inflated(std::string_view gzip, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
    return std::nullopt;
  }
  std::string out;
  std::string chunk(kChunk, '\0');
  int state = Z_OK;
  while (state == Z_OK && out.size() < most) {
    if (stream.avail_in == 0) {
      const std::size_t piece = std::min<std::size_t>(gzip.size(), std::numeric_limits<uInt>::max());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
      stream.avail_in = static_cast<uInt>(piece);
      gzip.remove_prefix(piece);
    }
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t written = chunk.size() - stream.avail_out;
    out.append(chunk, 0, std::min(written, most - out.size()));
    if (written == 0 && stream.avail_in == 0 && gzip.empty() && state != Z_STREAM_END) {
      state = Z_BUF_ERROR;  // It ends too early.
    }
  }
  const bool whole = state == Z_STREAM_END && stream.avail_in == 0 && gzip.empty();
  inflateEnd(&stream);
  return whole || (state == Z_OK && out.size() == most) ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace hanse
