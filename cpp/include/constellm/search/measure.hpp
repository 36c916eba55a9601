#pragma once
#include <vector>

#include "constellm/search/goal.hpp"

namespace constellm::search {

/// What a walk takes, by the search's own sums. Good for bounds; a solution's value is its owner's.
struct Consumption {
  double cost = 0.0;  ///< of the objective
  double bottleneck = 0.0;
  std::vector<double> used;  ///< [resources]
};

void measure(const LayeredGraph& graph, const Goal& goal, const Walk& walk, Consumption& out);

}  // namespace constellm::search
