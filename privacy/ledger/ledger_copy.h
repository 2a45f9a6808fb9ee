#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/durable_file.h"
#include "privacy/ledger/ledger_state.h"

namespace hanse {

/// A folder name for a merchant: letters, digits, '-', '_' and inner '.' stay, every other byte is %XX; long
/// names end in their digest.
std::string merchant_folder(std::string_view name);

/// The copies of the merchants that one worker hosts, in RUN_DIR/merchants/NAME/ledger.jsonl. They have the
/// same bytes, so they are one file with a hard link for each merchant (separate files where the disk has no
/// links): one write and one fsync for thousands of merchants.
class LedgerCopy {
 public:
  /// Opens what is there (for a resumed run) and verifies it; a torn last line is cut off. `hosted` are the
  /// merchants of this worker with their keys: the plan must list them. `coordinator` is its pinned key, when
  /// known. `earlier`: run directories of earlier runs on the same people, the latest first, where these merchants have
  /// copies too: the plan must continue them, and the policy's limit is of all together. A merchant without a copy there
  /// was not in those runs. Throws Failure(refused) when copies do not hold or contradict each other, naming the
  /// merchants.
  LedgerCopy(const std::filesystem::path& run_directory, std::vector<LedgerMerchant> hosted,
             Configuration::Policy policy, std::optional<PublicKey> coordinator = std::nullopt,
             const std::vector<std::string>& earlier = {});

  /// Verifies a line and puts it on disk before it returns. A line that is there already is compared with it: another
  /// one of the same number is a fork and refused. After an Error the copy is as before.
  ///
  /// An intent within the plan that the merchants' own policy forbids is kept as well, so that the copy goes on as the
  /// coordinator's ledger does and later ones can be permitted: see refusal().
  Result<Record> accept(std::string_view line);

  /// The lines from number `begin` on, as they stand on the disk.
  std::vector<std::string> lines_from(std::uint64_t begin) const;
  /// Why the merchants here do not permit the open intent; nothing when their policy allows it, or none is open. Without
  /// their signature on its head it costs them nothing.
  std::optional<Error> refusal() const { return state_.open_intent() ? refusal_ : std::nullopt; }

  const LedgerState& state() const { return state_; }

 private:
  void open_files(const std::filesystem::path& merchants);
  void replay(std::string_view content, const std::filesystem::path& merchants);
  std::optional<Error> count_earlier();
  std::optional<Error> refuses(const Plan& plan, const Digest& prev) const;
  std::optional<Error> forbids(const Record& record) const;
  std::optional<Error> refuses_hosted(const Plan& plan, bool with_keys) const;
  void append(std::string_view line);
  void open_earlier(const std::vector<std::string>& run_directories);

  std::vector<LedgerMerchant> hosted_;
  Configuration::Policy policy_;
  LedgerState state_;
  std::optional<Error> refusal_;                 ///< Of the latest intent.
  std::vector<LedgerState> earlier_;             ///< The latest first.
  bool is_newcomer_ = false;                     ///< No merchant here was in an earlier run.
  std::filesystem::path file_;                   ///< The one file.
  std::optional<DurableLog> log_;                ///< It; none when nobody is hosted.
  std::vector<std::filesystem::path> separate_;  ///< Copies of their own, where links are not possible.
};

}  // namespace hanse
