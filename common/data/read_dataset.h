#pragma once

#include <cstdint>

#include "common/config/configuration.h"
#include "common/data/dataset.h"

namespace hanse {

/// Reads what worker `worker` in 1..`workers` holds of the federation's data ([data] of the configuration).
///
/// With "{worker}" in data.path the file is the worker's own, and so are all merchants in it. Otherwise all
/// workers read one file, its merchants are dealt to them by `deal()`, and a worker keeps the rows of its own
/// merchants only. Which merchant a row belongs to never depends on the number of workers. A worker that is
/// dealt no merchant gets a Dataset without any.
///
/// Other files named in [data] (split files, test files, vocabularies, look-ups) are relative to the folder
/// of the data file. Throws Failure(bad_input) naming file, line and column.
Dataset read_dataset(const Configuration& configuration, std::uint32_t worker, std::uint32_t workers);

}  // namespace hanse
