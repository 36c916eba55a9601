#pragma once
#include <Eigen/Core>

#include "constellm/core/epoch.hpp"

namespace constellm::orbit {

/// The Sun's place in TEME, to 0.01 degrees from 1950 to 2050 (Astronomical Almanac, page C5, low precision;
/// Vallado, 4th ed., section 5.1.1). UTC stands for terrestrial time: a minute moves the Sun by 0.0007
/// degrees.
Eigen::Vector3d sun_teme_m(core::Epoch epoch, double time_s);

/// The share of the Sun's disc that a spherical Earth of equatorial radius leaves in sight: 0 in its umbra, 1
/// out of its penumbra (Montenbruck & Gill, Satellite Orbits, 2000, section 3.4.2). Air is left out.
double sunlit_share(const Eigen::Vector3d& position_m, const Eigen::Vector3d& sun_m);

}  // namespace constellm::orbit
