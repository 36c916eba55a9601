// The solver against every plan of small random problems, with all options, workspaces and threads.
#include <algorithm>
#include <cmath>
#include <thread>

#include "catch.hpp"
#include "constellm/split/evaluate.hpp"
#include "constellm/split/solve.hpp"
#include "search/every_walk.hpp"
#include "split/random_problem.hpp"
#include "split/torus.hpp"

using namespace constellm;
using search::kInfinity;

namespace {

constexpr double kSame = 1e-9;

bool close(double a, double b) { return a == b || std::abs(a - b) <= kSame * std::abs(b) + 1e-300; }

/// Objectives of all plans within the limits, best first; delays of the best bottleneck for `throughput`.
struct Everything {
  explicit Everything(const split::Problem& problem) {
    core::StopToken never;
    const auto compiled = split::compile(problem, {}, never);
    if (!compiled) return;
    const search::Goal nothing;
    tests::EveryWalk every(compiled->graph, nothing);
    split::Assignment assignment;
    split::Evaluation e;
    every.from_source([&](const tests::Sums&) {
      split::to_assignment(*compiled, every.walk(), assignment);
      split::evaluate_into(problem, assignment, e);
      if (!split::within_limits(problem, assignment, e)) return;
      objectives.push_back(split::objective_s(problem, e));
    });
    std::sort(objectives.begin(), objectives.end());
  }
  std::vector<double> objectives;
};

split::Plan solve(const split::Problem& problem, const split::SolveOptions& options = {}) {
  core::StopToken stop;
  search::Workspace workspace;
  return split::solve(problem, options, stop, workspace);
}

double objective(const split::Problem& problem, const split::Plan& plan) {
  return problem.spec().objective == split::Objective::delay ? plan.delay_s : plan.bottleneck_s;
}

bool same_answer(const split::Plan& a, const split::Plan& b) {
  return a.status == b.status && a.assignment == b.assignment && (!a.assignment || a.delay_s == b.delay_s) &&
         a.lower_bound_s == b.lower_bound_s && a.counters == b.counters;
}

}  // namespace

TEST_CASE("The solver finds and proves the best of all plans, whatever its options", "[split]") {
  std::vector<split::SolveOptions> variations(8);
  variations[1].compile.unroll = false;
  variations[2].search.intervals = false;
  variations[3].search.labels.heuristic = false;
  variations[4].search.labels.dominance = false;
  variations[5].search.labels.resource_bound = false;
  variations[6].compile.unroll = false;
  variations[6].search.intervals = false;
  variations[6].search.labels.heuristic = false;
  variations[7].compile.unroll = false;
  variations[7].search.labels.dominance = false;
  search::Workspace workspace;  // shared by all
  std::size_t feasible = 0;
  const std::uint64_t count = tests::random_problems(2000);
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const Everything everything(problem);
    feasible += everything.objectives.empty() ? 0 : 1;
    for (std::size_t i = 0; i < variations.size(); ++i) {
      core::StopToken stop;
      const split::Plan plan = split::solve(problem, variations[i], stop, workspace);
      INFO("seed " << seed << ", variation " << i);
      if (everything.objectives.empty()) {
        CHECK(plan.status == core::Status::infeasible);
        CHECK(plan.lower_bound_s == kInfinity);
        continue;
      }
      REQUIRE(plan.status == core::Status::optimal);
      CHECK(close(objective(problem, plan), everything.objectives.front()));
      CHECK(plan.lower_bound_s <= objective(problem, plan));
      CHECK(plan.lower_bound_s >= objective(problem, plan) * (1.0 - split::kOptimalGap));
      const split::Evaluation e = split::evaluate(problem, *plan.assignment);
      CHECK(split::within_limits(problem, *plan.assignment, e));
      CHECK(e.delay_s == plan.delay_s);
    }
  }
  CHECK(feasible > count / 3);
  CHECK(feasible < count);
}

TEST_CASE("The k best are the k best", "[split]") {
  search::Workspace workspace;
  for (std::uint64_t seed = 0; seed < tests::random_problems(1000, 5000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const Everything everything(problem);
    for (const std::int64_t k : {1, 3, 12}) {
      core::StopToken stop;
      const auto plans = split::k_best(problem, k, stop, workspace);
      INFO("seed " << seed << ", k " << k);
      REQUIRE(plans.size() == std::min(everything.objectives.size(), static_cast<std::size_t>(k)));
      for (std::size_t i = 0; i < plans.size(); ++i) {
        CHECK(close(objective(problem, plans[i]), everything.objectives[i]));
        for (std::size_t j = 0; j < i; ++j) CHECK(plans[i].assignment != plans[j].assignment);
      }
    }
  }
}

TEST_CASE("A workspace used before gives what a fresh one gives", "[split]") {
  search::Workspace used;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    core::StopToken stop;
    const split::Plan plan = split::solve(problem, {}, stop, used);
    INFO("seed " << seed);
    CHECK(same_answer(plan, solve(problem)));
  }
}

