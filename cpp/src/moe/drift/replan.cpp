#include "constellm/moe/drift/replan.hpp"

#include <algorithm>

#include "constellm/moe/drift/group.hpp"

namespace constellm::moe {
namespace {

/// A gap that is called optimal, relative.
constexpr double kProven = 1e-9;

}  // namespace

Schedule replan(const Drift& drift, core::StopToken& stop) {
  require_sound(drift);
  require_room(drift.windows, ", or take fewer windows");
  std::vector<DriftGroup> groups;
  for (const std::vector<std::size_t>& layers : groups_of(drift.windows)) {
    groups.emplace_back(drift, layers);
    if (!groups.back().start(stop)) return {};
  }
  core::StopToken half = stop.with_half_the_time();
  for (DriftGroup& group : groups) group.settle(half);
  stop.take_interrupt_from(half);
  for (DriftGroup& group : groups) group.improve(stop);
  for (DriftGroup& group : groups) group.prove(stop);

  Schedule schedule;
  schedule.lower_bound_s = 0.0;
  bool found = true;
  for (const DriftGroup& group : groups) {
    schedule.lower_bound_s += group.bound_s();
    schedule.nodes += group.nodes();
    found = found && group.found();
  }
  for (std::size_t w = 0; w < drift.windows.size(); ++w)
    for (const Layer& layer : drift.windows[w]->layers())
      schedule.lower_bound_s += drift.tokens[w] * layer.base_s;
  schedule.status = core::Status::feasible;
  if (stop.reason() != core::StopReason::none) {
    schedule.status =
        stop.reason() == core::StopReason::interrupted ? core::Status::interrupted : core::Status::time_limit;
  }
  if (!found) return schedule;
  for (std::size_t w = 0; w < drift.windows.size(); ++w) {
    Placement& placement = schedule.placements.emplace_back(drift.windows[0]->layers().size());
    for (const DriftGroup& group : groups) {
      Placement part = group.placement(w);
      for (std::size_t g = 0; g < part.size(); ++g) placement[group.layers()[g]] = std::move(part[g]);
    }
  }
  const double cost_s = evaluate(drift, schedule.placements).cost_s;
  schedule.lower_bound_s = std::min(schedule.lower_bound_s, cost_s);
  if (cost_s - schedule.lower_bound_s <= kProven * cost_s) schedule.status = core::Status::optimal;
  return schedule;
}

}  // namespace constellm::moe
