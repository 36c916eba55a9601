#include "constellm/split/baselines/simplified.hpp"

#include "constellm/core/index.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/split/solve.hpp"

namespace constellm::split {
namespace {

using core::z;

Plan best(const Problem& problem, ProblemSpec question, core::StopToken& stop, search::Workspace& workspace,
          const SolveOptions& options = {}) {
  return solve(Problem(std::move(question), problem), options, stop, workspace);
}

template <class Keep>
SolveOptions only_these_host(const Problem& problem, Keep keep) {
  SolveOptions options;
  HostMask& allowed = options.compile.allowed;
  for (std::int32_t v = 0; v < problem.node_count(); ++v)
    allowed.insert(allowed.end(), z(problem.layer_count()), keep(v) ? 1 : 0);
  return options;
}

void without_limits(ProblemSpec& spec) {
  spec.limits.max_error.reset();
  spec.limits.max_energy_j.reset();
}

/// The delay of one micro-batch on its own.
void latency_question(ProblemSpec& spec) {
  if (spec.limits.max_energy_j) *spec.limits.max_energy_j /= static_cast<double>(spec.micro_batches);
  spec.micro_batches = 1;
  spec.objective = Objective::delay;
}

/// Layer 0 may run at the source only, if that hosts.
SolveOptions first_layer_at_source(const Problem& problem) {
  SolveOptions options;
  const std::int32_t source = problem.source();
  if (problem.spec().network.nodes[z(source)].can_host())
    options.compile.allowed = only_host(problem, 0, source);
  return options;
}

std::vector<std::int32_t> hosts_but_sink(const Problem& problem) {
  std::vector<std::int32_t> hosts;
  for (std::int32_t v = 0; v < problem.node_count(); ++v) {
    const bool elsewhere = v != problem.sink() || problem.source() == problem.sink();
    if (elsewhere && problem.spec().network.nodes[z(v)].can_host()) hosts.push_back(v);
  }
  return hosts;
}

Plan best_on(const Problem& problem, std::int32_t host, core::StopToken& stop, search::Workspace& workspace) {
  return solve(problem, only_these_host(problem, [&](std::int32_t v) { return v == host; }), stop, workspace);
}

}  // namespace

std::optional<Assignment> optimum(const Problem& problem, core::StopToken& stop,
                                  search::Workspace& workspace) {
  return solve(problem, {}, stop, workspace).assignment;
}

std::optional<Assignment> ground_only(const Problem& problem, core::StopToken& stop,
                                      search::Workspace& workspace) {
  return best_on(problem, problem.sink(), stop, workspace).assignment;
}

std::optional<Assignment> single_satellite(const Problem& problem, core::StopToken& stop,
                                           search::Workspace& workspace) {
  std::int32_t nearest = -1;
  std::int32_t fewest = 0;
  for (const std::int32_t host : hosts_but_sink(problem)) {
    const std::int32_t hops = network::hops(problem.topology().in, host)[z(problem.source())];
    if (hops < 0 || (nearest >= 0 && fewest <= hops)) continue;
    nearest = host;
    fewest = hops;
  }
  if (nearest < 0) return std::nullopt;
  return best_on(problem, nearest, stop, workspace).assignment;
}

std::optional<Assignment> single_best(const Problem& problem, core::StopToken& stop,
                                      search::Workspace& workspace) {
  std::optional<Plan> found;
  const bool by_delay = problem.spec().objective == Objective::delay;
  const auto objective_s = [&](const Plan& plan) { return by_delay ? plan.delay_s : plan.bottleneck_s; };
  for (const std::int32_t host : hosts_but_sink(problem)) {
    Plan plan = best_on(problem, host, stop, workspace);
    if (plan.assignment && (!found || objective_s(plan) < objective_s(*found))) found = std::move(plan);
  }
  return found ? found->assignment : std::nullopt;
}

std::optional<Assignment> no_pipeline(const Problem& problem, core::StopToken& stop,
                                      search::Workspace& workspace) {
  ProblemSpec question = problem.spec();
  latency_question(question);
  return best(problem, std::move(question), stop, workspace).assignment;
}

std::optional<Assignment> jalad(const Problem& problem, core::StopToken& stop, search::Workspace& workspace) {
  ProblemSpec question = problem.spec();
  latency_question(question);
  question.limits.max_energy_j.reset();
  return best(problem, std::move(question), stop, workspace).assignment;
}

std::optional<Assignment> neurosurgeon(const Problem& problem, core::StopToken& stop,
                                       search::Workspace& workspace) {
  ProblemSpec question = problem.spec();
  without_limits(question);
  latency_question(question);
  const SolveOptions ends =
      only_these_host(problem, [&](std::int32_t v) { return v == problem.source() || v == problem.sink(); });
  return best(problem, std::move(question), stop, workspace, ends).assignment;
}

std::optional<Assignment> pipeedge(const Problem& problem, core::StopToken& stop,
                                   search::Workspace& workspace) {
  ProblemSpec question = problem.spec();
  without_limits(question);
  question.objective = Objective::throughput;
  return best(problem, std::move(question), stop, workspace).assignment;
}

std::optional<Assignment> edgeshard_latency(const Problem& problem, core::StopToken& stop,
                                            search::Workspace& workspace) {
  ProblemSpec question = problem.spec();
  without_limits(question);
  latency_question(question);
  return best(problem, std::move(question), stop, workspace, first_layer_at_source(problem)).assignment;
}

std::optional<Assignment> edgeshard_throughput(const Problem& problem, core::StopToken& stop,
                                               search::Workspace& workspace) {
  ProblemSpec question = problem.spec();
  without_limits(question);
  question.objective = Objective::throughput;
  return best(problem, std::move(question), stop, workspace, first_layer_at_source(problem)).assignment;
}

}  // namespace constellm::split
