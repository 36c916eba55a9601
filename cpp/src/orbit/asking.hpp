#pragma once
#include <cstdint>
#include <vector>

#include "constellm/orbit/near.hpp"

// Who is among the nearest of whom.
namespace constellm::orbit {

/// Distances count as equal where they differ by no more: those of neighbours in a symmetric shell are equal
/// for ever, but for rounding.
inline constexpr double kAsNear_m = 1e-3;

/// Whether a satellite counts one other before another: of two that are as near the one of smaller index.
inline bool before(double one_m, std::int32_t one, double other_m, std::int32_t other) {
  return one < other ? one_m <= other_m + kAsNear_m : one_m < other_m - kAsNear_m;
}

/// The points that point `from` asks for, in rising order: those before which it counts fewer than `count`.
void asked(const NearPoints& near, std::int32_t from, std::size_t count, std::vector<std::int32_t>& found);

}  // namespace constellm::orbit
