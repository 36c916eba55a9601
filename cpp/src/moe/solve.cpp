#include "constellm/moe/solve.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "constellm/core/error.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/group.hpp"
#include "constellm/moe/sorted.hpp"

namespace constellm::moe {
namespace {

/// A gap that is called optimal, relative.
constexpr double kProven = 1e-9;

/// Of groups that all have a placement.
Plan plan_of(const Problem& problem, const std::vector<Group>& groups) {
  Plan plan;
  plan.placement.resize(problem.layers().size());
  plan.lower_bound_s = 0.0;
  for (const Group& group : groups) {
    for (std::size_t g = 0; g < group.layers().size(); ++g)
      plan.placement[group.layers()[g]] = group.best()[g];
    plan.lower_bound_s += group.bound_s();
    plan.nodes += group.nodes();
  }
  for (const Layer& layer : problem.layers()) plan.lower_bound_s += layer.base_s;
  plan.token_latency_s = evaluate(problem, plan.placement).token_latency_s;
  plan.lower_bound_s = std::min(plan.lower_bound_s, plan.token_latency_s);
  const double gap_s = plan.token_latency_s - plan.lower_bound_s;
  plan.status = gap_s <= kProven * plan.token_latency_s ? core::Status::optimal : core::Status::feasible;
  return plan;
}

/// The plan with the word for why it was not proven.
Plan stopped(Plan plan, const core::StopToken& stop) {
  if (plan.status == core::Status::optimal || stop.reason() == core::StopReason::none) return plan;
  plan.status =
      stop.reason() == core::StopReason::interrupted ? core::Status::interrupted : core::Status::time_limit;
  return plan;
}

/// The tables of pairs of satellites must fit into memory. Throws core::InvalidInput.
void require_room(const Problem& problem) {
  if (problem.top_k() == 1) return;  // means will do
  constexpr double kMost = 4e9;
  constexpr double kOfPair = sizeof(double) + sizeof(std::int32_t);
  double bytes = 0.0;
  std::size_t most = 0;
  for (const Layer& layer : problem.layers()) {
    const auto n = static_cast<double>(layer.usable.size());
    bytes += kOfPair * n * n;
    most = std::max(most, layer.usable.size());
  }
  if (bytes <= kMost) return;
  throw core::InvalidInput(
      "layers: of up to " + std::to_string(most) + " satellites each, whose pairs take " +
      core::to_text(std::round(bytes / 1e8) / 10) +
      " GB; at most 4 GB are taken. Have NaN for satellites that are too far for a layer, or "
      "place by method 'sorted'");
}

/// Groups with their first placements; empty where one has none.
std::vector<Group> started(const Problem& problem, core::StopToken& stop) {
  require_room(problem);
  std::vector<Group> groups;
  for (std::vector<std::size_t>& layers : groups_of(problem)) {
    groups.emplace_back(problem, std::move(layers));
    if (!groups.back().start(stop)) return {};
  }
  return groups;
}

/// In half of the time that is left: bounds want some as well.
void descend(std::vector<Group>& groups, core::StopToken& stop) {
  core::StopToken half = stop.with_half_the_time();
  for (Group& group : groups) group.descend(half);
  stop.take_interrupt_from(half);
}

}  // namespace

Plan exchange(const Problem& problem, core::StopToken& stop) {
  std::vector<Group> groups = started(problem, stop);
  if (groups.empty()) return {};
  descend(groups, stop);
  for (Group& group : groups) {
    group.compete(stop);
    group.tighten(stop);
  }
  return stopped(plan_of(problem, groups), stop);
}

Plan solve(const Problem& problem, core::StopToken& stop, std::uint64_t most_work) {
  std::vector<Group> groups = started(problem, stop);
  if (groups.empty()) return {};
  descend(groups, stop);
  // Small ones are proven in less time than annealing takes.
  constexpr std::uint64_t kLittle = 2'000'000;
  for (Group& group : groups) group.prove(stop, kLittle);
  for (Group& group : groups) {
    if (group.proven()) continue;
    group.compete(stop);
    group.tighten(stop);
  }
  for (Group& group : groups)
    if (!group.proven()) group.prove(stop, most_work);
  return stopped(plan_of(problem, groups), stop);
}

Plan sorted(const Problem& problem) {
  std::vector<std::size_t> layers(problem.layers().size());
  std::iota(layers.begin(), layers.end(), std::size_t{0});
  Plan plan;
  plan.status = core::Status::no_plan_found;
  plan.lower_bound_s = 0.0;
  if (auto placement = sorted_placement(problem, layers)) {
    plan.status = core::Status::feasible;
    plan.placement = std::move(*placement);
    plan.token_latency_s = evaluate(problem, plan.placement).token_latency_s;
    for (const Layer& layer : problem.layers())
      plan.lower_bound_s += layer.base_s + mean_bound_s(problem, layer);
    plan.lower_bound_s = std::min(plan.lower_bound_s, plan.token_latency_s);
  }
  return plan;
}

}  // namespace constellm::moe
