#include "privacy/ledger/ledger_copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "common/base/failure.h"
#include "privacy/ledger/earlier_ledgers.h"
#include "privacy/ledger/ledger_lines.h"

namespace hanse {
namespace {

constexpr std::size_t kFolderNameMax = 180;

/// Identifies the file behind a name: hard links share it.
using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> id_of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return FileId{status.st_dev, status.st_ino};
}

/// `name` becomes another name of `file`, whatever it was before; false where the disk has no links.
bool link_to(const std::filesystem::path& file, const std::filesystem::path& name) {
  const std::filesystem::path fresh = name.string() + ".new";
  ::unlink(fresh.c_str());
  return ::link(file.c_str(), fresh.c_str()) == 0 && ::rename(fresh.c_str(), name.c_str()) == 0;
}

/// All new names of a folder tree on disk at once: one call for thousands of links.
void sync_tree(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    ::syncfs(descriptor);
    ::close(descriptor);
  }
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Failure(ExitCode::could_not_finish, "cannot create " + folder.string() + ": " + error.message());
  }
}

/// What a file holds up to its last newline; nothing when it is not there.
std::string complete_lines(const std::filesystem::path& file) {
  std::string content = read_file(file);
  content.resize(content.size() - split_lines(content).torn.size());
  return content;
}

std::vector<std::string> names_of(const std::vector<LedgerMerchant>& merchants) {
  std::vector<std::string> names;
  for (const LedgerMerchant& merchant : merchants) {
    names.push_back(merchant.name);
  }
  std::ranges::sort(names);
  return names;
}

const PublicKey* key_in(const Plan& plan, const std::string& name) {
  const auto found =
      std::lower_bound(plan.merchants.begin(), plan.merchants.end(), name,
                       [](const LedgerMerchant& a, const std::string& b) { return a.name < b; });
  return found != plan.merchants.end() && found->name == name ? &found->key : nullptr;
}

}  // namespace

std::string merchant_folder(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string folder;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (c == '.' && !folder.empty());
    if (plain) {
      folder += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      folder += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  if (folder.size() > kFolderNameMax) {
    folder.resize(kFolderNameMax - 40);
    folder += "%..." + hex(sha256(bytes_of(name))).substr(0, 32);
  }
  return folder.empty() ? "%" : folder;
}

LedgerCopy::LedgerCopy(const std::filesystem::path& run_directory, std::vector<LedgerMerchant> hosted,
                       Configuration::Policy policy, std::optional<PublicKey> coordinator,
                       const std::vector<std::string>& earlier)
    : hosted_(std::move(hosted)), policy_(std::move(policy)), state_(coordinator, names_of(hosted_)) {
  open_earlier(earlier);
  open_files(run_directory / "merchants");
}

/// The copies of one hosted merchant stand for all: those of a worker have the same bytes, or it would not have run.
void LedgerCopy::open_earlier(const std::vector<std::string>& run_directories) {
  is_newcomer_ = !run_directories.empty();
  for (const LedgerMerchant& merchant : hosted_) {
    std::vector<std::filesystem::path> files;
    for (const std::string& directory : run_directories) {
      files.push_back(std::filesystem::path(directory) / "merchants" / merchant_folder(merchant.name) /
                      "ledger.jsonl");
    }
    const auto is_there = [](const std::filesystem::path& file) {
      std::error_code none;
      return std::filesystem::exists(file, none);
    };
    if (std::ranges::none_of(files, is_there)) {
      continue;
    }
    if (!is_there(files.front())) {
      throw Failure(ExitCode::refused,
                    "merchant \"" + merchant.name +
                        "\" took part in an earlier run on the same people, but not in the "
                        "latest: put the ledger of that run at " +
                        files.front().string() + " first, so that it counts");
    }
    auto read = read_earlier(files);
    if (!read) {
      throw Failure(ExitCode::refused, read.what());
    }
    earlier_ = std::move(*read);
    is_newcomer_ = false;
    return;
  }
}

void LedgerCopy::open_files(const std::filesystem::path& merchants) {
  std::vector<std::filesystem::path> files;
  std::map<FileId, std::string> contents;
  const std::string* longest = nullptr;
  std::vector<std::pair<const LedgerMerchant*, const std::string*>> held;
  for (const LedgerMerchant& merchant : hosted_) {
    files.push_back(merchants / merchant_folder(merchant.name) / "ledger.jsonl");
    make_folder(files.back().parent_path());
    if (const auto id = id_of(files.back())) {
      auto found = contents.find(*id);
      if (found == contents.end()) {
        found = contents.emplace(*id, complete_lines(files.back())).first;
      }
      held.emplace_back(&merchant, &found->second);
      if (longest == nullptr || longest->size() < found->second.size()) {
        longest = &found->second;
      }
    }
  }
  for (const auto& [merchant, content] : held) {
    if (!longest->starts_with(*content)) {
      throw Failure(ExitCode::refused, "the ledger copies under " + merchants.string() +
                                           " contradict each other (merchant " + merchant->name +
                                           "): the coordinator has shown merchants different ledgers");
    }
  }
  const std::string content = longest == nullptr ? "" : *longest;
  replay(content, merchants);
  if (files.empty()) {
    return;
  }
  // A fresh file each time: after a change of workers, two of them may hold links to one old file, and must
  // not both append to it.
  write_durably(files.front(), content);
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (!link_to(files.front(), files[i])) {
      write_durably(files[i], content);
      separate_.push_back(files[i]);
    }
  }
  sync_tree(merchants);
  file_ = files.front();
  log_.emplace(file_);
}

