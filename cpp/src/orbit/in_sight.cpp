#include "constellm/orbit/in_sight.hpp"

#include <algorithm>
#include <bit>
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
    const double from_centre = Eigen::Map<const Eigen::Vector3d>(position_m.data() + 3 * i).squaredNorm();
    tangent_m[i] = std::sqrt(from_centre - sphere_m * sphere_m);
    if (tangent_m[i] > longest_m) longest_m = tangent_m[i];
  }
  const double reach_m = std::min(max_range_m, 2.0 * longest_m);
  const double most = reach_m * reach_m;
  const NearPoints near(position_m);
  InSight pairs;
  // Those near a satellite come in no order: a bit each, and the bits are read in theirs.
  std::vector<std::uint64_t> is_near((count + 63) / 64);
  std::vector<double> squared(count);
  for (std::size_t a = 0; a < count; ++a) {
    // The first sixteenth of the satellites has about an eighth of the pairs.
    if (a == count / 16) pairs.reserve(9 * pairs.a.size());
    const std::size_t before = pairs.a.size();
    near.around(static_cast<std::int32_t>(a), reach_m, [&](std::int32_t point, double squared_m) {
      const auto b = static_cast<std::size_t>(point);
      squared[b] = squared_m;
      const auto bit =
          static_cast<std::uint64_t>(static_cast<int>(b > a) & static_cast<int>(squared_m <= most));
      is_near[b / 64] |= bit << (b % 64);
    });
    for (std::size_t word = a / 64; word < is_near.size(); ++word) {
      for (; is_near[word] != 0; is_near[word] &= is_near[word] - 1) {
        const std::size_t b = 64 * word + static_cast<std::size_t>(std::countr_zero(is_near[word]));
        const double range_m = std::sqrt(squared[b]);
        if (!(range_m <= tangent_m[a] + tangent_m[b])) continue;
        pairs.a.push_back(static_cast<std::int32_t>(a));
        pairs.b.push_back(static_cast<std::int32_t>(b));
        pairs.range_m.push_back(range_m);
      }
    }
    if (stop.should_stop(pairs.a.size() - before + 1)) throw core::Stopped();
  }
  return pairs;
}

}  // namespace constellm::orbit
