#include "constellm/search/bundle.hpp"

#include <algorithm>

namespace constellm::search {
namespace {

constexpr std::size_t kMost = 12;  // more are of no use: the latest are near the top

/// A walk over one multiplier: what it costs without it, and by how much it breaks the limit.
struct Line {
  double cost;
  double over;
  [[nodiscard]] double at(double multiplier) const { return cost + multiplier * over; }
};

}  // namespace

void Bundle::add(const Consumption& walk) {
  if (!(walk.cost < kInfinity)) return;  // bounds nothing
  const auto same = [&](const Consumption& w) { return w.cost == walk.cost && w.used == walk.used; };
  if (std::any_of(walks_.begin(), walks_.end(), same)) return;
  if (walks_.size() == kMost) walks_.erase(walks_.begin());
  walks_.push_back(walk);
}

void Bundle::keep_within(double cap_s) {
  std::erase_if(walks_, [&](const Consumption& w) { return w.bottleneck > cap_s; });
}

Bundle::Peak Bundle::peak(std::size_t r, const std::vector<double>& multipliers,
                          const std::vector<double>& limits) const {
  Line lines[kMost];
  std::size_t count = 0;
  for (const Consumption& walk : walks_) {
    double cost = walk.cost;
    for (std::size_t i = 0; i < multipliers.size(); ++i) {
      if (i != r) cost += multipliers[i] * (walk.used[i] - limits[i]);
    }
    lines[count++] = {cost, walk.used[r] - limits[r]};
  }
  const Line* const begin = lines;
  const Line* const end = begin + count;
  if (std::none_of(begin, end, [](const Line& l) { return l.over <= 0.0; })) return {0.0, kInfinity};
  Peak peak;
  for (;;) {
    const Line lowest = *std::min_element(begin, end, [&](const Line& a, const Line& b) {
      const double x = a.at(peak.multiplier);
      const double y = b.at(peak.multiplier);
      return x < y || (x == y && a.over < b.over);
    });
    peak.value = lowest.at(peak.multiplier);
    if (!(lowest.over > 0.0)) return peak;
    // The rising line is the lowest until it meets one that falls, or another one that rises.
    double next = kInfinity;
    for (const Line* l = begin; l != end; ++l) {
      if (l->over <= 0.0) next = std::min(next, (l->cost - lowest.cost) / (lowest.over - l->over));
    }
    if (!(next > peak.multiplier)) return peak;
    peak.multiplier = next;
  }
}

}  // namespace constellm::search
