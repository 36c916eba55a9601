// Problems in the search's terms: what the search sums up is what the evaluator says of the plan.
#include <cmath>

#include "catch.hpp"
#include "constellm/search/measure.hpp"
#include "constellm/split/evaluate.hpp"
#include "constellm/split/goals.hpp"
#include "constellm/split/solve.hpp"
#include "search/every_walk.hpp"
#include "split/random_problem.hpp"

using namespace constellm;
using search::kInfinity;
using tests::EveryWalk;
using tests::Sums;

namespace {

constexpr double kSame = 1e-11;  // sums of tens of terms in another order

bool close(double a, double b) {
  return a == b || std::abs(a - b) <= kSame * (1.0 + std::max(std::abs(a), std::abs(b)));
}

}  // namespace

TEST_CASE("The search measures a walk as the evaluator does its plan", "[search][split]") {
  std::size_t walks = 0;
  core::StopToken never;
  search::Consumption f;
  split::Assignment assignment;
  split::Evaluation evaluation;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const auto compiled = split::compile(problem, {seed % 2 == 0, {}}, never);
    if (!compiled) continue;
    search::Goal goal;
    goal.objective = split::time_resource(*compiled, problem);
    goal.resources = {split::error_resource(*compiled, problem), split::energy_resource(*compiled, problem),
                      split::bytes_resource(problem)};
    goal.limits.assign(3, kInfinity);
    const double waiting = static_cast<double>(problem.spec().micro_batches) - 1.0;
    EveryWalk every(compiled->graph, goal);
    bool same = true;
    every.from_source([&](const Sums& sums) {
      ++walks;
      split::to_assignment(*compiled, every.walk(), assignment);
      same = same && split::structural_faults(problem, assignment).empty();
      split::evaluate_into(problem, assignment, evaluation);
      search::measure(compiled->graph, goal, every.walk(), f);
      same = same && close(f.cost, sums.cost) && close(f.bottleneck, sums.bottleneck) &&
             close(f.used[0], sums.used[0]) && close(f.used[1], sums.used[1]) &&
             close(f.used[2], sums.used[2]);
      const double error = codec::from_resource(problem.spec().limits.error_rule, f.used[0]);
      same = same && close(f.bottleneck, evaluation.bottleneck_s) &&
             close(f.cost + waiting * f.bottleneck, evaluation.delay_s) && close(error, evaluation.error) &&
             close(f.used[1], evaluation.energy_j) && close(f.used[2], evaluation.bytes);
    });
    INFO("seed " << seed);
    CHECK(same);
  }
  CHECK(walks > 30000);
}

TEST_CASE("A layer that is for one node alone is run there, by the best plan that does so", "[split]") {
  std::size_t restricted = 0;
  core::StopToken never;
  search::Workspace workspace;
  for (std::uint64_t seed = 0; seed < tests::random_problems(500, 5000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    if (problem.spec().objective != split::Objective::delay) continue;
    const auto compiled = split::compile(problem, {}, never);
    if (!compiled) continue;
    tests::Random r(seed + 5);
    const std::int32_t layer = r.below(problem.layer_count());
    const std::int32_t node = r.below(problem.node_count());
    split::SolveOptions options;
    options.compile.allowed = split::only_host(problem, layer, node);
    options.compile.unroll = r.chance(0.5);
    const split::Plan plan = split::solve(problem, options, never, workspace);

    double best = kInfinity;
    split::Assignment assignment;
    split::Evaluation evaluation;
    const search::Goal nothing;
    EveryWalk every(compiled->graph, nothing);
    every.from_source([&](const Sums&) {
      split::to_assignment(*compiled, every.walk(), assignment);
      for (const split::StageChoice& stage : assignment.stages) {
        if (stage.first_layer <= layer && layer <= stage.last_layer && stage.node != node) return;
      }
      split::evaluate_into(problem, assignment, evaluation);
      if (split::within_limits(problem, assignment, evaluation)) best = std::min(best, evaluation.delay_s);
    });
    INFO("seed " << seed);
    CHECK(plan.assignment.has_value() == (best < kInfinity));
    if (!plan.assignment) continue;
    ++restricted;
    CHECK(std::abs(plan.delay_s - best) <= 1e-9 * best);
  }
  CHECK(restricted > 50);
}
