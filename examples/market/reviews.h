#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/base/seeded_generator.h"

namespace hanse {

/// What a customer writes of an item, word by word from three lists: most words say nothing, some praise and some complain, and who
/// is satisfied praises three times as often as she complains. A praise may stand behind a "not", which turns it round.
struct Review {
  std::string text;
  double evidence = 0;  ///< Logarithm of how many times likelier its words are of somebody satisfied.
};
Review draw_review(bool satisfied, SeededGenerator& generator);

}  // namespace hanse
