#pragma once

namespace constellm::core {

/// A number of nature or of a standard; the unit is in the name too.
struct Constant {
  const char* name;
  double value;
  const char* unit;
  const char* source;
};

inline constexpr Constant kEarthRadius{"EARTH_RADIUS_M", 6'378'137.0, "m",
                                       "equatorial radius, WGS 84 (NGA.STND.0036, 2014)"};
inline constexpr Constant kLightSpeed{"LIGHT_M_PER_S", 299'792'458.0, "m/s",
                                      "in vacuum, exact by the definition of the metre (SI brochure, 2019)"};
inline constexpr Constant kEarthFlattening{"EARTH_FLATTENING", 1.0 / 298.257223563, "",
                                           "of the ellipsoid, WGS 84 (NGA.STND.0036, 2014)"};
inline constexpr Constant kEarthMu{"EARTH_MU_M3_PER_S2", 3.986004418e14, "m^3/s^2",
                                   "gravitational constant times mass, WGS 84 (NGA.STND.0036, 2014)"};
inline constexpr Constant kEarthJ2{"EARTH_J2", 1.082626683e-3, "",
                                   "second zonal harmonic, EGM96 (Lemoine et al., NASA/TP-1998-206861)"};
inline constexpr Constant kEarthRotation{
    "EARTH_ROTATION_RAD_PER_S", 6.283185307179586 * 1.002737909350795 / 86'400.0, "rad/s",
    "rate of Greenwich mean sidereal time, IAU 1982 (Aoki et al., Astron. Astrophys. 105, 359)"};
inline constexpr Constant kPlanck{"PLANCK_J_S", 6.62607015e-34, "J s",
                                  "exact by the definition of the kilogram (SI brochure, 2019)"};
inline constexpr Constant kBoltzmann{"BOLTZMANN_J_PER_K", 1.380649e-23, "J/K",
                                     "exact by the definition of the kelvin (SI brochure, 2019)"};
inline constexpr Constant kSunRadius{"SUN_RADIUS_M", 6.957e8, "m", "nominal, IAU 2015 resolution B3"};
inline constexpr Constant kAstronomicalUnit{"ASTRONOMICAL_UNIT_M", 149'597'870'700.0, "m",
                                            "exact, IAU 2012 resolution B2"};

inline constexpr const Constant* kConstants[] = {
    &kEarthRadius,   &kLightSpeed, &kEarthFlattening, &kEarthMu,   &kEarthJ2,
    &kEarthRotation, &kPlanck,     &kBoltzmann,       &kSunRadius, &kAstronomicalUnit};

}  // namespace constellm::core
