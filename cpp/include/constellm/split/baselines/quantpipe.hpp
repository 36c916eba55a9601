#pragma once
#include <cstdint>

#include "constellm/split/baselines/planner.hpp"

namespace constellm::split {

/// PipeEdge's blocks; then each hand-off in as many bits as let it take no longer than the
/// slowest stage, by QuantPipe's table. The menu is that of `quantpipe_bits`.
std::optional<Assignment> quantpipe(const Problem& problem, core::StopToken& stop,
                                    search::Workspace& workspace);

/// Codec of `quantpipe_bits` for a message that takes `slowness` times the target time.
std::int32_t quantpipe_codec(double slowness);

}  // namespace constellm::split
