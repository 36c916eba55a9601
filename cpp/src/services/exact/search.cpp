#include "constellm/services/exact/search.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/services/exact/plans.hpp"
#include "constellm/services/exact/tree.hpp"

namespace constellm::services::exact {

namespace {

constexpr std::int32_t kFirstSteps = 200;  // before plans are looked for
constexpr std::int32_t kRootSteps = 4000;
constexpr std::int32_t kTieSteps = 600;  // of what keeps equal plans

Aim second_aim(const Problem& problem, const Incumbent& incumbent) {
  Aim aim;
  aim.objective = problem.objective();
  aim.second = true;
  const double cap = equal_up_to(incumbent.least_first());
  if (aim.objective == Objective::cost) aim.cost_cap = cap;
  if (aim.objective == Objective::delay) aim.delay_cap_s = cap;
  if (aim.objective == Objective::admitted) aim.rejected_cap = cap;
  return aim;
}

core::Status stopped(const core::StopToken& stop) {
  return stop.reason() == core::StopReason::interrupted ? core::Status::interrupted
                                                        : core::Status::time_limit;
}

/// Bounds and plans in turn, then branch and bound.
Outcome search_tree(const Problem& problem, const Routes& routes, const Aim& aim, const Hosts& hosts,
                    Incumbent& incumbent, core::StopToken& stop, const Effort& effort) {
  Root root(problem, routes, aim, hosts);
  bool possible = root.tighten(kFirstSteps, incumbent, true, stop);
  if (possible && !aim.second) {
    anneal(root, incumbent, stop);
    possible = root.tighten(kRootSteps, incumbent, true, stop);
  }
  if (possible && !aim.second) {
    improve(root, incumbent, stop);
    possible = root.tighten(kRootSteps, incumbent, true, stop);
  }
  Outcome outcome;
  if (possible) {
    const double gap = (incumbent.of(aim) - root.bound()) / std::abs(incumbent.of(aim));
    outcome = branch(root, incumbent, stop, gap > effort.most_gap ? 1 : effort.most_nodes);
  } else {
    outcome.proven = true;
    outcome.bound = incumbent.of(aim);
  }
  outcome.bounds = root.bounds();
  return outcome;
}

/// Among plans equal in the first term, the least in the second.
bool search_second(const Problem& problem, const Routes& routes, const Aim& first, const Hosts& hosts,
                   std::int64_t most, Incumbent& incumbent, Answer& answer, core::StopToken& stop) {
  Root equal(problem, routes, first, hosts);
  if (!equal.tighten(kTieSteps, incumbent, false, stop))
    return false;  // rounding: what is there is not ruled out
  const Aim aim = second_aim(problem, incumbent);
  const Outcome outcome =
      search_tree(problem, routes, aim, equal.hosts(), incumbent, stop, {.most_nodes = most});
  answer.steps += outcome.nodes;
  answer.bounds += outcome.bounds + equal.bounds();
  return outcome.proven;
}

Hosts in_both(Hosts all, const Hosts& given) {
  if (given.empty()) return all;
  if (given.size() != all.size())
    throw std::invalid_argument("hosts: " + std::to_string(given.size()) + " slots, not " +
                                std::to_string(all.size()));
  for (std::size_t k = 0; k < all.size(); ++k)
    std::erase_if(all[k], [&](std::int32_t v) {
      return std::find(given[k].begin(), given[k].end(), v) == given[k].end();
    });
  return all;
}

}  // namespace

Answer search(const Problem& problem, const Routes& routes, const std::optional<Placement>& start,
              core::StopToken& stop, std::int64_t most) {
  Incumbent incumbent(problem, routes);
  if (start) incumbent.offer(*start);
  Aim aim;
  aim.objective = problem.objective();
  const Hosts hosts = all_hosts(problem, routes);
  const Outcome outcome = search_tree(problem, routes, aim, hosts, incumbent, stop, {.most_nodes = most});
  Answer answer;
  answer.steps = outcome.nodes;
  answer.bounds = outcome.bounds;
  answer.lower_bound = outcome.bound;
  if (!incumbent.exists()) {
    answer.status = outcome.proven ? core::Status::infeasible : stopped(stop);
    return answer;
  }
  answer.status = outcome.proven ? core::Status::optimal : stopped(stop);
  if (outcome.proven)
    answer.second_optimal =
        search_second(problem, routes, aim, hosts, most - outcome.nodes, incumbent, answer, stop);
  answer.placement = incumbent.placement();
  return answer;
}

Explored explored(const Problem& problem, const Routes& routes, const Hosts& hosts,
                  const std::optional<Placement>& start, const Effort& effort, core::StopToken& stop) {
  Incumbent incumbent(problem, routes);
  if (start) incumbent.offer(*start);
  Aim aim;
  aim.objective = problem.objective();
  Outcome outcome =
      search_tree(problem, routes, aim, in_both(all_hosts(problem, routes), hosts), incumbent, stop, effort);
  Explored found;
  found.proven = outcome.proven;
  found.lower_bound = outcome.bound;
  found.hosts = std::move(outcome.left);
  found.nodes = outcome.nodes;
  if (incumbent.exists()) found.placement = incumbent.placement();
  return found;
}

Reduced reduced_hosts(const Problem& problem, const Routes& routes, double value, std::int32_t steps,
                      core::StopToken& stop) {
  Aim aim;
  aim.objective = problem.objective();
  Incumbent incumbent(problem, routes);
  Reduced reduced;
  Root root(problem, routes, aim, all_hosts(problem, routes));
  root.known = value;
  reduced.possible = root.tighten(steps, incumbent, false, stop);
  reduced.lower_bound = reduced.possible ? lifted(std::max(root.bound(), 0.0), root.grain) : kNone;
  reduced.bounds = root.bounds();
  if (reduced.possible) reduced.hosts = root.hosts();
  if (incumbent.exists()) reduced.placement = incumbent.placement();
  return reduced;
}

}  // namespace constellm::services::exact
