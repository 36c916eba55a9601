#include "constellm/split/goals.hpp"

#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::split {

using core::z;
using search::kInfinity;

search::Resource time_resource(const Compiled& compiled, const Problem& problem) {
  search::Resource resource;
  resource.stage_rate.assign(z(problem.node_count()), 1.0);
  resource.hop_rate.assign(compiled.routes.arc_link.size(), 1.0);
  for (const std::int32_t link : compiled.routes.arc_link) {
    resource.hop_fixed.push_back(problem.graph().columns().latency_s[z(link)]);
  }
  return resource;
}

search::Resource error_resource(const Compiled& compiled, const Problem& problem) {
  const search::LayeredGraph& g = compiled.graph;
  search::Resource resource;
  resource.choice.assign(g.rows() * z(g.stride), 0.0);
  for (std::int32_t level = 1; level < g.levels; ++level) {
    for (std::int32_t k = 0; k < g.choices; ++k) {
      resource.choice[g.at(0, level, k)] =
          codec::to_resource(problem.spec().limits.error_rule, problem.cut_error(level - 1, k));
    }
  }
  return resource;
}

search::Resource energy_resource(const Compiled& compiled, const Problem& problem) {
  const double micro_batches = static_cast<double>(problem.spec().micro_batches);
  const auto& nodes = problem.spec().network.nodes;
  search::Resource resource;
  for (const network::Node& node : nodes) resource.stage_rate.push_back(micro_batches * node.power_w);
  for (const std::int32_t link : compiled.routes.arc_link) {
    resource.hop_rate.push_back(micro_batches * nodes[z(problem.topology().from[z(link)])].tx_power_w);
  }
  return resource;
}

search::Resource bytes_resource(const Problem& problem) {
  search::Resource resource;
  resource.amount_rate = static_cast<double>(problem.spec().micro_batches);
  return resource;
}

bool error_limited(const Problem& problem) {
  return codec::to_resource(problem.spec().limits.error_rule, problem.error_limit_with_room()) < kInfinity;
}

bool energy_limited(const Problem& problem) { return problem.energy_limit_with_room() < kInfinity; }

void add_limits(const Compiled& compiled, const Problem& problem, search::Goal& goal) {
  if (error_limited(problem)) {
    goal.resources.push_back(error_resource(compiled, problem));
    goal.limits.push_back(
        codec::to_resource(problem.spec().limits.error_rule, problem.error_limit_with_room()));
  }
  if (energy_limited(problem)) {
    goal.resources.push_back(energy_resource(compiled, problem));
    goal.limits.push_back(problem.energy_limit_with_room());
  }
}

search::Goal resource_goal(search::Resource objective, const Compiled& compiled, const Problem& problem) {
  search::Goal goal;
  goal.objective = std::move(objective);
  add_limits(compiled, problem, goal);
  return goal;
}

search::Goal delay_goal(const Compiled& compiled, const Problem& problem) {
  search::Goal goal = resource_goal(time_resource(compiled, problem), compiled, problem);
  goal.bottleneck_rate = static_cast<double>(problem.spec().micro_batches) - 1.0;
  return goal;
}

search::Goal bottleneck_goal(const Compiled& compiled, const Problem& problem) {
  search::Goal goal = resource_goal({}, compiled, problem);
  goal.bottleneck_rate = 1.0;
  return goal;
}

}  // namespace constellm::split
