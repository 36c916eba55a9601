#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

/// What a benchmark method would do. It may break limits that the method knows nothing of.
struct Proposal {
  Problem problem;  ///< the one asked; at the end of its menu codecs that the method brings along
  std::optional<Assignment> assignment;
  core::Status status = core::Status::no_plan_found;  ///< feasible, when it keeps every limit
  std::string method;
  std::int32_t added_codecs = 0;  ///< those that are brought along and used
  double seconds = 0.0;
};

/// Names for `propose`, without the family "fixed:<codec>".
std::vector<std::string> baseline_names();

/// Whether `propose` knows a method of this name, "fixed:<codec>" of any codec included.
bool is_baseline(std::string_view name);

/// The plan of the benchmark method `name`. Throws core::InvalidInput for an unknown name, and
/// where the menu has no codec of the kind that the method is about.
Proposal propose(std::string_view name, const Problem& problem, core::StopToken& stop,
                 search::Workspace& workspace);

/// The proposal as a solver's answer: without a plan where that would break a limit.
Plan to_plan(const Proposal& proposal);

}  // namespace constellm::split
