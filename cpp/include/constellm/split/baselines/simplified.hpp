#pragma once
#include "constellm/split/baselines/planner.hpp"

namespace constellm::split {

// Exact optima of simplified problems: what a method ignores is taken out.

/// Nothing is taken out.
std::optional<Assignment> optimum(const Problem& problem, core::StopToken& stop,
                                  search::Workspace& workspace);
/// Only the sink hosts.
std::optional<Assignment> ground_only(const Problem& problem, core::StopToken& stop,
                                      search::Workspace& workspace);
/// Only the first host does.
std::optional<Assignment> single_satellite(const Problem& problem, core::StopToken& stop,
                                           search::Workspace& workspace);
/// Only the best node does.
std::optional<Assignment> single_best(const Problem& problem, core::StopToken& stop,
                                      search::Workspace& workspace);
/// As if micro-batches did not overlap.
std::optional<Assignment> no_pipeline(const Problem& problem, core::StopToken& stop,
                                      search::Workspace& workspace);
/// The same with any energy.
std::optional<Assignment> jalad(const Problem& problem, core::StopToken& stop, search::Workspace& workspace);
/// Source and sink host; latency without limits.
std::optional<Assignment> neurosurgeon(const Problem& problem, core::StopToken& stop,
                                       search::Workspace& workspace);
/// Throughput without limits.
std::optional<Assignment> pipeedge(const Problem& problem, core::StopToken& stop,
                                   search::Workspace& workspace);
/// Latency without limits, layer 0 at the source if that hosts.
std::optional<Assignment> edgeshard_latency(const Problem& problem, core::StopToken& stop,
                                            search::Workspace& workspace);
/// Throughput without limits, layer 0 at the source if that hosts.
std::optional<Assignment> edgeshard_throughput(const Problem& problem, core::StopToken& stop,
                                               search::Workspace& workspace);

}  // namespace constellm::split
