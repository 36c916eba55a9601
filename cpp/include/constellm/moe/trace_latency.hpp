#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// Which experts each token activates: [layers][tokens][top_k].
struct TokenPicks {
  std::size_t tokens;
  std::span<const std::uint16_t> expert_ids;
};

/// What a placement costs tokens whose picks are known: each layer takes what the slowest of their experts
/// takes.
struct TraceLatency {
  std::vector<double> slot_latency_s;   ///< [layers][slots]: mean over the tokens, with base_s
  std::vector<double> token_latency_s;  ///< [tokens]: sum over the layers, mean over the slots, with base_s
};

/// Over the slots from `first_slot` to before `end_slot`. Ids are below the layer's experts. Throws
/// core::InvalidInput for what is no placement, and core::Stopped.
TraceLatency trace_latency(const Problem& problem, const Placement& placement, const TokenPicks& picks,
                           std::int32_t first_slot, std::int32_t end_slot, core::StopToken& stop);

}  // namespace constellm::moe
