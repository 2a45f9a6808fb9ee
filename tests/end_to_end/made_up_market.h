#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hanse {

/// A folder of its own for one test, with a small made-up market in it; gone at its end.
///   shop.csv     shop, visits, price, kind, bought, part: visits that end in a purchase or not
///   shop.ini     logistic regression of them, without noise, under masks
///   ratings.csv  shop, user, item, rating, part: users' ratings of items
///   ratings.ini  matrix factorization of them, without noise, under masks
class MarketFolder {
 public:
  explicit MarketFolder(std::uint32_t shops = 7, std::uint32_t rows_each = 40);
  ~MarketFolder();
  MarketFolder(const MarketFolder&) = delete;
  MarketFolder& operator=(const MarketFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// Writes a file of this folder.
  void write(const std::string& name, const std::string& text) const;
  /// The lines of shop.csv that belong to one shop ("shop1"), behind the header; all shops when empty.
  std::string rows_of(const std::string& shop) const;

  static const std::string kHeader;

 private:
  void write_shops(std::uint32_t shops, std::uint32_t rows_each) const;
  void write_ratings(std::uint32_t shops) const;

  std::filesystem::path path_;
};

}  // namespace hanse
