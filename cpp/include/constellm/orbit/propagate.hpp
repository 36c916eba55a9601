#pragma once
#include <span>

#include "constellm/core/stop.hpp"
#include "constellm/orbit/shell.hpp"

namespace constellm::orbit {

/// Drift of the elements of an orbit, over time.
struct Drift {
  double raan_rad_per_s = 0.0;
  double argument_of_perigee_rad_per_s = 0.0;
  double mean_anomaly_rad_per_s = 0.0;
};

/// Secular rates, to first order in J2 (Vallado, Fundamentals of Astrodynamics and Applications, 4th ed.,
/// equations 9-38, 9-40 and 9-41), with n = sqrt(mu / a^3), p = a (1 - e^2), k = 3/4 n J2 (R / p)^2:
///   RAAN -2 k cos i;  argument of perigee k (4 - 5 sin^2 i);
///   mean anomaly n + k sqrt(1 - e^2) (2 - 3 sin^2 i).
Drift drift(double semi_major_axis_m, double eccentricity, double inclination_rad, Propagator propagator);

/// States on the ellipses of the drifted elements, `time_s` after their epoch, in TEME, into
/// [satellites][times][3]; `velocity_m_per_s` may be empty. The results do not depend on `threads`.
/// Throws core::InvalidInput for SGP4, and core::Stopped.
void propagate(const Elements& elements, std::span<const double> time_s, Propagator propagator,
               std::span<double> position_teme_m, std::span<double> velocity_teme_m_per_s, int threads,
               core::StopToken& stop);

}  // namespace constellm::orbit