void LedgerCopy::replay(std::string_view content, const std::filesystem::path& merchants) {
  const LedgerLines split = split_lines(content);
  for (const std::string_view& line : split.lines) {
    if (&line == &split.lines.back()) {  // Nobody has signed an intent that stands here.
      const auto last = decode_record(line);
      refusal_ = last ? forbids(*last) : std::nullopt;
    }
    if (const auto record = state_.accept(line); !record) {
      throw Failure(ExitCode::refused, "the ledger copies under " + merchants.string() +
                                           " do not hold, so the run cannot continue: " + record.what());
    }
    if (state_.next_seq() == 1) {
      auto error = refuses_hosted(state_.plan(), state_.plan().pinned);
      if (!error && !is_newcomer_) {
        error = refuses_link(state_.plan(), state_.continues(), earlier_);
      }
      if (error || (error = count_earlier())) {
        throw Failure(ExitCode::refused, error->what);
      }
    }
  }  // Data is touched only when its head is on the disk: without it no sum was made here, with it one may have been.
  if (state_.open_intent() && !state_.awaits_head()) {
    refusal_ = Error{"round " + std::to_string(state_.open_intent()->round) +
                     " may have been answered before this worker began: a second sum is not permitted"};
  }
}

std::optional<Error> LedgerCopy::count_earlier() {
  for (const LedgerState& earlier : earlier_) {
    if (auto error = state_.count_before(earlier)) {
      return error;
    }
  }
  return std::nullopt;
}

std::optional<Error> LedgerCopy::refuses_hosted(const Plan& plan, bool with_keys) const {
  for (const LedgerMerchant& merchant : hosted_) {
    const PublicKey* key = key_in(plan, merchant.name);
    if (key == nullptr) {
      return Error{"the plan does not list merchant \"" + merchant.name + "\", who takes part"};
    }
    if (with_keys && *key != merchant.key) {
      return Error{"the plan lists merchant \"" + merchant.name + "\" with a key that is not its own"};
    }
  }
  return std::nullopt;
}

std::optional<Error> LedgerCopy::refuses(const Plan& plan, const Digest& prev) const {
  if (const auto error = refuses_hosted(plan, true)) {
    return error;
  }
  if (!is_newcomer_) {
    if (const auto error = refuses_link(plan, prev, earlier_)) {
      return error;
    }
  }
  return policy_refuses(policy_, plan);
}

/// Asked before the intent is taken, of which the state would then say that it is there already.
std::optional<Error> LedgerCopy::forbids(const Record& record) const {
  const auto* intent = std::get_if<Intent>(&record.payload);
  const Result<double> allowed =
      intent == nullptr ? Result<double>(0.0) : state_.would_allow(*intent, policy_);
  return allowed ? std::nullopt : std::optional<Error>(allowed.error());
}

Result<Record> LedgerCopy::accept(std::string_view line) {
  Result<Record> record = decode_record(line);
  if (!record) {
    return Error{"a line for the ledger is refused: " + record.what()};
  }
  if (record->seq < state_.next_seq()) {
    if (sha256(bytes_of(line)) != state_.line_hash(record->seq)) {
      return Error{"the ledger forks: line " + std::to_string(record->seq + 1) +
                   " is not the one that this merchant was shown before"};
    }
    return record;
  }
  std::optional<Error> forbidden;
  if (record->seq == state_.next_seq()) {
    if (const auto* plan = std::get_if<Plan>(&record->payload)) {
      if (const auto error = refuses(*plan, record->prev)) {
        return *error;
      }
    }
    forbidden = forbids(*record);
  }
  record = state_.accept(line);
  if (record) {
    append(line);
    if (std::holds_alternative<Intent>(record->payload)) {
      refusal_ = std::move(forbidden);
    }
    if (std::holds_alternative<Plan>(record->payload)) {
      if (const auto error = count_earlier()) {
        return *error;
      }
    }
  }
  return record;
}

std::vector<std::string> LedgerCopy::lines_from(std::uint64_t begin) const {
  if (!log_ || begin >= state_.next_seq()) {
    return {};
  }
  const std::string content = read_file(file_);
  const std::vector<std::string_view> all = split_lines(content).lines;
  check(all.size() == state_.next_seq(), "a copy's file holds the lines that were verified");
  return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.end()};
}

void LedgerCopy::append(std::string_view line) {
  if (log_) {
    log_->append(line);
  }
  for (const std::filesystem::path& file : separate_) {
    DurableLog(file).append(line);
  }
}

}  // namespace hanse
