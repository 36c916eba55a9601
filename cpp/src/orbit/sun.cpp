#include "constellm/orbit/sun.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {

Eigen::Vector3d sun_teme_m(core::Epoch epoch, double time_s) {
  constexpr std::int64_t kJ2000 = 946'728'000 * core::kMicrosecondsPerSecond;
  const double days = static_cast<double>(epoch.microseconds() - kJ2000) / 86'400e6 + time_s / 86'400.0;
  const double mean_longitude = (280.460 + 0.9856474 * days) * kDegree_rad;
  const double anomaly = (357.528 + 0.9856003 * days) * kDegree_rad;
  const double longitude =
      mean_longitude + (1.915 * std::sin(anomaly) + 0.020 * std::sin(2.0 * anomaly)) * kDegree_rad;
  const double obliquity = (23.439 - 4e-7 * days) * kDegree_rad;
  const double distance_m = core::kAstronomicalUnit.value *
                            (1.00014 - 0.01671 * std::cos(anomaly) - 0.00014 * std::cos(2.0 * anomaly));
  return distance_m * Eigen::Vector3d(std::cos(longitude), std::cos(obliquity) * std::sin(longitude),
                                      std::sin(obliquity) * std::sin(longitude));
}

double sunlit_share(const Eigen::Vector3d& position_m, const Eigen::Vector3d& sun_m) {
  const Eigen::Vector3d to_sun = sun_m - position_m;
  // Apparent radii of the discs of Sun and Earth, and how far their centres are apart [rad].
  const double sun = std::asin(std::min(1.0, core::kSunRadius.value / to_sun.norm()));
  const double earth = std::asin(std::min(1.0, core::kEarthRadius.value / position_m.norm()));
  const double apart =
      std::acos(std::clamp(-position_m.dot(to_sun) / (position_m.norm() * to_sun.norm()), -1.0, 1.0));
  if (apart >= sun + earth) return 1.0;
  if (apart <= earth - sun) return 0.0;
  if (apart <= sun - earth) return 1.0 - earth * earth / (sun * sun);
  // Both circles' segments beyond the line through where they cross.
  const double x = (apart * apart + sun * sun - earth * earth) / (2.0 * apart);
  const double y = std::sqrt(std::max(0.0, sun * sun - x * x));
  const double hidden = sun * sun * std::acos(std::clamp(x / sun, -1.0, 1.0)) +
                        earth * earth * std::acos(std::clamp((apart - x) / earth, -1.0, 1.0)) - apart * y;
  return 1.0 - hidden / (std::numbers::pi * sun * sun);
}

}  // namespace constellm::orbit
