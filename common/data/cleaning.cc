#include "common/data/cleaning.h"

#include <string_view>

#include "common/base/failure.h"
#include "common/data/numbers.h"

namespace hanse {

Cleaning read_cleaning(const std::vector<std::string>& items) {
  Cleaning cleaning;
  for (const std::string& item : items) {
    constexpr std::string_view kOutliers = "outliers:";
    if (item == "missing:mean") {
      cleaning.missing = Cleaning::Missing::mean;
    } else if (item == "missing:drop") {
      cleaning.missing = Cleaning::Missing::drop;
    } else if (item == "missing:zero") {
      cleaning.missing = Cleaning::Missing::zero;
    } else if (item == "duplicates:keep" || item == "duplicates:drop") {
      cleaning.drop_duplicates = item.ends_with("drop");
    } else if (const auto limit =
                   item.starts_with(kOutliers) ? read_number(item.substr(kOutliers.size())) : std::nullopt;
               limit && *limit > 0) {
      cleaning.outlier_limit = *limit;
    } else {
      throw bad_input(
          "data.clean: cannot read '" + item +
          "'; expected missing:mean, missing:drop or missing:zero, duplicates:keep or duplicates:drop, "
          "outliers:K with K > 0 standard deviations");
    }
  }
  return cleaning;
}

}  // namespace hanse
