#pragma once
#include <Eigen/Core>

namespace constellm::orbit {

/// The E of Kepler's equation M = E - e sin E, for e in [0, 1), to the last places. Whole turns of M are
/// kept.
double eccentric_anomaly_rad(double mean_anomaly_rad, double eccentricity);

/// One satellite's elements, as the columns of Elements.
struct Orbit {
  double semi_major_axis_m = 0.0;
  double eccentricity = 0.0;
  double inclination_rad = 0.0;
  double raan_rad = 0.0;
  double argument_of_perigee_rad = 0.0;
  double mean_anomaly_rad = 0.0;
};

struct State {
  Eigen::Vector3d position_m;
  Eigen::Vector3d velocity_m_per_s;
};

/// The ellipse through a state about a point mass; what is undetermined is 0: the perigee's argument of a
/// circle, the node of an equatorial orbit. Where the orbit does not close, `semi_major_axis_m` is not
/// positive or not finite; where it is a straight line, the eccentricity is 1.
Orbit orbit_of(const State& state);

}  // namespace constellm::orbit
