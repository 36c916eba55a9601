#pragma once
#include <limits>

#include "constellm/orbit/link_rule.hpp"

namespace constellm::orbit {

/// What meets a limit to a billionth of it meets it, so that rounding decides nothing where a figure stays at
/// its limit, as the distance of two satellites on one circle may. Of angles that is the sine's.
inline constexpr double kRoom = 1e-9;
inline constexpr double kRoom_m = 1e-3;  ///< of heights

/// What a rule allows, with that room; infinite where it says nothing.
struct Limits {
  explicit Limits(const LinkRule& rule);

  double range_m;
  double range_rate_m_per_s = std::numeric_limits<double>::infinity();
  double angular_rate_rad_per_s = range_rate_m_per_s;
  double sin_latitude = range_rate_m_per_s;
  double sphere_m;  ///< about the Earth's centre, which lines between satellites stay outside of
};

}  // namespace constellm::orbit
