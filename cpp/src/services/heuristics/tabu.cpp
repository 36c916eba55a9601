#include <algorithm>
#include <limits>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/services/heuristics/baselines.hpp"
#include "constellm/services/heuristics/construct.hpp"
#include "constellm/services/heuristics/incumbent.hpp"
#include "constellm/services/heuristics/state.hpp"

namespace constellm::services::heuristics {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::size_t kNearest = 64;  // nodes that a slot is tried on, beside those with a replica

/// Replicas of its service, and the nodes that are best for its task alone.
void list_nodes(const State& state, std::int32_t slot, std::vector<std::int32_t>& nodes) {
  const Slots& slots = state.slots();
  const std::vector<std::int32_t>& all = slots.candidates(slot);
  const std::size_t count = std::min(all.size(), kNearest);
  nodes.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
  if (count == all.size()) return;
  for (const std::int32_t k : slots.of_service(slots.service(slot))) {
    const std::int32_t v = state.node(k);
    if (v >= 0 && slots.may_host(slot, v) && std::find(nodes.begin(), nodes.end(), v) == nodes.end())
      nodes.push_back(v);
  }
}

}  // namespace

Answer tabu(const Slots& slots, const TabuOptions& options, core::StopToken& stop) {
  Incumbent best(slots);
  core::Random random(options.seed);
  State state(slots, scales_of(slots));
  TaskPlacer placer(slots);
  construct(state, placer, heaviest_first(slots));
  best.offer(state);
  const auto nodes = z(slots.problem().node_count());
  std::vector<std::int64_t> until(z(slots.count()) * nodes, 0);
  std::vector<std::int32_t> listed;
  const std::uint32_t tenure = 5 + static_cast<std::uint32_t>(slots.count()) / 4;
  std::int64_t tried = 0;
  for (std::int64_t step = 1; tried < options.moves; ++step) {
    double least = kNever;
    std::int32_t slot = -1, node = -1;
    const std::int64_t before = tried;
    for (std::int32_t k = 0; k < slots.count(); ++k) {
      if (state.node(k) < 0) continue;
      list_nodes(state, k, listed);
      for (const std::int32_t v : listed) {
        if (v == state.node(k)) continue;
        ++tried;
        if (stop.should_stop(15)) return best.answer(tried, stop);
        state.place(k, v);
        const double energy = state.settle();
        const bool is_tabu = until[z(k) * nodes + z(v)] >= step;
        const bool is_best = state.broken() == 0 && (!best.found() || state.first() < best.first());
        state.undo();
        if (energy < least && (!is_tabu || is_best)) {
          least = energy;
          slot = k;
          node = v;
        }
      }
    }
    if (tried == before) break;  // no slot has a choice
    if (slot >= 0) {
      until[z(slot) * nodes + z(state.node(slot))] = step + tenure + random.below(tenure);
      state.place(slot, node);
      state.settle();
      state.keep();
    }
    if (slots.problem().objective() == Objective::admitted) {  // tasks that are out knock again
      for (std::int32_t t = 0; t < slots.task_count(); ++t) {
        if (state.admitted(t) || !slots.placeable(t)) continue;
        const double without = state.energy();
        if (placer.place(state, t) && state.settle() < without)
          state.keep();
        else
          state.undo();
      }
    }
    best.offer(state);
    state.reweigh();
  }
  return best.answer(tried, stop);
}

}  // namespace constellm::services::heuristics
