#pragma once
#include <cstdint>
#include <limits>
#include <optional>

#include "constellm/core/stop.hpp"
#include "constellm/services/answer.hpp"
#include "constellm/services/exact/model.hpp"

namespace constellm::services::exact {

/// The best plan by branch and bound with Lagrangian bounds, for every problem of the format: first the
/// objective's first term, then the second among plans equal in the first. `start`: a plan to begin with.
/// Stopped early, or after `most` nodes of its tree, it has the best plan found and a bound.
Answer search(const Problem& problem, const Routes& routes, const std::optional<Placement>& start,
              core::StopToken& stop, std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// What a search of so many nodes leaves open.
struct Explored {
  bool proven = false;  ///< no plan has a better first term than the best of start and placement
  double lower_bound = 0.0;
  std::optional<Placement> placement;
  Hosts hosts;  ///< of each slot; every better plan has its nodes here
  std::int64_t nodes = 0;
};

/// How far a search goes.
struct Effort {
  std::int64_t most_nodes = std::numeric_limits<std::int64_t>::max();  ///< of the tree
  /// Relative; where the root leaves more to a plan, it is all of the tree. Without a plan nothing is known.
  double most_gap = std::numeric_limits<double>::infinity();
};

/// The first term alone, with the nodes of `hosts` [slots] (none: all).
Explored explored(const Problem& problem, const Routes& routes, const Hosts& hosts,
                  const std::optional<Placement>& start, const Effort& effort, core::StopToken& stop);

/// What is left of the problem once a plan is known.
struct Reduced {
  bool possible = true;  ///< false: no plan has a first term of at most the value
  Hosts hosts;  ///< of each slot; every plan whose first term is at most the value has its nodes here
  double lower_bound = 0.0;
  std::optional<Placement> placement;  ///< the best plan that was met, if it is at most the value
  std::int64_t bounds = 0;
};

/// Keeps every plan whose first term is at most `value` (with 1e-9 of room): pass an incumbent's value to
/// keep equal plans too, or less for better ones alone. Infinite: whatever can be said without.
Reduced reduced_hosts(const Problem& problem, const Routes& routes, double value, std::int32_t steps,
                      core::StopToken& stop);

}  // namespace constellm::services::exact
