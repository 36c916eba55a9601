#include "constellm/orbit/ground_station.hpp"

#include <cmath>
#include <limits>

#include "constellm/orbit/angles.hpp"
#include "limits.hpp"

namespace constellm::orbit {
namespace {

Geodetic place_of(const GroundStation& station) {
  return {.latitude_rad = station.latitude_deg * kDegree_rad,
          .longitude_rad = station.longitude_deg * kDegree_rad,
          .altitude_m = station.altitude_m};
}

}  // namespace

Horizon::Horizon(const GroundStation& station)
    : position_m(ecef_of(place_of(station))),
      up(horizon(place_of(station)).row(2).transpose()),
      sin_mask(std::sin(station.min_elevation_deg * kDegree_rad) - kRoom),
      max_range_m(station.max_range_m.value_or(std::numeric_limits<double>::infinity()) * (1.0 + kRoom)) {}

}  // namespace constellm::orbit
