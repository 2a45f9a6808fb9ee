#pragma once

#include <filesystem>
#include <string>

#include "common/config/configuration.h"
#include "common/data/dataset.h"
#include "common/data/encoding.h"
#include "privacy/published/model_file.h"

namespace hanse {

/// A published model with what is needed to apply it to rows of one's own: everything is read from model.hanse.
struct AppliedModel {
  std::string origin;  ///< For messages.
  PublishedModel published;
  Configuration configuration;  ///< Of its data and workload.
  Encoding encoding;

  const std::string& workload() const { return published.workload; }
  /// An array of the model. Throws bad_input when there is none of that name and so many values.
  const NamedArray& array(const std::string& name, std::size_t values) const;
};

/// Reads the model at `where` (model.hanse, its folder, or a run directory). Throws bad_input in one sentence.
AppliedModel read_applied_model(const std::filesystem::path& where);

/// Rows of a merchant's own file, encoded as the rows that `model` was trained on: all of them, as train rows of one
/// merchant. Records keep the order of the file, one row each, and have no labels; ratings are a row a customer. Vocabulary files
/// (NAME@FILE) are looked for beside `file`. Throws bad_input naming file, line and column.
Dataset read_own_rows(const AppliedModel& model, const std::filesystem::path& file);

}  // namespace hanse
