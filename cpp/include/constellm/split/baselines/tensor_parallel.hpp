#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "constellm/split/problem.hpp"

namespace constellm::split {

/// Every layer runs on all hosts of a route at once, in shares.
struct TensorParallel {
  std::vector<std::int32_t> path;   ///< node positions, source to sink
  std::vector<std::int32_t> hosts;  ///< of the path
  std::vector<double> share;        ///< [hosts] of every layer
  double compute_s = 0.0;           ///< per micro-batch, were communication free [s]
  double group_s = 0.0;             ///< per micro-batch, synchronisation included [s]
  double bottleneck_s = 0.0;        ///< the group, or a hop of raw input or result [s]
  double delay_s = 0.0;
  double bytes = 0.0;  ///< over all links and micro-batches [B]
};

/// Galaxy's tensor and sequence parallelism (arXiv 2405.17245) on the route, of at most
/// kMostRoutes, where it is quickest; hosts from which no way leads back to the route's first one
/// only relay. No value where no route's hosts have the memory together.
///
/// Symbols: D hosts with shares w_d of every layer, t_d(l) seconds of layer l on host d alone, A
/// the larger of the layer's input and output activation [B], M micro-batches.
///
/// * w_d is proportional to speed, where memory allows; a host that is full hands its excess to
///   the others in proportion to theirs.
/// * A layer counts as one transformer block: attention and MLP, both tensor parallel, each with
///   an all-gather before and a reduce-scatter after it: four synchronisations, each overlapped
///   with a quarter of the layer's computation c = max_d w_d * t_d(l).
/// * Tiled overlap on a ring: one of D tiles is computed while the next one is on its way, so
///   that a synchronisation takes c / 4D + (D - 1) * max(c / 4D, x). x: the slowest transfer of A / D
///   bytes from a host to the next one along the route; from the last back to the first over a
///   route of fewest hops. A transfer over several links is their times and latencies in sum.
/// * A micro-batch costs the group the largest `overhead_s` of its hosts once.
/// * Raw input passes along the route up to the last host, the result from there to the sink. With
///   the group as one server of the flow line, delay = sum of times and latencies + (M - 1) * largest.
///
/// Deviations: sequence-parallel work between the blocks is part of c; that input and
/// synchronisation share links costs nothing here, which favours the method.
std::optional<TensorParallel> tensor_parallel(const Problem& problem);

}  // namespace constellm::split