TEST_CASE("Threads solve the same problems at once and agree", "[split]") {
  std::vector<split::Problem> problems;
  for (std::uint64_t seed = 0; seed < 60; ++seed) problems.push_back(tests::random_problem(seed));
  std::vector<std::vector<split::Plan>> answers(4);
  std::vector<std::thread> threads;
  for (auto& plans : answers) {
    threads.emplace_back([&problems, &plans] {
      for (const split::Problem& problem : problems) plans.push_back(solve(problem));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < problems.size(); ++i) {
    INFO("problem " << i);
    for (const auto& plans : answers) CHECK(same_answer(plans[i], answers[0][i]));
  }
}

TEST_CASE("A search that is stopped says so, with a true bound", "[split]") {
  std::size_t stopped = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const Everything everything(problem);
    const double best = everything.objectives.empty() ? kInfinity : everything.objectives.front();
    for (const bool interrupt : {true, false}) {
      search::Workspace workspace;
      core::StopToken stop(interrupt ? kInfinity : 0.0,
                           interrupt ? [] { return true; } : std::function<bool()>{});
      const split::Plan plan = split::solve(problem, {}, stop, workspace);
      INFO("seed " << seed);
      if (plan.status == core::Status::optimal || plan.status == core::Status::infeasible)
        continue;  // no search was needed
      ++stopped;
      CHECK(plan.status == (interrupt ? core::Status::interrupted : core::Status::time_limit));
      CHECK(plan.lower_bound_s <= best);
      if (plan.assignment)
        CHECK(split::within_limits(problem, *plan.assignment, split::evaluate(problem, *plan.assignment)));
    }
  }
  CHECK(stopped > 100);
}

TEST_CASE("Stopped at any look, a search has whole plans and true bounds", "[split]") {
  tests::Torus torus;
  torus.layers = 16;
  torus.uniform = false;
  split::ProblemSpec spec = torus.problem().spec();
  spec.limits.max_error = 0.1;
  const split::Problem problem(std::move(spec));
  torus.layers = 24;
  const split::Problem other = torus.problem();  // leaves its tables in the workspace
  search::Workspace workspace;
  const auto stopped_at = [&](const split::Problem& p, std::int64_t look) {
    std::int64_t looks = 0;
    core::StopToken stop(kInfinity, [&] { return ++looks == look; }, 64);
    return split::solve(p, {}, stop, workspace);
  };
  const double good = stopped_at(problem, 6000).delay_s;
  for (std::int64_t look = 1; look < 6000; look += 17) {
    stopped_at(other, 3 + look % 20);
    const split::Plan plan = stopped_at(problem, look);
    CHECK(plan.lower_bound_s <= good * (1.0 + kSame));
    if (!plan.assignment) continue;
    const split::Evaluation e = split::evaluate(problem, *plan.assignment);  // refuses parts of a plan
    CHECK(split::within_limits(problem, *plan.assignment, e));
    CHECK(plan.lower_bound_s <= plan.delay_s);
  }
}

TEST_CASE("A plan is found on every +Grid, near and far, equal nodes and unequal ones", "[split]") {
  search::Workspace workspace;
  for (const std::int32_t size : {4, 5, 6, 8}) {
    for (const bool uniform : {true, false}) {
      for (const bool far : {true, false}) {
        tests::Torus torus;
        torus.planes = torus.per_plane = size;
        torus.layers = 24;
        torus.uniform = uniform;
        torus.far = far;
        const split::Problem problem = torus.problem();
        // Ended after so many questions whether to go on, which no machine's speed has a part in.
        int asked = 0;
        core::StopToken stop(kInfinity, [&asked] { return ++asked > 600; });
        const split::Plan plan = split::solve(problem, {}, stop, workspace);
        INFO(size << " by " << size << ", uniform " << uniform << ", far " << far);
        REQUIRE(plan.assignment);
        CHECK(plan.lower_bound_s <= plan.delay_s);
        CHECK(split::within_limits(problem, *plan.assignment, split::evaluate(problem, *plan.assignment)));
      }
    }
  }
}

TEST_CASE("A chain of very many layers ends soon after it is told to", "[split]") {
  tests::Torus chain;
  chain.planes = 1;
  chain.per_plane = 4;
  chain.layers = 20000;
  chain.stages = 2;
  const split::Problem problem = chain.problem();
  search::Workspace workspace;
  for (const int patience : {0, 1, 5, 20}) {
    int asked = 0;
    core::StopToken stop(kInfinity, [&asked, patience] { return ++asked > patience; });
    const split::Plan plan = split::solve(problem, {}, stop, workspace);
    INFO("patience " << patience);
    CHECK(asked <= patience + 8);  // the searches before and within one another hear of it once each
    CHECK(plan.status == core::Status::interrupted);
    if (plan.assignment) CHECK(plan.lower_bound_s <= plan.delay_s);
  }
}
