#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/stretch.hpp"
#include "fleet.hpp"
#include "memory.hpp"

namespace constellm::orbit {

/// A third satellite that may come before the end of a pair that the other end asks for.
struct Rival {
  std::int32_t satellite;
  std::size_t asking;      ///< which end does: 0 or 1
  double swing_m2_per_s2;  ///< Motion::swing of the two distances
};

/// Two satellites, each of which is among the nearest of the other while that counts fewer than `count`
/// before it: `ahead` that surely are, by end that asks, and some of the rivals.
struct Contest {
  Pair pair;
  std::int64_t count;
  std::array<std::int64_t, 2> ahead;
  std::span<const Rival> rivals;
};

/// Adds when they are, between two moments.
void search(const Contest& contest, const Fleet& fleet, Memory& memory, double start_s, double stop_s,
            Stretches& found);

}  // namespace constellm::orbit
