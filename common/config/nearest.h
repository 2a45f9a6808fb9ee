#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hanse {

/// The candidate with the smallest edit distance to `word` (insert, delete, replace, swap of neighbours), or
/// nothing when all are too far away to be what was meant: more than a third of the word, at least two edits.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// ": did you mean 'X'?" for a sentence's end, or nothing when no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace hanse
