#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"

namespace constellm::orbit {

/// Pairs of satellites that see each other, in rising order; a < b.
struct InSight {
  std::vector<std::int32_t> a;
  std::vector<std::int32_t> b;
  std::vector<double> range_m;

  void reserve(std::size_t pairs) {
    a.reserve(pairs);
    b.reserve(pairs);
    range_m.reserve(pairs);
  }
};

/// Of satellites at `position_m` [satellites][3], in any frame: the line between the two is no longer than
/// `max_range_m`, which may be infinite, and stays `grazing_altitude_m` above the sphere of the Earth's
/// equatorial radius. One with a NaN sees none. Throws core::Stopped.
InSight in_sight(std::span<const double> position_m, double max_range_m, double grazing_altitude_m,
                 core::StopToken& stop);

}  // namespace constellm::orbit
