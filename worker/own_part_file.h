#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/data/dataset.h"
#include "common/workloads/workload.h"

namespace hanse {

/// Writes what a merchant learnt for itself, durably: a JSON object of kind, numbers of rows, figures on the merchant's test
/// rows (federated, "_own" and "_alone"), and the own part, by columns where it has one number for each. It says as much of
/// the merchant's data as its rows do, and is meant for the merchant's own disk alone: readable by its owner
/// only (mode 0600).
void write_own_part(const std::filesystem::path& file, const MerchantRows& merchant, const std::string& kind,
                    const std::vector<std::string>& columns, const OwnResult& result);

}  // namespace hanse
