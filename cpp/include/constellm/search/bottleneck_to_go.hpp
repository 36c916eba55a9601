#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/reach.hpp"

namespace constellm::search {

/// Least bottleneck from every state to the end, ignoring entering and leaving times.
struct BottleneckToGo {
  double total = kInfinity;
  std::vector<double> pass_on;  ///< [vertices, levels + 1, stride] leaving in a choice
  std::vector<double> stage;    ///< [vertices, levels + 1] beginning a stage
};

/// Memory of bottleneck passes, to be used again.
struct BottleneckPassScratch {
  std::vector<double> arrive;  ///< [vertices, levels + 1, stride]
  std::vector<double> after;   ///< [vertices, levels + 1] after a stage that ends at a level
  std::vector<std::int32_t>
      ends;  ///< [vertices, levels + 1] where a stage may well end; see `bottleneck_pass`
  std::vector<std::int32_t> first;  ///< [vertices] of the ends in use
  std::vector<std::int32_t> last;   ///< [vertices] one past them
};

/// Fills `table` backwards for the reach. Once `stop` says so, only the total has a meaning: it
/// still bounds.
/// O(arcs * levels * choices) when acyclic; then entries outside the reach have no meaning.
void bottleneck_pass(const LayeredGraph& graph, const Reach& reach, core::StopToken& stop,
                     BottleneckPassScratch& scratch, BottleneckToGo& table);

}  // namespace constellm::search
