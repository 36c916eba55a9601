#include "constellm/moe/trace_latency.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

TraceLatency trace_latency(const Problem& problem, const Placement& placement, const TokenPicks& picks,
                           std::int32_t first_slot, std::int32_t end_slot, core::StopToken& stop) {
  problem.require(placement);
  const std::size_t slots = z(end_slot - first_slot);
  const std::size_t top_k = z(problem.top_k());
  TraceLatency found{std::vector<double>(placement.size() * slots, 0.0),
                     std::vector<double>(picks.tokens, 0.0)};
  std::vector<double> latency_s;  // [experts][slots]
  std::vector<double> slowest_s(slots);
  for (std::size_t l = 0; l < placement.size(); ++l) {
    const Layer& layer = problem.layers()[l];
    latency_s.clear();
    for (const std::int32_t satellite : placement[l])
      for (std::int32_t t = first_slot; t < end_slot; ++t)
        latency_s.push_back(problem.latency_s(layer, t, satellite));
    double* const slot_s = &found.slot_latency_s[l * slots];
    for (std::size_t token = 0; token < picks.tokens; ++token) {
      if (stop.should_stop(slots * top_k / 64 + 1)) throw core::Stopped();
      const std::uint16_t* const ids = &picks.expert_ids[(l * picks.tokens + token) * top_k];
      const double* const first = &latency_s[ids[0] * slots];
      std::copy(first, first + slots, slowest_s.begin());
      for (std::size_t k = 1; k < top_k; ++k) {
        const double* const other = &latency_s[ids[k] * slots];
        for (std::size_t t = 0; t < slots; ++t) slowest_s[t] = std::max(slowest_s[t], other[t]);
      }
      double sum = 0.0;
      for (std::size_t t = 0; t < slots; ++t) {
        sum += slowest_s[t];
        slot_s[t] += slowest_s[t];
      }
      found.token_latency_s[token] += layer.base_s + sum / static_cast<double>(slots);
    }
    for (std::size_t t = 0; t < slots; ++t)
      slot_s[t] = layer.base_s + slot_s[t] / static_cast<double>(picks.tokens);
  }
  return found;
}

}  // namespace constellm::moe
