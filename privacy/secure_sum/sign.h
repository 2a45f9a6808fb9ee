#pragma once

namespace hanse {

/// Whether a mask is added or subtracted: of two neighbours the lower id adds, the higher subtracts.
enum class Sign { plus, minus };

}  // namespace hanse
