#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/workloads/model.h"

namespace hanse {

/// What a run publishes. Every field is a function of the configuration and the opened sums: nothing in it
/// may depend on the number of ranks, on which worker hosted which merchant, or on the time, so that two runs
/// of the same sums write the same bytes.
struct PublishedModel {
  std::string workload;
  std::uint64_t step = 0;            ///< Private sums applied.
  std::vector<NamedArray> arrays;    ///< Workload::arrays.
  std::vector<NamedArray> encoding;  ///< What turns a row into features: means, scales, kept items.
  std::vector<std::string> columns;  ///< Names of the encoded columns.
  std::map<std::string, std::string>
      facts;            ///< Settings needed to use it ("data.numeric"); no paths, no names.
  std::string privacy;  ///< One sentence: what is promised to whom, or that nothing is.

  /// The array of that name among `arrays` and `encoding`, or null.
  const NamedArray* find(std::string_view name) const;
};

/// The version of model.hanse and model.json that this program writes; others are refused.
inline constexpr std::uint32_t kModelFormatVersion = 1;

/// The bytes of model.hanse:
///   "HANSEMDL" | version u32 | payload length u64 | SHA-256 of the payload | payload (cereal, portable
///   binary)
std::string encode_model(const PublishedModel& model);

/// Reads them back. Throws bad_input naming `origin` when they are torn, altered, of another version or no
/// model.
PublishedModel decode_model(std::string_view bytes, const std::string& origin);

/// A NumPy .npy file, format 1.0: float64, little-endian, C order.
std::string encode_npy(const NamedArray& array);

/// Writes model.hanse, model.json and one .npy file an array into `folder` (made when missing), each so that
/// a crash leaves the old file or the new one; model.hanse last, because it is the one that programs read.
/// Returns the files written. Throws Failure(could_not_finish) when the disk does not take them.
std::vector<std::filesystem::path> write_model(const std::filesystem::path& folder,
                                               const PublishedModel& model);

/// Reads model.hanse; `where` is the file, its folder, or a run directory. Throws bad_input in one sentence.
PublishedModel read_model(const std::filesystem::path& where);

/// SHA-256 of the payload of model.hanse in hex: the model's name in ledger and model.json.
std::string model_digest(const PublishedModel& model);

}  // namespace hanse
