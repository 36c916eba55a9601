#pragma once
#include <vector>

namespace constellm::orbit {

/// Some time on end.
struct Stretch {
  double open_s;
  double close_s;
};

/// Several, in rising order, apart from each other.
using Stretches = std::vector<Stretch>;

/// Adds a later one, as a part of the last where it begins at its end.
inline void append(Stretches& to, const Stretch& next) {
  if (!to.empty() && to.back().close_s == next.open_s)
    to.back().close_s = next.close_s;
  else
    to.push_back(next);
}

/// Where those that are apart by less than `gap_s` are one.
Stretches bridged(const Stretches& stretches, double gap_s);

/// What of `stretches` is not in `taken`.
Stretches without(const Stretches& stretches, const Stretches& taken);

}  // namespace constellm::orbit
