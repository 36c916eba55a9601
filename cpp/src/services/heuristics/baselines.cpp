#include "constellm/services/heuristics/baselines.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/services/heuristics/construct.hpp"
#include "constellm/services/heuristics/incumbent.hpp"
#include "constellm/services/heuristics/state.hpp"
#include "constellm/services/heuristics/task_placer.hpp"

namespace constellm::services::heuristics {
namespace {

using core::z;

/// Scales under which a broken limit counts more than everything else.
Scales hard(Scales scales) {
  scales.penalty *= 1e6;
  return scales;
}

State hard_state(const Slots& slots) {
  State state(slots, hard(scales_of(slots)));
  state.watch_links();
  return state;
}

void take_out(State& state, std::int32_t task) {
  const Slots& slots = state.slots();
  for (std::int32_t k = slots.first(task); k < slots.end(task); ++k) state.place(k, -1);
  state.settle();
  state.keep();
}

/// Moves one stage of the task after the other to where least breaks, as long as that is less than before:
/// stages that are too much for a node together find one each, the others staying. Whether nothing breaks.
bool mend(State& state, const TaskPlacer& placer, std::int32_t task) {
  const Slots& slots = state.slots();
  while (state.broken() > 0) {
    double least = state.energy();
    std::int32_t slot = -1, node = -1;
    for (std::int32_t k = slots.first(task); k < slots.end(task); ++k) {
      for (const std::int32_t v : slots.candidates(k)) {
        if (v == state.node(k) || placer.forbids(k, v)) continue;
        state.place(k, v);
        const double energy = state.settle();
        state.undo();
        if (energy >= least) continue;
        least = energy;
        slot = k;
        node = v;
      }
    }
    if (slot < 0) return false;
    state.place(slot, node);
    state.settle();
    state.keep();
  }
  return true;
}

/// Places the task so that nothing breaks. Where its stages are too much for a node together, the task is
/// mended or, where that fails or is not wanted, placed anew without one of them there.
bool place_whole(State& state, TaskPlacer& placer, std::int32_t task, bool mended) {
  const Slots& slots = state.slots();
  const int tries = 4 * (slots.end(task) - slots.first(task));
  for (int i = 0; i < tries; ++i) {
    if (!placer.place(state, task)) break;
    state.keep();
    if (state.broken() == 0) return true;
    std::int32_t culprit = -1;
    for (std::int32_t k = slots.first(task); k < slots.end(task); ++k)
      if (state.node_broken(state.node(k))) culprit = k;
    const std::int32_t node = culprit < 0 ? -1 : state.node(culprit);
    if (mended && i == 0 && mend(state, placer, task)) return true;
    if (culprit < 0) break;
    placer.forbid(culprit, node);
  }
  take_out(state, task);
  return false;
}

/// Of tasks in an order, each as `place` puts it; where one finds no place that needs one, its place in the
/// order, else the order's end.
template <class Place>
std::ptrdiff_t place_until(State& state, const std::vector<std::int32_t>& order, core::StopToken& stop,
                           Place place) {
  const Slots& slots = state.slots();
  const bool may_reject = slots.problem().objective() == Objective::admitted;
  const auto stuck = std::find_if(order.begin(), order.end(), [&](std::int32_t t) {
    if (stop.should_stop(2000)) return true;
    return !(slots.placeable(t) && place(t)) && !may_reject;
  });
  return stuck - order.begin();
}

/// The same, as whether all went well.
template <class Place>
bool place_all(State& state, const std::vector<std::int32_t>& order, core::StopToken& stop, Place place) {
  return place_until(state, order, stop, place) == std::ssize(order);
}

std::vector<std::int32_t> tightest_first(const Slots& slots) {
  std::vector<std::int32_t> order(z(slots.task_count()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return slots.problem().deadline_limit_s(a) < slots.problem().deadline_limit_s(b);
  });
  return order;
}

/// Places a slot where nothing breaks.
bool fits(State& state, std::int32_t slot, std::int32_t node) {
  state.place(slot, node);
  state.settle();
  if (state.broken() == 0) {
    state.keep();
    return true;
  }
  state.undo();
  return false;
}

/// Each stage on the first node of those that `order_of` gives with room.
template <class OrderOf>
bool place_by_stage(State& state, std::int32_t task, OrderOf order_of) {
  const Slots& slots = state.slots();
  for (std::int32_t k = slots.first(task); k < slots.end(task); ++k) {
    const std::vector<std::int32_t> order = order_of(k);
    const bool found =
        std::any_of(order.begin(), order.end(), [&](std::int32_t v) { return fits(state, k, v); });
    if (found) continue;
    take_out(state, task);
    return false;
  }
  return true;
}

}  // namespace

Answer greedy(const Slots& slots, core::StopToken& stop) {
  Incumbent best(slots);
  TaskPlacer placer(slots, z(slots.problem().node_count()));
  std::int64_t tried = 0;
  const auto place_in = [&](std::vector<std::int32_t> order, bool mended) {
    for (std::int32_t again = 0; again <= slots.task_count(); ++again) {
      State state = hard_state(slots);
      ++tried;
      const std::ptrdiff_t stuck = place_until(state, order, stop, [&](std::int32_t t) {
        placer.allow_all();
        return place_whole(state, placer, t, mended);
      });
      if (stuck == std::ssize(order)) best.offer(state);
      if (stuck == 0 || stuck == std::ssize(order) || stop.reason() != core::StopReason::none) return;
      std::rotate(order.begin(), order.begin() + stuck, order.begin() + stuck + 1);
    }
  };
  for (const bool mended : {false, true}) {
    place_in(heaviest_first(slots), mended);
    place_in(tightest_first(slots), mended);
  }
  return best.answer(tried, stop);
}

Answer nearest(const Slots& slots, core::StopToken& stop) {
  Incumbent best(slots);
  State state = hard_state(slots);
  std::vector<std::int32_t> order(z(slots.task_count()));
  std::iota(order.begin(), order.end(), 0);
  const bool all = place_all(state, order, stop, [&](std::int32_t t) {
    const std::span<const Way> ways = slots.ways(t);
    const auto first =
        std::find_if(ways.begin(), ways.end(), [](const Way& w) { return w.from == kEndpoint; });
    const std::int32_t source = slots.problem().tasks()[z(t)].source;
    return place_by_stage(state, t, [&](std::int32_t slot) {
      std::vector<std::int32_t> nodes = slots.candidates(slot);
      std::sort(nodes.begin(), nodes.end(), [&](std::int32_t u, std::int32_t v) {
        return std::pair(slots.seconds(first->transfer, source, u), u) <
               std::pair(slots.seconds(first->transfer, source, v), v);
      });
      return nodes;
    });
  });
  if (all) best.offer(state);
  return best.answer(1, stop);
}

Answer random_placement(const Slots& slots, std::uint64_t seed, std::int64_t tries, core::StopToken& stop) {
  constexpr int kTaskTries = 20;
  Incumbent best(slots);
  core::Random random(seed);
  const auto shuffle = [&](std::vector<std::int32_t>& values) {
    for (std::size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[random.below(static_cast<std::uint32_t>(i))]);
  };
  State state = hard_state(slots);
  const std::vector<std::int32_t> empty(z(slots.count()), -1);
  std::int64_t tried = 0;
  while (tried < tries && !best.found() && stop.reason() == core::StopReason::none) {
    ++tried;
    state.set(empty);
    std::vector<std::int32_t> order(z(slots.task_count()));
    std::iota(order.begin(), order.end(), 0);
    shuffle(order);
    const bool all = place_all(state, order, stop, [&](std::int32_t t) {
      for (int i = 0; i < kTaskTries; ++i) {
        const bool found = place_by_stage(state, t, [&](std::int32_t slot) {
          std::vector<std::int32_t> nodes = slots.candidates(slot);
          shuffle(nodes);
          return nodes;
        });
        if (found) return true;
      }
      return false;
    });
    if (all) best.offer(state);
  }
  return best.answer(tried, stop);
}

namespace {

/// Nodes where another task has the slot's service.
bool serves_others(const State& state, std::int32_t slot, std::int32_t node) {
  const Slots& slots = state.slots();
  const std::vector<std::int32_t>& users = slots.of_service(slots.service(slot));
  return std::any_of(users.begin(), users.end(), [&](std::int32_t k) {
    return slots.task(k) != slots.task(slot) && state.node(k) == node;
  });
}

/// All stages on the node where the task is soonest done.
bool place_on_one(State& state, std::int32_t task) {
  const Slots& slots = state.slots();
  std::int32_t best = -1;
  double best_s = 0.0;
  for (const std::int32_t v : slots.candidates(slots.first(task))) {
    bool may = true;
    for (std::int32_t k = slots.first(task); may && k < slots.end(task); ++k)
      may = slots.may_host(k, v) && !serves_others(state, k, v);
    if (!may) continue;
    for (std::int32_t k = slots.first(task); k < slots.end(task); ++k) state.place(k, v);
    state.settle();
    const double delay_s = state.delay_s(task);
    if (state.broken() == 0 && (best < 0 || delay_s < best_s || (delay_s == best_s && v < best))) {
      best = v;
      best_s = delay_s;
    }
    state.undo();
  }
  if (best < 0) return false;
  for (std::int32_t k = slots.first(task); k < slots.end(task); ++k) state.place(k, best);
  state.settle();
  state.keep();
  return true;
}

}  // namespace

Answer monolith(const Slots& slots, core::StopToken& stop) {
  Incumbent best(slots);
  TaskPlacer placer(slots, z(slots.problem().node_count()));
  State state = hard_state(slots);
  const bool all = place_all(state, heaviest_first(slots), stop, [&](std::int32_t t) {
    if (place_on_one(state, t)) return true;
    placer.allow_all();
    for (std::int32_t k = slots.first(t); k < slots.end(t); ++k)
      for (const std::int32_t v : slots.candidates(k))
        if (serves_others(state, k, v)) placer.forbid(k, v);
    return place_whole(state, placer, t, true);
  });
  if (all) best.offer(state);
  return best.answer(1, stop);
}

}  // namespace constellm::services::heuristics
