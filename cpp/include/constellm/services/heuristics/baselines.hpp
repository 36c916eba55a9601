#pragma once
#include <cstdint>

#include "constellm/core/stop.hpp"
#include "constellm/services/answer.hpp"
#include "constellm/services/heuristics/slots.hpp"

namespace constellm::services::heuristics {

// What planners are compared with. Each gives a plan that keeps every limit, or none; with
// Objective::admitted a task that finds no room is left out, else there is no plan then.

/// Tasks one after the other, each as a whole where it adds least to the objective, by dynamic programming
/// over its stages; a replica that is there costs nothing more. Heaviest first, and tightest deadline first;
/// stages that are too much for a node together find others one by one, or the task is placed anew without
/// one of them there: the best of the four. A task that finds no room goes first, and all is begun anew, as
/// often as there are tasks at most.
Answer greedy(const Slots& slots, core::StopToken& stop);

/// Each stage, in the order of the file, on the node that is reached soonest from its task's source and has
/// room.
Answer nearest(const Slots& slots, core::StopToken& stop);

inline constexpr std::int64_t kRandomTries = 1000;

/// Each stage on one of the nodes with room, all alike, tasks in random order. Tasks that end too late are
/// drawn again, then all of it, `tries` times at most.
Answer random_placement(const Slots& slots, std::uint64_t seed, std::int64_t tries, core::StopToken& stop);

/// Nothing is shared: no replica serves two tasks. All stages of a task on the one node that has room for all
/// of them and is soonest done, and where there is none, each where the task is soonest done. Since a node
/// has one replica of a service at most, two tasks with a service in common are on different nodes there.
Answer monolith(const Slots& slots, core::StopToken& stop);

struct TabuOptions {
  std::uint64_t seed = 0;
  std::int64_t moves = 1'000'000;  ///< that are tried, not made
};

/// Tabu search (Glover, 1989): always the best move of one slot that does not bring it back to where it has
/// just been, but for one that gives the best plan so far; to leave a task out is a move like others where
/// that may be. Limits as penalties whose weights learn.
Answer tabu(const Slots& slots, const TabuOptions& options, core::StopToken& stop);

struct GeneticOptions {
  std::uint64_t seed = 0;
  std::int64_t generations = 400;
  int population = 60;
};

/// A genetic algorithm (Holland, 1975): tournaments of three, uniform crossover by task, slots that mutate,
/// repair of tasks on nodes with too much, and the best two live on.
Answer genetic(const Slots& slots, const GeneticOptions& options, core::StopToken& stop);

}  // namespace constellm::services::heuristics
