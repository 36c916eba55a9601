#include "constellm/services/heuristics/moves.hpp"

#include <algorithm>

namespace constellm::services::heuristics {
namespace {

using core::z;

template <class T>
const T& some_of(const std::vector<T>& from, core::Random& random) {
  return from[random.below(static_cast<std::uint32_t>(from.size()))];
}

}  // namespace

Moves::Moves(const Slots& slots, core::Random& random)
    : slots_(&slots), random_(&random), placer_(slots, 24) {
  for (std::int32_t t = 0; t < slots.task_count(); ++t) {
    if (!slots.placeable(t)) continue;
    placeable_.push_back(t);
    for (std::int32_t k = slots.first(t); k < slots.end(t); ++k)
      if (slots.candidates(k).size() > 1) movable_.push_back(k);
  }
}

std::int32_t Moves::some_slot(const State& state) {
  if (movable_.empty()) return -1;
  const std::int32_t slot = some_of(movable_, *random_);
  return state.node(slot) < 0 ? -1 : slot;
}

std::int32_t Moves::some_node(const State& state, std::int32_t slot) {
  const std::vector<std::int32_t>& all = slots_->candidates(slot);
  const double kind = random_->uniform();
  std::int32_t node = -1;
  if (kind < 0.45) {
    node = state.node(some_of(slots_->of_service(slots_->service(slot)), *random_));
  } else if (kind < 0.6) {
    const std::int32_t t = slots_->task(slot);
    const auto stages = static_cast<std::uint32_t>(slots_->end(t) - slots_->first(t));
    node = state.node(slots_->first(t) + static_cast<std::int32_t>(random_->below(stages)));
  }
  if (node >= 0 && node != state.node(slot) && slots_->may_host(slot, node)) return node;
  if (kind < 0.85) {
    const double u = random_->uniform();
    return all[static_cast<std::size_t>(u * u * u * static_cast<double>(all.size()))];
  }
  return some_of(all, *random_);
}

bool Moves::move_slot(State& state) {
  const std::int32_t slot = some_slot(state);
  if (slot < 0) return false;
  const std::int32_t node = some_node(state, slot);
  if (node == state.node(slot)) return false;
  state.place(slot, node);
  return true;
}

/// All slots of a replica that may go; the others stay.
void Moves::move_all(State& state, std::int32_t service, std::int32_t from, std::int32_t to) {
  for (const std::int32_t k : slots_->of_service(service))
    if (state.node(k) == from && slots_->may_host(k, to)) state.place(k, to);
}

bool Moves::move_replica(State& state) {
  const std::int32_t slot = some_slot(state);
  if (slot < 0) return false;
  const std::int32_t from = state.node(slot), to = some_node(state, slot);
  if (from == to) return false;
  move_all(state, slots_->service(slot), from, to);
  return true;
}

bool Moves::swap_replicas(State& state) {
  const std::int32_t a = some_slot(state), b = some_slot(state);
  if (a < 0 || b < 0) return false;
  const std::int32_t u = state.node(a), v = state.node(b);
  const std::int32_t s = slots_->service(a), r = slots_->service(b);
  if (u == v || s == r || !slots_->may_host(a, v) || !slots_->may_host(b, u)) return false;
  move_all(state, s, u, v);
  move_all(state, r, v, u);
  return true;
}

/// Two slots change places, where each finds its service or brings it along.
bool Moves::swap_slots(State& state) {
  const std::int32_t a = some_slot(state);
  if (a < 0) return false;
  const std::int32_t b =
      random_->uniform() < 0.5 ? some_of(slots_->of_service(slots_->service(a)), *random_) : some_slot(state);
  if (b < 0) return false;
  const std::int32_t u = state.node(a), v = state.node(b);
  if (v < 0 || u == v || !slots_->may_host(a, v) || !slots_->may_host(b, u)) return false;
  state.place(a, v);
  state.place(b, u);
  return true;
}

/// Every slot of a replica to another of its service, each to one of its own.
bool Moves::close_replica(State& state) {
  const std::int32_t slot = some_slot(state);
  if (slot < 0) return false;
  const std::int32_t s = slots_->service(slot), from = state.node(slot);
  scratch_.clear();
  for (const std::int32_t k : slots_->of_service(s)) {
    const std::int32_t v = state.node(k);
    if (v >= 0 && v != from && std::find(scratch_.begin(), scratch_.end(), v) == scratch_.end())
      scratch_.push_back(v);
  }
  if (scratch_.empty()) return false;
  bool moved = false;
  for (const std::int32_t k : slots_->of_service(s)) {
    if (state.node(k) != from) continue;
    const std::int32_t to = some_of(scratch_, *random_);
    if (!slots_->may_host(k, to)) continue;
    state.place(k, to);
    moved = true;
  }
  return moved;
}

bool Moves::replace_task(State& state) {
  if (placeable_.empty()) return false;
  const std::int32_t t = some_of(placeable_, *random_);
  if (!state.admitted(t)) return false;
  TaskPlacer::Ban ban{-1, -1};
  if (random_->uniform() < 0.5) {  // off one of its nodes, or nothing would change most often
    const auto stages = static_cast<std::uint32_t>(slots_->end(t) - slots_->first(t));
    const std::int32_t k = slots_->first(t) + static_cast<std::int32_t>(random_->below(stages));
    ban = {slots_->service(k), state.node(k)};
  }
  return placer_.place(state, t, ban);
}

bool Moves::admit_or_reject(State& state) {
  if (placeable_.empty()) return false;
  const std::int32_t t = some_of(placeable_, *random_);
  if (!state.admitted(t)) return placer_.place(state, t);
  for (std::int32_t k = slots_->first(t); k < slots_->end(t); ++k) state.place(k, -1);
  return true;
}

bool Moves::some(State& state, std::uint64_t& work) {
  work = 20;
  double kind = random_->uniform();
  if (slots_->problem().objective() == Objective::admitted && random_->uniform() < 0.05) {
    work = 200;
    return admit_or_reject(state);
  }
  constexpr double kReplace = 0.01;
  if (kind < kReplace) {
    work = 400;
    return replace_task(state);
  }
  kind = (kind - kReplace) / (1.0 - kReplace);
  if (kind < 0.45) return move_slot(state);
  if (kind < 0.65) return move_replica(state);
  if (kind < 0.75) return swap_replicas(state);
  if (kind < 0.90) return swap_slots(state);
  return close_replica(state);
}

}  // namespace constellm::services::heuristics
