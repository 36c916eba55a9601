#pragma once
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/bottleneck_to_go.hpp"
#include "constellm/search/cost_to_go.hpp"
#include "constellm/search/counters.hpp"
#include "constellm/search/goal.hpp"
#include "constellm/search/incumbents.hpp"
#include "constellm/search/label.hpp"
#include "constellm/search/reach.hpp"

namespace constellm::search {

/// Memory of a search, to be used again: one a thread.
struct Workspace {
  CostPassScratch cost_pass;
  BottleneckPassScratch bottleneck_pass;
  LabelScratch labels;
  BottleneckToGo bottleneck;
  Reach reach;
  std::vector<CostToGo> costs;      ///< the latest multipliers' tables
  std::vector<CostToGo> resources;  ///< least use of each
  Walk walk;
};

/// What every part of one search shares.
struct Context {
  const LayeredGraph& graph;
  const Goal& goal;
  Incumbents& incumbents;
  core::StopToken& stop;
  Workspace& workspace;
  Counters& counters;

  [[nodiscard]] bool stopped() const { return stop.reason() != core::StopReason::none; }
};

}  // namespace constellm::search
