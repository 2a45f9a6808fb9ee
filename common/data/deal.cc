#include "common/data/deal.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <tuple>
#include <utility>

#include "common/base/check.h"

namespace hanse {

std::vector<std::uint32_t> deal(const std::vector<MerchantSize>& merchants, std::uint32_t workers) {
  check(workers > 0, "merchants are dealt to at least one worker");
  std::vector<std::size_t> order(merchants.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(merchants[b].rows, merchants[a].name) < std::tie(merchants[a].rows, merchants[b].name);
  });

  using Load = std::pair<std::uint64_t, std::uint32_t>;  // rows so far, worker
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (std::uint32_t worker = 1; worker <= workers; ++worker) {
    loads.emplace(0, worker);
  }
  std::vector<std::uint32_t> worker_of(merchants.size());
  for (const std::size_t merchant : order) {
    const auto [rows, worker] = loads.top();
    loads.pop();
    worker_of[merchant] = worker;
    loads.emplace(rows + merchants[merchant].rows, worker);
  }
  return worker_of;
}

}  // namespace hanse
