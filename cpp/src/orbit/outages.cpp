#include "constellm/orbit/outages.hpp"

#include <algorithm>

namespace constellm::orbit {

void Outages::add(Pair pair, const Stretch& stretch) {
  if (pair.a > pair.b) std::swap(pair.a, pair.b);
  lost_[pair].push_back(stretch);
}

Stretches Outages::of(Pair pair) const {
  Stretches all;
  for (const Pair& lost : {Pair{pair.a, pair.a}, Pair{pair.b, pair.b}, pair}) {
    const auto found = lost_.find(lost);
    if (found != lost_.end()) all.insert(all.end(), found->second.begin(), found->second.end());
  }
  std::ranges::sort(all, {}, &Stretch::open_s);
  return all;
}

std::vector<Pair> Outages::at(double time_s) const {
  std::vector<Pair> lost;
  for (const auto& [pair, stretches] : lost_) {
    const auto covers = [&](const Stretch& stretch) {
      return stretch.open_s <= time_s && time_s < stretch.close_s;
    };
    if (std::ranges::any_of(stretches, covers)) lost.push_back(pair);
  }
  return lost;
}

}  // namespace constellm::orbit
