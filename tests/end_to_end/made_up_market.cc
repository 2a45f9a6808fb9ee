#include "tests/end_to_end/made_up_market.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "common/base/seeded_generator.h"
#include "tests/end_to_end/started_program.h"

namespace hanse {

const std::string MarketFolder::kHeader = "shop,visits,price,kind,bought,part\n";

namespace {

constexpr const char* kShopIni = R"([federation]
name = shop
rounds = 3
deadline_ms = 20000
[data]
path = shop.csv
merchant = shop
label = bought
numeric = visits[0..4], price[0..4]
categorical = kind{A|B|C}
test = column:part
[workload]
name = logistic
[privacy]
unit = none
[output]
dir = run
)";

constexpr const char* kRatingsIni = R"([federation]
name = ratings
rounds = 3
deadline_ms = 20000
[data]
path = ratings.csv
format = ratings
merchant = shop
customer = user
item = item[1..30]
rating = rating[1..5]
test = column:part
[workload]
name = matrix-factorization
rank = 4
[server]
optimizer = adam
learning_rate = 0.05
[privacy]
unit = none
[output]
dir = run
)";

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

}  // namespace

MarketFolder::MarketFolder(std::uint32_t shops, std::uint32_t rows_each) {
  std::string name = (std::filesystem::temp_directory_path() / "hanse-e2e-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no temporary folder");
  }
  path_ = name;
  write_shops(shops, rows_each);
  write_ratings(shops);
  write("shop.ini", kShopIni);
  write("ratings.ini", kRatingsIni);
}

MarketFolder::~MarketFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void MarketFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name, std::ios::binary) << text;
}

std::string MarketFolder::rows_of(const std::string& shop) const {
  std::string rows;
  for (const std::string& line : lines_of(bytes_of_file(path_ / "shop.csv"))) {
    if (line.starts_with(shop + (shop.empty() ? "shop" : ",")) && line + "\n" != kHeader) {
      rows += line + "\n";
    }
  }
  return rows;
}

void MarketFolder::write_shops(std::uint32_t shops, std::uint32_t rows_each) const {
  SeededGenerator random({1, 2, 3});
  const auto uniform = [&] { return static_cast<double>(random.below(1 << 20)) / (1 << 20); };
  std::string text = kHeader;
  for (std::uint32_t row = 0; row < shops * rows_each; ++row) {
    const double visits = 4 * uniform();
    const double price = 4 * uniform();
    const std::uint64_t kind = random.below(3);
    const bool bought = visits - price + (kind == 0 ? 1.0 : 0.0) + 2 * uniform() - 1 > 0;
    text += "shop" + std::to_string(1 + row % shops) + "," + decimal(visits) + "," + decimal(price) + "," +
            std::string(1, static_cast<char>('A' + kind)) + (bought ? ",1," : ",0,") +
            (row / shops % 5 == 0 ? "test" : "train") + "\n";
  }
  write("shop.csv", text);
}

void MarketFolder::write_ratings(std::uint32_t shops) const {
  SeededGenerator random({4, 5, 6});
  std::string text = "shop,user,item,rating,part\n";
  for (std::uint32_t user = 0; user < 6 * shops; ++user) {
    for (std::uint32_t item = user % 3; item < 30; item += 3) {
      const auto taste = static_cast<std::uint32_t>(1 + (user % 5 + item % 4 + random.below(2)) % 5);
      text += "shop" + std::to_string(1 + user % shops) + ",u" + std::to_string(user) + "," +
              std::to_string(item + 1) + "," + std::to_string(taste) +
              (random.below(5) == 0 ? ",test\n" : ",train\n");
    }
  }
  write("ratings.csv", text);
}

}  // namespace hanse
