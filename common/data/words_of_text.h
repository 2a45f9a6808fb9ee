#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hanse {

/// The words of a text, and its n-grams: runs of up to n neighbouring words with one space between them.
///
/// A word is a run of letters and digits. Of UTF-8, every character outside ASCII counts as a letter but for spaces and punctuation
/// (U+0080 to U+00BF, U+00D7, U+00F7, U+2000 to U+206F, U+3000 to U+303F, U+FF00 to U+FF0F), and bytes that are no UTF-8 separate
/// words. ASCII, Latin-1, Greek and Cyrillic letters become small ones; others stay as they are. Part of the file formats: the
/// buckets of hashed words follow from it.
class WordsOfText {
 public:
  /// Forgets the last text. Its views live until the next.
  void read(std::string_view text);
  std::size_t words() const { return ends_.size(); }
  /// The run of `count` words from word `first` on.
  std::string_view run(std::size_t first, std::size_t count) const {
    const std::size_t begin = first == 0 ? 0 : ends_[first - 1] + 1;
    return std::string_view(joined_).substr(begin, ends_[first + count - 1] - begin);
  }

 private:
  std::string joined_;             // Words with one space between them.
  std::vector<std::size_t> ends_;  // Of each word in it.
};

}  // namespace hanse
