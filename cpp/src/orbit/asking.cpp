#include "asking.hpp"

#include <algorithm>

namespace constellm::orbit {

void asked(const NearPoints& near, std::int32_t from, std::size_t count, std::vector<std::int32_t>& found) {
  near.nearest(from, count + 1, found);
  if (found.size() > count) {
    const double last_m = near.distance_m(from, found[count - 1]);
    if (last_m + kAsNear_m < near.distance_m(from, found[count])) {
      found.pop_back();
    } else {
      // Who is farther than what is as near as the last is asked for by none, and counts before none that is.
      near.within(from, last_m + 2.0 * kAsNear_m, found);
      std::vector<double> distance_m;
      for (const std::int32_t point : found) distance_m.push_back(near.distance_m(from, point));
      std::vector<std::int32_t> chosen;
      for (std::size_t i = 0; i < found.size(); ++i) {
        std::size_t ahead = 0;
        for (std::size_t k = 0; k < found.size(); ++k)
          ahead += k != i && before(distance_m[k], found[k], distance_m[i], found[i]) ? 1 : 0;
        if (ahead < count) chosen.push_back(found[i]);
      }
      found = chosen;
    }
  }
  std::ranges::sort(found);
}

}  // namespace constellm::orbit
