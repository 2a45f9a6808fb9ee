#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/secure_random.h"
#include "privacy/crypto/signature.h"
#include "worker/worker_node.h"

namespace hanse {

/// The identities of a worker's merchants in a run without a roster: made for this run, and kept beside each merchant's copy
/// of the ledger, in RUN_DIR/merchants/NAME/identity.key, until the run is finished. Whoever continues the run must be who
/// signed its plan. A key opens nothing: what hides sums is made anew for every session.
class RunIdentities {
 public:
  /// Reads the keys that an earlier part of the run left, when `continued`, and makes the others. Throws bad_input when a
  /// file is no key, or one is there of a run that is not to be continued: it is never overwritten.
  RunIdentities(std::filesystem::path run_directory, std::vector<std::string> merchants, bool continued,
                SecureRandom& random);

  /// Copies of the keys, in the order of the merchants.
  std::vector<SigningKey> keys() const;
  /// Puts those that were made now on disk; before the plan that names them. Later calls do nothing. Throws
  /// Failure(could_not_finish).
  void save();
  /// The run is finished: nobody signs in its merchants' names any more.
  void remove();

 private:
  std::filesystem::path file_of(const std::string& merchant) const;

  std::filesystem::path merchants_folder_;
  std::vector<std::string> merchants_;
  std::vector<SigningKey> keys_;
  std::vector<bool> on_disk_;
};

/// Keys made for this run are on the disk before the coordinator hears that its plan may be written, which names them, and
/// before anything is signed with them. Refers to `identities`, which must stay where it is.
void save_before_answering(WorkerHooks& hooks, RunIdentities& identities);

}  // namespace hanse
