#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/reach.hpp"
#include "constellm/search/resource.hpp"

namespace constellm::search {

/// The completion bound of one resource: the least of it from every state to the end, over walks
/// within a reach. Walks of a graph with cycles may repeat a vertex here, so that the entries bound
/// from below. Outside the reach's levels they have no meaning.
struct CostToGo {
  Resource resource;
  std::vector<double> multipliers;  ///< [resources] that went into `resource`
  double constant = 0.0;            ///< sum of multipliers * limits
  double total = kInfinity;         ///< from the source
  std::vector<double> pass_on;      ///< [vertices, levels + 1, stride] leaving in a choice
  std::vector<double> stage;        ///< [vertices, levels + 1] beginning a stage
  std::vector<double> stage_end;    ///< [vertices, levels + 1] having ended one, best choice
};

/// Memory of cost passes, to be used again.
struct CostPassScratch {
  std::vector<double> arrive;            ///< [vertices, levels + 1, stride]
  std::vector<double> key;               ///< [vertices, levels + 1]
  std::vector<std::int32_t> queue;       ///< [vertices, levels + 1] monotone queue of stage ends
  std::vector<std::int32_t> queue_head;  ///< [vertices]
  std::vector<std::int32_t> queue_tail;
};

/// Fills `table` (whose resource is set) backwards for the reach. Once `stop` says so, only the
/// total has a meaning: it still bounds. O(arcs * levels * choices) when acyclic.
void cost_pass(const LayeredGraph& graph, const Reach& reach, core::StopToken& stop, CostPassScratch& scratch,
               CostToGo& table);

/// A walk that attains `table.total`.
void trace(const LayeredGraph& graph, const Reach& reach, const CostToGo& table, Walk& walk);

}  // namespace constellm::search
