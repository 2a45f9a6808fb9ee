#include "privacy/protocol/context.h"

#include "privacy/protocol/wire.h"

namespace hanse {

namespace {
/// 2^40 entries are 4 TiB: far beyond any model, far below any overflow of sizes.
constexpr std::uint64_t kLengthMax = std::uint64_t{1} << 40;
}  // namespace

void write_parameters(ByteWriter& writer, const SumParameters& parameters) {
  writer.put(parameters.length)
      .put(parameters.clip_norm)
      .put(parameters.grid_bits)
      .put(static_cast<std::uint8_t>(parameters.ring))
      .put(parameters.units_max)
      .put(parameters.share_variance)
      .put(parameters.shares_min)
      .put(parameters.merchants_max)
      .put(parameters.merchants_per_unit)
      .put(parameters.gain);
}

SumParameters read_parameters(ByteReader& reader) {
  SumParameters parameters;
  parameters.length = reader.get<std::uint64_t>();
  parameters.clip_norm = reader.get<double>();
  parameters.grid_bits = reader.get<std::uint32_t>();
  const auto ring = reader.get<std::uint8_t>();
  parameters.units_max = reader.get<std::uint64_t>();
  parameters.share_variance = reader.get<std::uint64_t>();
  parameters.shares_min = reader.get<std::uint32_t>();
  parameters.merchants_max = reader.get<std::uint32_t>();
  parameters.merchants_per_unit = reader.get<std::uint32_t>();
  parameters.gain = reader.get<std::uint32_t>();
  parameters.ring = ring == 32 ? Ring::bits32 : Ring::bits64;
  if ((ring != 32 && ring != 64) || parameters.length == 0 || parameters.length > kLengthMax ||
      !is_clip_norm(parameters.clip_norm) || parameters.grid_bits > 62 || parameters.merchants_max == 0 ||
      parameters.merchants_max > kMerchantsMax || parameters.shares_min > parameters.merchants_max ||
      parameters.merchants_per_unit == 0 || parameters.merchants_per_unit > kMerchantsMax ||
      parameters.gain == 0) {
    reject(reader);
  }
  return parameters;
}

Digest digest_of(const RoundContext& context) {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse/1 round context"))
      .put_bytes(context.session)
      .put(context.round)
      .put_bytes(context.payload);
  write_parameters(writer, context.parameters);
  context.participants.write(writer);
  return sha256(writer.bytes());
}

}  // namespace hanse
