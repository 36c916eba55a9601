#include "constellm/services/heuristics/construct.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace constellm::services::heuristics {
namespace {

using core::z;

/// Keeps the change where the energy falls by more than rounding.
bool keep_if_better(State& state, double before) {
  const double after = state.settle();
  if (after < before - 1e-10 * std::max(1.0, std::abs(before))) {
    state.keep();
    return true;
  }
  state.undo();
  return false;
}

}  // namespace

std::vector<std::int32_t> heaviest_first(const Slots& slots) {
  std::vector<double> load(z(slots.task_count()), 0.0);
  for (std::int32_t k = 0; k < slots.count(); ++k) {
    const double flop = slots.problem().services()[z(slots.service(k))].flop;
    load[z(slots.task(k))] += flop * slots.raised_per_s(slots.task(k));
  }
  std::vector<std::int32_t> order(load.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return load[z(a)] > load[z(b)]; });
  return order;
}

Scales scales_of(const Slots& slots) {
  const Problem& problem = slots.problem();
  double cost = 0.0, weight = 0.0, delay_s = 0.0;
  const auto services = static_cast<double>(problem.services().size());
  const auto tasks = static_cast<double>(problem.tasks().size());
  for (const Service& service : problem.services()) cost += service.cost / services;
  // A mean of what tasks may take, or of what they take on their best nodes and nearby.
  double rates = 0.0;
  for (std::int32_t t = 0; t < slots.task_count(); ++t) {
    const Task& task = problem.tasks()[z(t)];
    weight += task.weight / tasks;
    rates += task.rate_per_s;
    for (const Way& way : slots.ways(t)) {
      if (way.to == kEndpoint || slots.candidates(way.to).empty()) continue;
      const std::int32_t v = slots.candidates(way.to).front();
      delay_s += task.rate_per_s * slots.compute_s(slots.service(way.to), v);
      if (way.from != kEndpoint && !slots.candidates(way.from).empty()) {
        const double seconds = slots.seconds(way.transfer, slots.candidates(way.from).front(), v);
        if (std::isfinite(seconds)) delay_s += task.rate_per_s * seconds;
      }
    }
  }
  delay_s /= rates;
  const auto per = [](double unit) { return unit > 0.0 ? 1.0 / unit : 1.0; };
  constexpr double kPenalty =
      20.0;  // of 2, 5, 10, 20 and 50 on 66 and 24 satellites the surest to find plans
  switch (problem.objective()) {
    case Objective::cost: return {per(cost), 0.2 * per(delay_s), kPenalty};
    case Objective::delay: return {tasks * per(delay_s), 1e-4 * per(cost), kPenalty};
    case Objective::admitted: return {per(weight), 0.02 * per(cost), kPenalty};
  }
  return {};
}

void construct(State& state, TaskPlacer& placer, const std::vector<std::int32_t>& order) {
  for (const std::int32_t t : order) {
    if (!state.slots().placeable(t)) continue;
    placer.place(state, t);
    state.settle();
    state.keep();
  }
}

std::int64_t descend(State& state, TaskPlacer& placer, core::StopToken& stop) {
  const Slots& slots = state.slots();
  std::int64_t tried = 0;
  bool better = true;
  while (better) {
    better = false;
    for (std::int32_t k = 0; k < slots.count(); ++k) {
      if (state.node(k) < 0) continue;
      for (const std::int32_t v : slots.candidates(k)) {
        if (stop.should_stop(40)) return tried;
        const double before = state.energy();
        const std::int32_t u = state.node(k), s = slots.service(k);
        if (u == v) continue;
        ++tried;
        state.place(k, v);
        if (keep_if_better(state, before)) {
          better = true;
          continue;
        }
        if (state.uses(s, u) < 2) continue;
        for (const std::int32_t j : slots.of_service(s))
          if (state.node(j) == u && slots.may_host(j, v)) state.place(j, v);
        ++tried;
        if (keep_if_better(state, before)) better = true;
      }
    }
    for (std::int32_t t = 0; t < slots.task_count(); ++t) {
      if (!slots.placeable(t)) continue;
      if (stop.should_stop(1000)) return tried;
      const double before = state.energy();
      ++tried;
      if (!placer.place(state, t)) {
        state.undo();
        continue;
      }
      if (keep_if_better(state, before)) better = true;
    }
  }
  return tried;
}

}  // namespace constellm::services::heuristics
