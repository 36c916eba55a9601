#pragma once
#include <algorithm>
#include <cstdint>

#include "constellm/core/stop.hpp"

// Loops over large arrays, which end early when the caller wants it.
namespace constellm::codec {

/// Work on `elements` is done; throws `core::Stopped` if it shall be the last.
inline void pass(core::StopToken& stop, std::int64_t elements) {
  constexpr std::uint64_t kElementsPerUnit = 32;  // a tenth of a microsecond, the token's unit
  if (stop.should_stop(1 + static_cast<std::uint64_t>(elements) / kElementsPerUnit)) throw core::Stopped();
}

/// What a loop does between two looks at the token; a multiple of whatever is done at once.
inline constexpr std::int64_t kPart = 1 << 16;

/// Calls `visit(begin, end)` for part after part of [0, n).
template <class Visit>
void in_parts(std::int64_t n, core::StopToken& stop, Visit&& visit) {
  for (std::int64_t begin = 0; begin < n; begin += kPart) {
    const std::int64_t end = std::min(n, begin + kPart);
    visit(begin, end);
    pass(stop, end - begin);
  }
}

}  // namespace constellm::codec
