#pragma once
#include "constellm/search/goal.hpp"
#include "constellm/split/compile.hpp"

namespace constellm::split {

/// Additive quantities of a plan, each a resource of the search.
search::Resource time_resource(const Compiled& compiled, const Problem& problem);
search::Resource error_resource(const Compiled& compiled, const Problem& problem);
search::Resource energy_resource(const Compiled& compiled, const Problem& problem);  ///< all micro-batches
search::Resource bytes_resource(const Problem& problem);                             ///< all micro-batches

/// Whether the problem limits these to something that can be reached by a sum of doubles.
bool error_limited(const Problem& problem);
bool energy_limited(const Problem& problem);

/// Adds the limits that the problem sets on error and energy, in this order.
void add_limits(const Compiled& compiled, const Problem& problem, search::Goal& goal);

/// Minimise time + (M - 1) * bottleneck within the problem's limits.
search::Goal delay_goal(const Compiled& compiled, const Problem& problem);

/// Minimise the bottleneck within the problem's limits.
search::Goal bottleneck_goal(const Compiled& compiled, const Problem& problem);

/// Minimise any other resource within the problem's limits.
search::Goal resource_goal(search::Resource objective, const Compiled& compiled, const Problem& problem);

}  // namespace constellm::split
