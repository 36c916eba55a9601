#pragma once
#include <cstdint>
#include <vector>

#include "constellm/services/heuristics/state.hpp"
#include "constellm/services/heuristics/task_placer.hpp"

namespace constellm::services::heuristics {

/// Heaviest tasks first: by Σ of their largest load, ties by position.
std::vector<std::int32_t> heaviest_first(const Slots& slots);

/// Scales under which a typical change of one task or one replica counts about 1.
Scales scales_of(const Slots& slots);

/// Places one task after the other where it is cheapest with what is there.
void construct(State& state, TaskPlacer& placer, const std::vector<std::int32_t>& order);

/// Moves of one slot, of one replica and of one task, as long as one gains. Returns how many were tried.
std::int64_t descend(State& state, TaskPlacer& placer, core::StopToken& stop);

}  // namespace constellm::services::heuristics
