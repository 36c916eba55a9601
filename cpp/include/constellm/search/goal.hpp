#pragma once
#include <vector>

#include "constellm/search/resource.hpp"

namespace constellm::search {

/// Minimise objective + bottleneck_rate * bottleneck, with every resource within its limit and
/// the bottleneck at most `bottleneck_cap_s`.
struct Goal {
  Resource objective;
  double bottleneck_rate = 0.0;
  double bottleneck_cap_s = kInfinity;
  std::vector<Resource> resources;
  std::vector<double> limits;  ///< [resources]
};

}  // namespace constellm::search
