#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace hanse {

enum class Transform { none, log, log1p, sqrt };

/// "[TRANSFORM:]NAME[LOW..HIGH]", for instance "log1p:product_sec[0..12]". The range is public, holds after
/// the transform, and values are clipped to it; NaN when none is given.
struct NumericSpec {
  Transform transform = Transform::none;
  std::string name;
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// As it is written in a configuration, without its range: "log1p:product_sec".
std::string name_of(const NumericSpec& spec);

/// The name of its column: "log1p(product_sec)".
std::string column_name_of(const NumericSpec& spec);

/// "WORDS*[TRANSFORM:]NAME", for instance "brand*log:price": a number, once for each word of another column. Both are
/// columns of their own as well; the number's range is given there.
struct CrossSpec {
  std::string words;  ///< The name of the column of words.
  NumericSpec number;
};
bool is_cross(std::string_view text);

/// How words of a column become columns:
///   NAME{a|b|c}   the words given, and one column for all others
///   NAME[1..N]    the integers 1 to N; another value is refused
///   NAME#B        hashed into B buckets
///   NAME@FILE     the words of the column NAME of a CSV file, and one column for all others
///   NAME          hashed into many buckets, which a private count thins out
struct WordSpec {
  enum class Kind { words, integers, hashed, file, counted };
  Kind kind = Kind::counted;
  std::string name;
  std::vector<std::string> words;  ///< Kind::words.
  std::int64_t low = 0, high = 0;  ///< Kind::integers.
  std::uint32_t buckets = 0;       ///< Kind::hashed and Kind::counted.
  std::string file;                ///< Kind::file.
};

/// Buckets of a bare NAME.
inline constexpr std::uint32_t kCategoryBuckets = 1024;
inline constexpr std::uint32_t kItemBuckets = 65536;
inline constexpr std::uint32_t kTextBuckets = 16384;

/// All throw bad_input with the grammar when `text` does not follow it. `key` names the configuration key.
NumericSpec read_numeric_spec(std::string_view text, std::string_view key);
CrossSpec read_cross_spec(std::string_view text, std::string_view key);
WordSpec read_word_spec(std::string_view text, std::string_view key, std::uint32_t counted_buckets);

}  // namespace hanse
