#include "constellm/orbit/stretch.hpp"

namespace constellm::orbit {

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
