#pragma once
#include <Eigen/Core>

#include "constellm/orbit/frames.hpp"
#include "constellm/orbit/kepler.hpp"

namespace constellm::orbit {

/// A satellite as a station sees it. `range_rate_m_per_s` is positive where it leaves.
struct Look {
  double elevation_rad = 0.0;  ///< above the plane that the normal of the ellipsoid stands on
  double azimuth_rad = 0.0;    ///< from north over east, in [0, 2 pi); 0 straight overhead
  double range_m = 0.0;
  double range_rate_m_per_s = 0.0;
};

/// A station that looks at many satellites; all in ECEF. Refraction is left out.
class Station {
 public:
  explicit Station(const Geodetic& place) : position_m_(ecef_of(place)), horizon_(horizon(place)) {}

  [[nodiscard]] Look look(const State& satellite) const;

 private:
  Eigen::Vector3d position_m_;
  Eigen::Matrix3d horizon_;
};

/// Of the straight line between two satellites whose states are in one frame.
struct Sight {
  double range_m = 0.0;
  double range_rate_m_per_s = 0.0;
  double angular_rate_rad_per_s = 0.0;  ///< of the line's direction, in the frame of the states
  /// Least height of the line above the sphere of the Earth's equatorial radius; negative inside.
  double grazing_altitude_m = 0.0;
};

Sight sight(const State& from, const State& to);

}  // namespace constellm::orbit
