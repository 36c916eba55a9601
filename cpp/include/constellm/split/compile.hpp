#pragma once
#include <optional>

#include "constellm/search/goal.hpp"
#include "constellm/search/graph.hpp"
#include "constellm/split/plan.hpp"
#include "constellm/split/routes.hpp"

namespace constellm::split {

/// A problem in the search's terms: sites are nodes, positions visits of them, levels layers
/// done, forms what crosses a hop (a codec's output; raw input; the result), lines links.
struct Compiled {
  Routes routes;
  search::LayeredGraph graph;
};

/// No value where no path leads from source to sink. Without `unroll`, positions are the nodes
/// even where the routes are few.
std::optional<Compiled> compile(const Problem& problem, bool unroll = true);

/// The problem on routes that are given.
Compiled compile(const Problem& problem, Routes routes);

/// Additive quantities of a plan, each a meter of the search.
search::Meter time_meter(const Compiled& compiled, const Problem& problem);
search::Meter error_meter(const Compiled& compiled, const Problem& problem);
search::Meter energy_meter(const Compiled& compiled, const Problem& problem);  ///< over all micro-batches
search::Meter bytes_meter(const Problem& problem);                             ///< over all micro-batches

/// Whether the problem limits these to something that can be reached by a sum of doubles.
bool error_limited(const Problem& problem);
bool energy_limited(const Problem& problem);

/// Adds the limits that the problem sets on error and energy, in this order.
void add_limits(const Compiled& compiled, const Problem& problem, search::Goal& goal);

/// A walk of the search as a plan's decision.
void to_assignment(const Compiled& compiled, const search::Walk& walk, Assignment& out);

}  // namespace constellm::split
