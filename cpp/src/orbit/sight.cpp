#include "constellm/orbit/sight.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {

Look Station::look(const State& satellite) const {
  const Eigen::Vector3d line = satellite.position_m - position_m_;
  const Eigen::Vector3d enu = horizon_ * line;
  const double azimuth = std::atan2(enu.x(), enu.y());
  Look look;
  look.range_m = line.norm();
  look.elevation_rad = std::atan2(enu.z(), std::hypot(enu.x(), enu.y()));
  // What is west of north by rounding alone is north, not a whole turn.
  look.azimuth_rad = azimuth < -1e-14 ? azimuth + kTurn_rad : std::max(azimuth, 0.0);
  look.range_rate_m_per_s = line.dot(satellite.velocity_m_per_s) / look.range_m;
  return look;
}

Sight sight(const State& from, const State& to) {
  const Eigen::Vector3d line = to.position_m - from.position_m;
  const Eigen::Vector3d change = to.velocity_m_per_s - from.velocity_m_per_s;
  const double squared = line.squaredNorm();
  // The point of the line that is nearest to the centre, as a share of the way.
  const double share = squared > 0.0 ? std::clamp(-from.position_m.dot(line) / squared, 0.0, 1.0) : 0.0;
  Sight sight;
  sight.range_m = std::sqrt(squared);
  sight.range_rate_m_per_s = line.dot(change) / sight.range_m;
  sight.angular_rate_rad_per_s = line.cross(change).norm() / squared;
  sight.grazing_altitude_m = (from.position_m + share * line).norm() - core::kEarthRadius.value;
  return sight;
}

}  // namespace constellm::orbit
