#pragma once
#include <cstdint>
#include <vector>

#include "constellm/search/context.hpp"

namespace constellm::search {

struct LabelOptions {
  bool heuristic = true;  ///< order and prune by cost-to-go; else by cost so far
  bool dominance = true;
  bool resource_bound = true;  ///< prune by the least that each resource still needs
  std::int64_t copies = 1;     ///< a label falls only to this many that are no worse
  std::int64_t budget = -1;    ///< labels after which to give up; negative: none
};

/// What bounds a label run.
struct LabelBounds {
  const Reach* reach = nullptr;
  double bottleneck_floor = 0.0;  ///< walks of a lower bottleneck are not looked for
  const BottleneckToGo* bottleneck = nullptr;
  std::vector<const CostToGo*> costs;      ///< for several multipliers; rows are bounded by the first alone
  std::vector<const CostToGo*> resources;  ///< least use to go; parallel to the goal's
};

enum class LabelOutcome { exhausted, over_budget, stopped };

struct LabelAnswer {
  LabelOutcome outcome = LabelOutcome::exhausted;
  double least_open = kInfinity;  ///< no walk that is left has a lower value
};

/// Best-first label setting: extends partial walks in the order of their bounds, drops those
/// that another of the same state dominates (no worse in cost, bottleneck, every resource, nodes
/// visited), that cannot keep a limit, or that cannot beat the cutoff. `exhausted` proves that no
/// walk within the reach and above the bottleneck floor beats the cutoff.
LabelAnswer run_labels(const Context& context, const LabelBounds& bounds, const LabelOptions& options);

}  // namespace constellm::search
