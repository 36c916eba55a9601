#pragma once
#include <vector>

#include "constellm/search/goal.hpp"
#include "constellm/search/graph.hpp"
#include "constellm/search/window.hpp"

namespace constellm::search {

/// The least of one meter from every state to the end, peaks capped by a window. Walks of a
/// graph with cycles may repeat a position here, so that the figures bound from below.
/// Outside the window's levels the entries have no meaning.
struct CostToGo {
  Meter meter;
  std::vector<double> multipliers;  ///< [resources] that went into `meter`
  double constant = 0.0;            ///< sum of multipliers * limits
  double total = kInfinity;         ///< from the source
  std::vector<double> pass_on;      ///< [positions, levels + 1, stride] leaving in a form
  std::vector<double> stage;        ///< [positions, levels + 1] beginning a stage
  std::vector<double> stage_end;    ///< [positions, levels + 1] having ended one, best form
};

/// Scratch of the passes below, to be used again.
struct PassScratch {
  std::vector<double> arrive;            ///< [positions, levels + 1, stride]
  std::vector<double> peak_arrive;       ///< [positions, stride] at the level in work
  std::vector<double> key;               ///< [positions, levels + 1]
  std::vector<std::int32_t> queue;       ///< [positions, levels + 1] monotone queue of stage ends
  std::vector<std::int32_t> queue_head;  ///< [positions]
  std::vector<std::int32_t> queue_tail;
};

/// Fills `table` (whose meter is set) for the window. O(arcs * levels * options) when acyclic.
void backward_pass(const LayeredGraph& graph, const Window& window, PassScratch& scratch, CostToGo& table);

/// Least peak from every state to the end, ignoring entering and leaving times.
struct PeakToGo {
  double total = kInfinity;
  std::vector<double> pass_on;  ///< [positions, levels + 1, stride]
  std::vector<double> stage;    ///< [positions, levels + 1]
};
void peak_pass(const LayeredGraph& graph, const Window& window, PassScratch& scratch, PeakToGo& table);

/// A walk that attains `table.total`.
void trace(const LayeredGraph& graph, const Window& window, const CostToGo& table, Walk& walk);

}  // namespace constellm::search
