#include "constellm/orbit/in_sight.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/near.hpp"

namespace constellm::orbit {

InSight in_sight(std::span<const double> position_m, double max_range_m, double grazing_altitude_m,
                 core::StopToken& stop) {
  const std::size_t count = position_m.size() / 3;
  const double sphere_m = core::kEarthRadius.value + grazing_altitude_m;
  // A line that grazes the sphere is as long as the tangents from its ends; two satellites outside see each
  // other where they are no farther apart. [satellites], NaN of one inside.
  std::vector<double> tangent_m(count);
  double longest_m = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const double squared = Eigen::Map<const Eigen::Vector3d>(position_m.data() + 3 * i).squaredNorm();
    tangent_m[i] = std::sqrt(squared - sphere_m * sphere_m);
    if (tangent_m[i] > longest_m) longest_m = tangent_m[i];
  }
  const double reach_m = std::min(max_range_m, 2.0 * longest_m);
  const NearPoints near(position_m);
  InSight pairs;
  std::vector<std::int32_t> found;
  for (std::size_t a = 0; a < count; ++a) {
    if (stop.should_stop(found.size() + 1)) throw core::Stopped();
    near.within(static_cast<std::int32_t>(a), reach_m, found);
    for (const std::int32_t other : found) {
      const auto b = static_cast<std::size_t>(other);
      if (b < a) continue;
      const double range_m = (Eigen::Map<const Eigen::Vector3d>(position_m.data() + 3 * b) -
                              Eigen::Map<const Eigen::Vector3d>(position_m.data() + 3 * a))
                                 .norm();
      if (!(range_m <= tangent_m[a] + tangent_m[b])) continue;
      pairs.a.push_back(static_cast<std::int32_t>(a));
      pairs.b.push_back(other);
      pairs.range_m.push_back(range_m);
    }
  }
  return pairs;
}

}  // namespace constellm::orbit
