#pragma once
#include <cstdint>
#include <vector>

#include "constellm/split/baselines/planner.hpp"

namespace constellm::split {

// Blocks by shares of the layers that are given beforehand, codecs the best for them.

/// Equally many layers on every host.
std::optional<Assignment> uniform(const Problem& problem, core::StopToken& stop,
                                  search::Workspace& workspace);
/// Layers in proportion to speed.
std::optional<Assignment> compute_proportional(const Problem& problem, core::StopToken& stop,
                                               search::Workspace& workspace);

/// How many layers each host takes: the sizes closest to `targets` (smallest sum of absolute
/// differences, fewer for earlier hosts where equal) that fit the hosts' memories. Empty if none
/// do, or when `stop` says so.
std::vector<std::int32_t> nearest_sizes(const Problem& problem, const std::vector<std::int32_t>& hosts,
                                        const std::vector<std::int32_t>& targets, core::StopToken& stop);

/// `count` shared out by weight, each share rounded by largest remainder; infinite weights take all.
std::vector<std::int32_t> shared_out(std::int32_t count, const std::vector<double>& weights);

}  // namespace constellm::split
