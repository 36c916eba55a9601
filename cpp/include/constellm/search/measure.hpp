#pragma once
#include <array>

#include "constellm/search/goal.hpp"

namespace constellm::search {

/// What a walk costs, by the search's own sums. Good for bounds; a plan's worth is its owner's.
struct Figures {
  double cost = 0.0;
  double peak = 0.0;
  std::array<double, kMaxResources> used{};
};

Figures measure(const LayeredGraph& graph, const Goal& goal, const Walk& walk);

}  // namespace constellm::search
