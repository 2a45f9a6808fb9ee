#pragma once

#include <string>

#include "common/base/failure.h"

namespace hanse {

/// A run that cannot go on with the processes that are left, and could with all of them: too few merchants, or a process
/// that is gone or does not answer. What has been done is on disk.
class Interrupted : public Failure {
 public:
  explicit Interrupted(const std::string& sentence) : Failure(ExitCode::could_not_finish, sentence) {}
};

}  // namespace hanse
