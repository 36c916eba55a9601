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

inline constexpr const Constant* kConstants[] = {&kEarthRadius, &kLightSpeed};

}  // namespace constellm::core
