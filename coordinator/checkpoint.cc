#include "coordinator/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <sstream>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/published/payload_archive.h"
#include "privacy/published/sealed_file.h"

namespace hanse {
namespace fs = std::filesystem;
namespace {

constexpr SealedFileKind kFile{.magic = "HANSECPT",
                               .version = kCheckpointVersion,
                               .name = "checkpoint",
                               .when_of_another_version = "continue with the Hanse that wrote it",
                               .when_damaged = ""};
constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".hanse";

void put(PayloadWriter& writer, const Model& model) {
  writer.put(model.step);
  writer.put(model.parameters);
  writer.put(model.server_state);
}

Model get_model(PayloadReader& reader) {
  Model model;
  model.step = reader.number();
  model.parameters = reader.reals();
  model.server_state = reader.reals();
  return model;
}

Digest get_digest(PayloadReader& reader) {
  const auto digest = digest_from_hex(reader.text());
  if (!digest) {
    throw bad_input("a digest that is none");
  }
  return *digest;
}

std::string encode_payload(const Checkpoint& checkpoint) {
  std::ostringstream stream(std::ios::binary);
  PayloadWriter writer(stream);
  writer.put(hex(checkpoint.configuration));
  writer.put(checkpoint.ledger_lines);
  writer.put(hex(checkpoint.ledger_tip));
  put(writer, checkpoint.preparation);
  put(writer, checkpoint.model);
  writer.put(checkpoint.sums);
  writer.put(checkpoint.training_rounds);
  writer.put(std::uint64_t{checkpoint.round_open});
  writer.put(std::uint64_t{checkpoint.figures.size()});
  for (const auto& [name, value] : checkpoint.figures) {
    writer.put(name);
    writer.put(value);
  }
  writer.put(checkpoint.evaluation);
  writer.put(std::uint64_t{checkpoint.included});
  writer.put(checkpoint.seconds);
  return stream.str();
}

Checkpoint decode_payload(std::string_view payload) {
  std::istringstream stream{std::string(payload), std::ios::binary};
  PayloadReader reader(stream, payload.size());
  Checkpoint checkpoint;
  checkpoint.configuration = get_digest(reader);
  checkpoint.ledger_lines = reader.number();
  checkpoint.ledger_tip = get_digest(reader);
  checkpoint.preparation = get_model(reader);
  checkpoint.model = get_model(reader);
  checkpoint.sums = reader.number();
  checkpoint.training_rounds = reader.number();
  checkpoint.round_open = reader.number() != 0;
  for (std::size_t left = reader.length(2 * sizeof(std::uint64_t)); left > 0; --left) {
    std::string name = reader.text();
    checkpoint.figures[std::move(name)] = reader.real();
  }
  checkpoint.evaluation = reader.reals();
  checkpoint.included = static_cast<std::uint32_t>(reader.number());
  checkpoint.seconds = reader.real();
  if (!reader.finished()) {
    throw bad_input("bytes after its end");
  }
  return checkpoint;
}

fs::path file_of(const fs::path& folder, std::uint64_t lines) {
  char name[64];
  std::snprintf(name, sizeof name, "%s%012llu%s", kPrefix.data(), static_cast<unsigned long long>(lines),
                kSuffix.data());
  return folder / name;
}

/// Newest first: names are of one length, and the ledger only grows.
std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.rbegin(), files.rend());
  return files;
}

/// Why a run with this ledger and configuration cannot go on from `checkpoint`, or an empty text.
std::string misfit(const Checkpoint& checkpoint, const LedgerState& ledger, const Digest& configuration) {
  if (checkpoint.configuration != configuration) {
    return "is of another configuration";
  }
  if (checkpoint.ledger_lines == 0 || checkpoint.ledger_lines > ledger.next_seq() ||
      ledger.line_hash(checkpoint.ledger_lines - 1) != checkpoint.ledger_tip) {
    return "does not follow from this run's ledger";
  }
  // Before the first intent no model is known, and any checkpoint is of the beginning.
  if (ledger.intents() > 0 && checkpoint.sums > 0 &&
      !ledger.knows_model(digest_of(checkpoint.preparation, checkpoint.model))) {
    return "holds a model that no release of this run's ledger made";
  }
  return {};
}

}  // namespace

std::string encode_checkpoint(const Checkpoint& checkpoint) {
  return seal_file(kFile, encode_payload(checkpoint));
}

Checkpoint decode_checkpoint(std::string_view bytes, const std::string& origin) {
  const std::string_view payload = payload_of(kFile, bytes, origin);
  try {
    return decode_payload(payload);
  } catch (const std::exception& exception) {
    throw bad_input(origin + " is malformed: " + exception.what());
  }
}

void write_checkpoint(const fs::path& folder, const Checkpoint& checkpoint) {
  make_folder_durably(folder);
  const fs::path written = file_of(folder, checkpoint.ledger_lines);
  write_durably(written, encode_checkpoint(checkpoint));
  std::size_t kept = 0;
  std::error_code error;
  for (const fs::path& file : checkpoints_in(folder)) {
    // A later one than this is of lines that the ledger no longer has, and was passed over.
    if (file > written || ++kept > kCheckpointsKept) {
      fs::remove(file, error);
    }
  }
}

std::optional<Checkpoint> newest_checkpoint(const fs::path& folder, const LedgerState& ledger,
                                            const Digest& configuration,
                                            std::vector<std::string>& passed_over) {
  for (const fs::path& file : checkpoints_in(folder)) {
    try {
      Checkpoint checkpoint = decode_checkpoint(read_file(file), file.string());
      const std::string why = misfit(checkpoint, ledger, configuration);
      if (why.empty()) {
        return checkpoint;
      }
      passed_over.push_back(file.string() + " " + why + ", and the one before it is tried");
    } catch (const Failure& failure) {
      passed_over.push_back(std::string(failure.what()) + ", and the one before it is tried");
    }
  }
  return std::nullopt;
}

}  // namespace hanse
