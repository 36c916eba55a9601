#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace constellm::codec {

/// Of eight things in a row, which each of those of a mask takes: one after the other.
inline constexpr auto kRanks = [] {
  std::array<std::array<std::uint8_t, 8>, 256> ranks{};
  for (std::size_t mask = 0; mask < 256; ++mask) {
    std::uint8_t rank = 0;
    for (std::size_t lane = 0; lane < 8; ++lane) {
      ranks[mask][lane] = rank;
      rank = static_cast<std::uint8_t>(rank + (mask >> lane & 1));
    }
  }
  return ranks;
}();

}  // namespace constellm::codec
