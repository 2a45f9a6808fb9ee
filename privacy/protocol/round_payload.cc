#include "privacy/protocol/round_payload.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

namespace hanse {
namespace {

constexpr std::uint32_t kVersion = 1;
/// No model in use comes near it, and products of a few such numbers stay finite: a model made to overflow where the data
/// has a certain shape is refused.
constexpr double kParameterMax = 1e30;

void put_model(ByteWriter& writer, const Model& model) {
  writer.put(model.step).put(std::uint64_t{model.parameters.size()});
  writer.put_bytes(std::as_bytes(std::span(model.parameters)));
}

Result<Model> get_model(ByteReader& reader) {
  Model model;
  model.step = reader.get<std::uint64_t>();
  const auto count = reader.get<std::uint64_t>();
  if (reader.failed() || count > reader.remaining() / sizeof(double)) {
    return Error{"a model is cut short"};
  }
  const ByteView bytes = reader.get_bytes(count * sizeof(double));
  model.parameters.resize(count);
  if (count > 0) {
    std::memcpy(model.parameters.data(), bytes.data(), bytes.size());
  }
  if (!std::ranges::all_of(model.parameters, [](double value) { return std::abs(value) <= kParameterMax; })) {
    return Error{"a model holds a parameter that is not finite, or beyond 10^30"};
  }
  return model;
}

}  // namespace

Bytes encode(const RoundPayload& payload) {
  ByteWriter writer;
  writer.put(kVersion).put(static_cast<std::uint32_t>(payload.ledger_lines.size()));
  for (const std::string& line : payload.ledger_lines) {
    writer.put(std::uint64_t{line.size()}).put_bytes(bytes_of(line));
  }
  put_model(writer, payload.preparation);
  put_model(writer, payload.model);
  return writer.take();
}

Result<RoundPayload> decode_round_payload(ByteView bytes) {
  ByteReader reader(bytes);
  RoundPayload payload;
  if (reader.get<std::uint32_t>() != kVersion) {
    return Error{"a round's payload has an unknown version"};
  }
  for (std::uint32_t lines = reader.get<std::uint32_t>(); lines > 0 && !reader.failed(); --lines) {
    payload.ledger_lines.push_back(text_of(reader.get_bytes(reader.get<std::uint64_t>())));
  }
  for (Model* model : {&payload.preparation, &payload.model}) {
    Result<Model> read = get_model(reader);
    if (!read) {
      return read.error();
    }
    *model = *std::move(read);
  }
  if (!reader.finished()) {
    return Error{"a round's payload has missing or surplus bytes"};
  }
  return payload;
}

Digest digest_of(const Model& preparation, const Model& model) {
  ByteWriter writer;
  put_model(writer, preparation);
  put_model(writer, model);
  return sha256(writer.bytes());
}

}  // namespace hanse
