#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/services/heuristics/state.hpp"
#include "constellm/services/heuristics/task_placer.hpp"

namespace constellm::services::heuristics {

/// Random changes of a state. For one thread.
class Moves {
 public:
  Moves(const Slots& slots, core::Random& random);

  /// Places some change; false where nothing moved. `work` is what it took, in units of stop tokens.
  bool some(State& state, std::uint64_t& work);

  /// A node for a slot: where its service is already, near the task's best way, beside another stage, or any.
  std::int32_t some_node(const State& state, std::int32_t slot);
  TaskPlacer& placer() { return placer_; }

 private:
  [[nodiscard]] std::int32_t some_slot(const State& state);
  bool move_slot(State& state);
  bool move_replica(State& state);
  bool swap_replicas(State& state);
  bool swap_slots(State& state);
  bool close_replica(State& state);
  bool replace_task(State& state);
  bool admit_or_reject(State& state);
  void move_all(State& state, std::int32_t service, std::int32_t from, std::int32_t to);

  const Slots* slots_;
  core::Random* random_;
  TaskPlacer placer_;
  std::vector<std::int32_t> movable_;  // slots with more than one candidate, in tasks that can be placed
  std::vector<std::int32_t> placeable_;
  std::vector<std::int32_t> scratch_;
};

}  // namespace constellm::services::heuristics
