#pragma once

#include <string>

#include "examples/market/market.h"

namespace hanse {

/// Ready configurations for Hanse, and what a reader of the folder wants to know.
std::string purchase_ini(const MarketOptions& options);
std::string recommendation_ini(const MarketOptions& options);
std::string reviews_ini(const MarketOptions& options);
std::string market_readme(const MarketOptions& options);

}  // namespace hanse
