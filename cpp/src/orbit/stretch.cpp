#include "constellm/orbit/stretch.hpp"

namespace constellm::orbit {

Stretches bridged(const Stretches& stretches, double gap_s) {
  Stretches made;
  for (const Stretch& next : stretches) {
    if (!made.empty() && next.open_s - made.back().close_s < gap_s)
      made.back().close_s = next.close_s;
    else
      made.push_back(next);
  }
  return made;
}

Stretches without(const Stretches& stretches, const Stretches& taken) {
  Stretches left;
  for (const Stretch& stretch : stretches) {
    double open_s = stretch.open_s;
    for (const Stretch& gone : taken) {
      if (gone.close_s <= open_s) continue;
      if (gone.open_s >= stretch.close_s) break;
      if (gone.open_s > open_s) left.push_back({open_s, gone.open_s});
      open_s = gone.close_s;
    }
    if (open_s < stretch.close_s) left.push_back({open_s, stretch.close_s});
  }
  return left;
}

}  // namespace constellm::orbit
