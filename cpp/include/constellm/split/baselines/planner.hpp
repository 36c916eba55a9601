#pragma once
#include <optional>

#include "constellm/core/stop.hpp"
#include "constellm/search/context.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

/// A method's decision on a problem whose menu holds only the codecs that the method may use;
/// no value where it finds none. May break limits that the method does not know.
using Planner = std::optional<Assignment> (*)(const Problem& problem, core::StopToken& stop,
                                              search::Workspace& workspace);

}  // namespace constellm::split
