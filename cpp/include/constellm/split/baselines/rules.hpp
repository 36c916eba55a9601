#pragma once
#include <optional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

/// What a rule may use besides the problem.
struct Tools {
  core::StopToken& stop;
  search::Workspace& workspace;
};

/// A method's decision on a problem whose menu holds only the codecs that the method may use;
/// no value where it finds none. May break limits that the method does not know.
using Rule = std::optional<Assignment> (*)(const Problem& problem, Tools& tools);

// Exact optima of changed questions: what a method ignores is taken out of the problem.
std::optional<Assignment> optimum(const Problem& problem, Tools& tools);      ///< nothing is changed
std::optional<Assignment> ground_only(const Problem& problem, Tools& tools);  ///< only the sink hosts
std::optional<Assignment> single_satellite(const Problem& problem,
                                           Tools& tools);                     ///< only the first host does
std::optional<Assignment> single_best(const Problem& problem, Tools& tools);  ///< only the best node does
std::optional<Assignment> no_pipeline(const Problem& problem,
                                      Tools& tools);  ///< as if micro-batches did not overlap
std::optional<Assignment> jalad(const Problem& problem, Tools& tools);         ///< no_pipeline, any energy
std::optional<Assignment> neurosurgeon(const Problem& problem, Tools& tools);  ///< source and sink, latency
std::optional<Assignment> pipeedge(const Problem& problem, Tools& tools);      ///< throughput
std::optional<Assignment> edgeshard_latency(const Problem& problem, Tools& tools);  ///< layer 0 at the source
std::optional<Assignment> edgeshard_throughput(const Problem& problem,
                                               Tools& tools);  ///< layer 0 at the source

/// PipeEdge's blocks; then each hand-off in as many bits as let it take no longer than the
/// slowest stage, by QuantPipe's table. The menu is that of `quantpipe_bits`.
std::optional<Assignment> quantpipe(const Problem& problem, Tools& tools);

/// Codec of `quantpipe_bits` for a message that takes `slowness` times the target time.
std::int32_t quantpipe_codec(double slowness);

// Blocks by a rule of thumb, codecs the best for them.
std::optional<Assignment> uniform(const Problem& problem, Tools& tools);  ///< equally many layers
std::optional<Assignment> compute_proportional(const Problem& problem, Tools& tools);  ///< layers by speed

/// How many layers each host takes: the sizes closest to `targets` (smallest sum of absolute
/// differences, fewer for earlier hosts where equal) that fit the hosts' memories. Empty if none do.
std::vector<std::int32_t> nearest_sizes(const Problem& problem, const std::vector<std::int32_t>& hosts,
                                        const std::vector<std::int32_t>& targets);

/// `count` shared out by weight, each share rounded by largest remainder; infinite weights take all.
std::vector<std::int32_t> shared_out(std::int32_t count, const std::vector<double>& weights);

/// A shortest path over (node, layers done, codec in flight) that keeps one label per state,
/// that of the smallest sum + (M - 1) * largest term so far. Not exact: what a plain A* loses.
std::optional<Assignment> scalar_search(const Problem& problem, Tools& tools);

}  // namespace constellm::split
