#pragma once

#include <string>

#include "common/data/encoding.h"
#include "privacy/published/model_file.h"

namespace hanse {

/// Writes how rows became the model's columns into `model`: arrays mean, deviation and column_of, the columns' names, and facts by
/// names "encoding.*".
void publish_encoding(const Encoding& encoding, PublishedModel& model);

/// Reads it back. Throws bad_input naming `origin` where the parts do not fit together.
Encoding encoding_of(const PublishedModel& model, const std::string& origin);

}  // namespace hanse
