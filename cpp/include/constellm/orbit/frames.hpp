#pragma once
#include <Eigen/Core>

#include "constellm/core/epoch.hpp"

// TEME: z along the Earth's axis, x to the mean equinox, as SGP4 has it. ECEF: turns with the Earth, x
// through longitude 0. UT1 = UTC, which are up to 0.9 s apart: 420 m on the equator. Polar motion, some 15 m,
// is left out.
namespace constellm::orbit {

/// Greenwich mean sidereal time in [0, 2 pi), `time_s` after `epoch` (IAU 1982: Aoki et al., Astron.
/// Astrophys. 105 (1982), 359-361; Vallado, 4th ed., equation 3-45).
double gmst_rad(core::Epoch epoch, double time_s);

/// The rotation by `angle_rad` about z that brings TEME to ECEF.
class EarthTurn {
 public:
  explicit EarthTurn(double gmst_rad);

  [[nodiscard]] Eigen::Vector3d to_ecef(const Eigen::Vector3d& teme) const {
    return {cos_ * teme.x() + sin_ * teme.y(), cos_ * teme.y() - sin_ * teme.x(), teme.z()};
  }
  [[nodiscard]] Eigen::Vector3d to_teme(const Eigen::Vector3d& ecef) const {
    return {cos_ * ecef.x() - sin_ * ecef.y(), cos_ * ecef.y() + sin_ * ecef.x(), ecef.z()};
  }

 private:
  double sin_;
  double cos_;
};

/// The velocity by which a point that stands still on the Earth moves: omega x r, in either frame.
Eigen::Vector3d with_the_earth(const Eigen::Vector3d& position_m);

/// On the ellipsoid of WGS 84.
struct Geodetic {
  double latitude_rad = 0.0;
  double longitude_rad = 0.0;  ///< in [-pi, pi]
  double altitude_m = 0.0;     ///< along the normal
};

Eigen::Vector3d ecef_of(const Geodetic& place);

/// Within this distance of the Earth's centre normals of the ellipsoid cross: a^2 e^2 / b is 43 km.
inline constexpr double kInnermost_m = 50'000.0;

/// There and back to a few roundings of the distance: 4e-9 m at the heights of satellites. For points beyond
/// kInnermost_m from the centre.
Geodetic geodetic_of(const Eigen::Vector3d& ecef_m);

/// East, north and up at a place, as rows.
Eigen::Matrix3d horizon(const Geodetic& place);

}  // namespace constellm::orbit
