#pragma once

namespace constellm::search {

/// Relative room for sums that were made in another order than those they are compared with
/// (n additions of doubles err by about n * 1.1e-16).
inline constexpr double kRoundingRoom = 1e-12;

/// A plan must beat the incumbent by more than this share of it to count as better.
inline constexpr double kPruneRoom = 1e-12;

/// `limit`, with room for another order of summation.
constexpr double with_room(double limit) { return limit + (limit < 0 ? -limit : limit) * kRoundingRoom; }

}  // namespace constellm::search
