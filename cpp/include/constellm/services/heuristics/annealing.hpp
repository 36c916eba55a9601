#pragma once
#include <cstdint>

#include "constellm/core/stop.hpp"
#include "constellm/services/answer.hpp"
#include "constellm/services/heuristics/slots.hpp"

namespace constellm::services::heuristics {

struct AnnealingOptions {
  std::uint64_t seed = 0;
  std::int64_t moves = 1'000'000;  ///< of all chains together
  int chains = 4;                  ///< each from a start and random numbers of its own
  int threads = 1;                 ///< says nothing about the result
};

/// Simulated annealing over the nodes of all stages (Kirkpatrick et al., 1983), with limits as penalties
/// whose weights learn. A start may be given; where it breaks limits it is mended. Chains are independent,
/// and the best of them counts, of equal ones the first. Reheats until the moves or the time are used up,
/// then each chain's best is polished by all moves of one slot and by tasks placed anew. Where no
/// chain has a plan in the end, one more starts from the greedy one.
Answer anneal(const Slots& slots, const AnnealingOptions& options, core::StopToken& stop,
              const Placement* start = nullptr);
Answer anneal(const Problem& problem, const Routes& routes, const AnnealingOptions& options,
              core::StopToken& stop, const Placement* start = nullptr);

/// How many moves a problem of this size is worth where nobody says.
std::int64_t moves_worth(const Slots& slots);

}  // namespace constellm::services::heuristics
