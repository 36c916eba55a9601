#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/labels.hpp"

namespace constellm::search {

struct SolveOptions {
  /// Branch on intervals of the peak; else one label run over everything.
  bool intervals = true;
  LabelOptions labels;
};

enum class Outcome { proven, time_limit, interrupted };

struct Answer {
  Outcome outcome = Outcome::proven;
  double lower_bound = kInfinity;  ///< no walk is worth less; infinite where there is none
};

/// Memory of the solver, to be used again: one a thread.
struct Workspace {
  PassScratch passes;
  LabelScratch labels;
  PeakToGo peak;
  Window window;
  std::vector<CostToGo> costs;      ///< the latest multipliers' tables
  std::vector<CostToGo> resources;  ///< least use of each
  Walk walk;
};

/// Offers walks to `judge` until it is proven that none beats its cutoff, or time is up.
///
/// Branch and bound on intervals of the peak. On [lo, hi] only stages and hops of at most `hi`
/// exist, and the peak term costs at least peak_rate * lo; a Lagrangian over the limited
/// resources bounds the rest, each multiplier by one backward pass, whose trace is offered as
/// well. Intervals that cannot beat the cutoff fall away; what is left is finished by label
/// setting under these tables, within a budget while the interval can still be halved.
Answer solve(const LayeredGraph& graph, const Goal& goal, const SolveOptions& options, Judge& judge,
             core::StopToken& stop, Workspace& workspace, Counters& counters);

}  // namespace constellm::search
