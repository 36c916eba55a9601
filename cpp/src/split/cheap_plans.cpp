#include "constellm/split/cheap_plans.hpp"

#include "constellm/core/index.hpp"
#include "constellm/split/baselines/layer_shares.hpp"
#include "constellm/split/baselines/scalar_search.hpp"

namespace constellm::split {
namespace {

constexpr std::size_t kMostStates = std::size_t{1} << 17;  // of a scalar search: about two seconds

bool is_small(const Problem& problem) {
  const auto layers = core::z(problem.layer_count());
  return core::z(problem.node_count()) * layers * core::z(problem.codec_count()) <= kMostStates;
}

}  // namespace

std::vector<Assignment> cheap_plans(const Problem& problem, core::StopToken& stop,
                                    search::Workspace& workspace) {
  std::vector<Assignment> plans;
  core::StopToken quarter = stop.with_half_the_time().with_half_the_time();
  for (const Planner planner : {&uniform, &compute_proportional, &scalar_search}) {
    if (planner == &scalar_search && !is_small(problem)) continue;
    std::optional<Assignment> plan = planner(problem, quarter, workspace);
    if (plan) plans.push_back(std::move(*plan));
  }
  stop.take_interrupt_from(quarter);
  return plans;
}

}  // namespace constellm::split
