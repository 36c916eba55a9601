#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/backward.hpp"
#include "constellm/search/counters.hpp"
#include "constellm/search/goal.hpp"

namespace constellm::search {

/// Takes complete walks and says what is still worth finding.
class Judge {
 public:
  virtual ~Judge() = default;
  /// A walk that may be a solution; the judge finds out whether it is, and what it is worth.
  virtual void offer(const Walk& walk) = 0;
  /// Nothing of this worth or more is wanted any longer.
  [[nodiscard]] virtual double cutoff() const = 0;
};

/// A partial walk that has come to a position with `level` units done and the result in `form`,
/// and is about to begin a stage there, or else to pass on what came.
struct Label {
  double bound = 0.0;  ///< no completion is worth less
  double cost = 0.0;
  double peak = 0.0;
  double entered_s = 0.0;  ///< time spent on entering the stage about to begin
  std::array<double, kMaxResources> used{};
  std::int32_t position = 0;
  std::int32_t level = 0;
  std::int32_t form = 0;
  std::int32_t parent = -1;  ///< label
  std::int32_t next_in_state = -1;
  bool begins_stage = false;
  bool dominated = false;
};

struct LabelOptions {
  bool heuristic = true;  ///< order and prune by cost-to-go; else by cost so far
  bool dominance = true;
  bool resource_bound = true;  ///< prune by the least that each resource still needs
  std::int64_t copies = 1;     ///< a label falls only to this many that are no worse
  std::int64_t budget = -1;    ///< labels after which to give up; negative: none
};

enum class LabelOutcome { exhausted, over_budget, stopped };

/// What bounds a label run.
struct LabelBounds {
  const Window* window = nullptr;
  double peak_floor = 0.0;  ///< walks of a lower peak are not looked for
  const PeakToGo* peak = nullptr;
  std::vector<const CostToGo*> costs;      ///< for several multipliers; the first also orders
  std::vector<const CostToGo*> resources;  ///< least use to go; parallel to the goal's
};

/// Memory of label runs, to be used again.
struct LabelScratch {
  std::vector<Label> labels;
  std::vector<std::uint64_t> visited;  ///< [labels, words] sites, for graphs with cycles
  std::vector<std::int32_t> head;      ///< first label of every state
  std::vector<std::int32_t> touched;   ///< states with labels
  struct Open {
    double bound;
    std::int32_t label;
  };
  std::vector<Open> open;
  Walk walk;
};

/// Best-first label setting: extends partial walks in the order of their bounds, drops those
/// that another of the same state dominates (no worse in cost, peak, every resource, sites
/// visited), that cannot keep a limit, or that cannot beat the judge's cutoff. `exhausted`
/// proves that no walk within the window and above the peak floor beats the cutoff.
/// `least_open` is a bound on what was left when it ended otherwise.
LabelOutcome run_labels(const LayeredGraph& graph, const Goal& goal, const LabelBounds& bounds,
                        const LabelOptions& options, Judge& judge, core::StopToken& stop,
                        LabelScratch& scratch, Counters& counters, double& least_open);

}  // namespace constellm::search
