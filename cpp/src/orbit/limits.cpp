#include "limits.hpp"

#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {

Limits::Limits(const LinkRule& rule)
    : range_m(longest_m(rule) * (1.0 + kRoom)),
      sphere_m(core::kEarthRadius.value + rule.grazing_altitude_m.value_or(kGrazingAltitude_m) - kRoom_m) {
  if (rule.max_range_rate_m_per_s) range_rate_m_per_s = *rule.max_range_rate_m_per_s * (1.0 + kRoom);
  if (rule.max_angular_rate_rad_per_s)
    angular_rate_rad_per_s = *rule.max_angular_rate_rad_per_s * (1.0 + kRoom);
  if (rule.max_latitude_deg) sin_latitude = std::sin(*rule.max_latitude_deg * kDegree_rad) + kRoom;
}

}  // namespace constellm::orbit
