#pragma once

#include <string>
#include <vector>

namespace hanse {

/// data.clean: what is done about imperfect rows.
struct Cleaning {
  enum class Missing {
    mean,  ///< A missing number becomes the mean: NaN in the rows read, 0 once standardised. The default.
    drop,  ///< The row is left out.
    zero,  ///< A missing number is the number 0.
  };
  Missing missing = Missing::mean;
  bool drop_duplicates = false;  ///< Leave out rows of a merchant whose text occurred before.
  double outlier_limit = 0;      ///< Clip to this many standard deviations after standardisation; 0: do not.
};

/// Reads "missing:mean|drop|zero", "duplicates:keep|drop", "outliers:K". Throws bad_input on anything else.
Cleaning read_cleaning(const std::vector<std::string>& items);

}  // namespace hanse
