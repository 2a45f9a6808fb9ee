#include "worker/run_identities.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "common/base/failure.h"
#include "privacy/ledger/ledger_copy.h"
#include "privacy/secure_sum/key_file.h"

namespace hanse {
namespace fs = std::filesystem;
namespace {

/// Everything on the folder's disk at once: thousands of keys are one call.
void sync_disk_of(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::syncfs(descriptor) == 0;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!synced) {
    throw Failure(ExitCode::could_not_finish, "cannot write the keys under " + folder.string());
  }
}

}  // namespace

RunIdentities::RunIdentities(fs::path run_directory, std::vector<std::string> merchants, bool continued,
                             SecureRandom& random)
    : merchants_folder_(std::move(run_directory) / "merchants"), merchants_(std::move(merchants)) {
  for (const std::string& merchant : merchants_) {
    std::error_code error;
    on_disk_.push_back(fs::exists(file_of(merchant), error));
    if (on_disk_.back() && !continued) {
      throw bad_input(
          file_of(merchant).string() +
          " is the key of a run that is not finished: continue it with federation.resume=true, or "
          "choose another output.dir");
    }
    keys_.push_back(on_disk_.back() ? load_key(file_of(merchant)) : SigningKey::generate(random));
  }
}

fs::path RunIdentities::file_of(const std::string& merchant) const {
  return merchants_folder_ / merchant_folder(merchant) / "identity.key";
}

std::vector<SigningKey> RunIdentities::keys() const {
  std::vector<SigningKey> copies;
  for (const SigningKey& key : keys_) {
    copies.push_back(SigningKey::from_seed(key.seed().duplicate()));
  }
  return copies;
}

/// Under another name first: a crash leaves whole keys only.
void RunIdentities::save() {
  if (std::ranges::all_of(on_disk_, [](bool there) { return there; })) {
    keys_.clear();
    return;
  }
  std::error_code error;
  const auto fresh = [&](std::size_t i) { return file_of(merchants_[i]).string() + ".new"; };
  for (std::size_t i = 0; i < merchants_.size(); ++i) {
    if (!on_disk_[i]) {
      fs::create_directories(file_of(merchants_[i]).parent_path(), error);
      fs::remove(fresh(i), error);
      save_key(fresh(i), keys_[i]);
    }
  }
  sync_disk_of(merchants_folder_);
  for (std::size_t i = 0; i < merchants_.size(); ++i) {
    if (!on_disk_[i]) {
      fs::rename(fresh(i), file_of(merchants_[i]), error);
      if (error) {
        throw Failure(ExitCode::could_not_finish,
                      "cannot write " + file_of(merchants_[i]).string() + ": " + error.message());
      }
      on_disk_[i] = true;
    }
  }
  sync_disk_of(merchants_folder_);
  keys_.clear();
}

void RunIdentities::remove() {
  std::error_code ignored;
  for (const std::string& merchant : merchants_) {
    fs::remove(file_of(merchant), ignored);
  }
}

void save_before_answering(WorkerHooks& hooks, RunIdentities& identities) {
  const auto save = [&identities]() -> std::optional<Error> {
    try {
      identities.save();
      return std::nullopt;
    } catch (const Failure& failure) {
      return Error{failure.what()};
    }
  };
  hooks.recall = [save, before = std::move(hooks.recall)](
                     std::uint64_t size, const Digest& tip) -> Result<std::vector<std::string>> {
    if (auto error = save()) {
      return *error;
    }
    return before(size, tip);
  };
  hooks.permit = [save, before = std::move(hooks.permit)](
                     std::span<const std::string> lines,
                     std::span<const std::uint32_t> merchants) -> Result<HeadToSign> {
    if (auto error = save()) {
      return *error;
    }
    return before(lines, merchants);
  };
}

}  // namespace hanse
