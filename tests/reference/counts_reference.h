#pragma once

#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

/// Counts of words in two periods and the merchants that have them, in the plainest centralised code.
namespace hanse::reference {

struct Sale {
  std::string merchant;
  std::string word;
  double time = 0;
};

struct WordCount {
  double all = 0;
  double last = 0;
  double before = 0;
};

/// Of words, those that fewer than `merchants` merchants have left out, in all and in each period.
inline std::map<std::string, WordCount> count_words(const std::vector<Sale>& sales, double end, double length,
                                                    std::size_t merchants) {
  std::map<std::string, WordCount> counts;
  std::map<std::string, std::set<std::string>> ever, older, last, before;
  for (const Sale& sale : sales) {
    const bool in_last = sale.time > end - length && sale.time <= end;
    const bool in_before = sale.time > end - 2 * length && sale.time <= end - length;
    ever[sale.word].insert(sale.merchant);
    (in_last ? last : in_before ? before : older)[sale.word].insert(sale.merchant);
  }
  for (const Sale& sale : sales) {
    if (ever[sale.word].size() < merchants) {
      continue;
    }
    WordCount& count = counts[sale.word];
    const bool in_last = sale.time > end - length && sale.time <= end;
    const bool in_before = sale.time > end - 2 * length && sale.time <= end - length;
    if ((in_last ? last : in_before ? before : older)[sale.word].size() < merchants) {
      continue;
    }
    count.all += 1;
    count.last += in_last ? 1 : 0;
    count.before += in_before ? 1 : 0;
  }
  return counts;
}

}  // namespace hanse::reference
