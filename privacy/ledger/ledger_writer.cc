#include "privacy/ledger/ledger_writer.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "common/base/failure.h"
#include "privacy/ledger/ledger_lines.h"

namespace hanse {
namespace {

std::filesystem::path with_folder(std::filesystem::path file) {
  make_folder_durably(file.parent_path());
  return file;
}

}  // namespace

std::string fresh_run_id(SecureRandom& random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  return hex(bytes);
}

LedgerWriter::LedgerWriter(std::filesystem::path file, SigningKey key)
    : key_(std::move(key)), state_(key_.public_key()), file_(with_folder(std::move(file))), log_(file_) {}

void LedgerWriter::note_line(std::string_view line) {
  ends_.push_back((ends_.empty() ? 0 : ends_.back()) + line.size() + 1);
  last_line_ = line;
}

std::vector<std::string> LedgerWriter::lines_from(std::uint64_t begin) const {
  std::vector<std::string> lines;
  if (begin + 1 == ends_.size()) {
    lines.push_back(last_line_);
  } else if (begin < ends_.size()) {
    std::ifstream stream(file_, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(begin == 0 ? 0 : ends_[begin - 1]));
    while (lines.size() < ends_.size() - begin && std::getline(stream, lines.emplace_back())) {
    }
    if (!stream || lines.back() != last_line_) {
      throw Failure(ExitCode::could_not_finish, "cannot read back " + file_.string());
    }
  }
  return lines;
}

LedgerWriter LedgerWriter::create(std::filesystem::path file, SigningKey key, Plan plan,
                                  std::optional<Digest> previous) {
  std::error_code none;
  if (std::filesystem::file_size(file, none) > 0 && !none) {
    throw bad_input(file.string() +
                    " is there already, and a run's ledger is never begun anew: choose another output.dir");
  }
  LedgerWriter writer(std::move(file), std::move(key));
  plan.coordinator = writer.key_.public_key();
  writer.write_payload(std::move(plan), previous.value_or(genesis_digest()));
  return writer;
}

LedgerWriter LedgerWriter::resume(std::filesystem::path file, SigningKey key) {
  const std::string content = read_file(file);
  const LedgerLines split = split_lines(content);
  if (!split.torn.empty()) {
    std::filesystem::resize_file(file, content.size() - split.torn.size());
  }
  const std::string name = file.string();
  LedgerWriter writer(std::move(file), std::move(key));
  if (!split.torn.empty()) {
    writer.repaired_ = name + ": the last line was cut short by a crash (" +
                       std::to_string(split.torn.size()) +
                       " bytes without an end) and is removed; nobody had been sent it";
  }
  for (const std::string_view line : split.lines) {
    if (const auto record = writer.state_.accept(line); !record) {
      throw Failure(ExitCode::refused, name + " does not hold, so the run cannot continue: " + record.what());
    }
    writer.note_line(line);
  }
  if (writer.ends_.empty()) {
    throw bad_input(name + " holds no complete record: start the run anew, without federation.resume");
  }
  return writer;
}

void LedgerWriter::recover(std::span<const std::string> lines) {
  for (const std::string& line : lines) {
    if (const auto record = state_.accept(line); !record) {
      throw Failure(
          ExitCode::refused,
          "a merchant's copy of the ledger is longer than the coordinator's, and does not continue it: " +
              record.what());
    }
    log_.append(line);
    note_line(line);
  }
}

std::string LedgerWriter::write_payload(Payload payload, const Digest& prev, Signatures how) {
  Record record{.seq = state_.next_seq(), .prev = prev, .payload = std::move(payload), .signature = {}};
  record.signature = key_.sign(bytes_of(signed_text(record)));
  std::string line = encode(record);
  if (const auto taken = state_.accept(line, how); !taken) {
    throw Failure(ExitCode::could_not_finish, "the ledger refuses its own coordinator: " + taken.what());
  }
  log_.append(line);
  note_line(line);
  return line;
}

std::string LedgerWriter::write(Intent intent) {
  // A clock set back must not end a run; the ledger's own time only goes forward.
  intent.unix_time = std::max(intent.unix_time, state_.unix_time());
  return write_payload(std::move(intent), state_.tip());
}

std::string LedgerWriter::write(Release release) {
  if (const auto& open = state_.open_intent()) {
    release.round = open->round;
    release.intent = state_.intent_line();
    if (release.status == Release::Status::aborted) {
      release.model = open->model;
    }
  }
  return write_payload(std::move(release), state_.tip());
}

std::string LedgerWriter::write(const Claim& claim) {
  return write_payload(claim, state_.tip());
}

std::vector<Cosignature> LedgerWriter::valid(std::vector<Cosignature> cosignatures) const {
  const Plan& plan = state_.plan();
  const auto& open = state_.open_intent();
  std::erase_if(cosignatures, [&](const Cosignature& one) {
    return one.merchant >= plan.merchants.size() ||
           (open && !std::binary_search(open->invited.begin(), open->invited.end(), one.merchant));
  });
  std::vector<SignedMessage> messages;
  for (const Cosignature& one : cosignatures) {
    messages.push_back({.key = plan.merchants[one.merchant].key,
                        .message = state_.to_cosign(),
                        .signature = one.signature,
                        .fault = ""});
  }
  const std::vector<std::size_t> bad = unverified(messages);
  for (auto place = bad.rbegin(); place != bad.rend(); ++place) {
    cosignatures.erase(cosignatures.begin() + static_cast<std::ptrdiff_t>(*place));
  }
  const auto by_merchant = [](const Cosignature& a, const Cosignature& b) { return a.merchant < b.merchant; };
  std::stable_sort(cosignatures.begin(), cosignatures.end(), by_merchant);
  const auto same = [](const Cosignature& a, const Cosignature& b) { return a.merchant == b.merchant; };
  cosignatures.erase(std::unique(cosignatures.begin(), cosignatures.end(), same), cosignatures.end());
  return cosignatures;
}

std::string LedgerWriter::write_head(std::vector<Cosignature> cosignatures, std::uint64_t unix_time) {
  return write_payload(Head{.size = state_.tree().size(),
                            .root = state_.tree().root(),
                            .cosignatures = std::move(cosignatures),
                            .unix_time = std::max(unix_time, state_.unix_time())},
                       state_.tip(), Signatures::trust);
}

void LedgerWriter::abort_open(const std::string& reason) {
  if (state_.open_intent()) {
    Release release;
    release.status = Release::Status::aborted;
    release.reason = reason;
    write(std::move(release));
  }
}

}  // namespace hanse
