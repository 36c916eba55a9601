#include "catch.hpp"
#include "small.hpp"

using namespace constellm::services;
using namespace constellm::tests;
using constellm::core::InvalidInput;

namespace {

/// Two services on three nodes in a row, the middle one only relays; 1 MB over a link takes 1.5 s.
Problem in_a_row(Objective objective = Objective::cost, Limits limits = {}) {
  const std::vector<Arc> arcs{{0, 1, 8e6, 0.5}, {1, 2, 8e6, 0.5}, {2, 1, 8e6, 0.5}, {1, 0, 8e6, 0.5}};
  return {graph_of({10.0, 0.0, 20.0}, arcs, 8.0),
          {{.name = "a", .flop = 5.0, .memory_bytes = 4.0, .cost = 2.0, .hosts = {0, 1, 2}},
           {.name = "b", .flop = 4.0, .memory_bytes = 6.0, .cost = 3.0, .hosts = {2}}},
          {chain(0, 2, {0, 1}, 1e6)},
          limits,
          objective};
}

}  // namespace

TEST_CASE("The worst load raises the heaviest, the last one by a fraction") {
  std::vector<double> raise{1.0, 4.0, 2.0};
  CHECK(worst_load(10.0, raise, kNone) == 17.0);
  CHECK(worst_load(10.0, raise, 1.5) == 15.0);
  CHECK(worst_load(10.0, raise, 0.0) == 10.0);
  CHECK(worst_load(10.0, raise, 0.25) == 11.0);
}

TEST_CASE("Terms of a placement") {
  const Problem problem = in_a_row();
  const Routes routes = routes_of(problem);
  const Placement placement{{{0}, {2}}, {{0, 2}}};
  const Evaluation made = evaluate(problem, routes, placement);
  CHECK(made.cost == 5.0);
  CHECK(made.task_delay_s == std::vector<double>{0.5 + 3.0 + 0.2});
  CHECK(made.delay_s == made.task_delay_s[0]);
  CHECK(made.node_load_flop_per_s == std::vector<double>{10.0, 0.0, 8.0});
  CHECK(made.link_load_bps == std::vector<double>{16e6, 16e6, 0.0, 0.0});
  CHECK(made.memory_bytes == std::vector<double>{4.0, 0.0, 6.0});
  CHECK(made.first(Objective::cost) == made.second(Objective::delay));
  CHECK_FALSE(keeps_limits(problem, routes, placement, made));
  CHECK(broken(problem, routes, placement) ==
        std::vector<std::string>{
            "link 'n0' → 'n1': its load of 1.6e+07 bit/s is above the limit, 8000000.008 bit/s",
            "link 'n1' → 'n2': its load of 1.6e+07 bit/s is above the limit, 8000000.008 bit/s"});
}

TEST_CASE("What is no placement is refused, what cannot be is told") {
  const Problem problem = in_a_row();
  const Routes routes = routes_of(problem);
  CHECK(problem.services()[0].hosts == std::vector<std::int32_t>{0, 2});
  CHECK_THROWS_AS(evaluate(problem, routes, {{{0}}, {{0, 2}}}), InvalidInput);
  CHECK_THROWS_AS(evaluate(problem, routes, {{{0}, {2}}, {{0}}}), InvalidInput);
  CHECK_THROWS_AS(evaluate(problem, routes, {{{0, 0}, {2}}, {{0, 2}}}), InvalidInput);
  CHECK_THROWS_AS(evaluate(problem, routes, {{{3}, {2}}, {{0, 2}}}), InvalidInput);
  CHECK_THROWS_AS(evaluate(problem, routes, {{{0}, {2}}, {{2, 2}}}), InvalidInput);
  CHECK(broken(problem, routes, {{{1}, {0}}, {{1, 2}}}) ==
        std::vector<std::string>{"replica of 'a': 'n1' has no flop_per_s and hosts nothing",
                                 "replica of 'b': 'n0' may not host it",
                                 "task 't', stage 0: 'a' has no replica on 'n1' that may serve",
                                 "task 't', stage 1: 'b' has no replica on 'n2' that may serve"});
  CHECK(broken(problem, routes, {{{}, {}}, {{}}}) == std::vector<std::string>{"task 't': is not placed"});
  CHECK(broken(in_a_row(Objective::admitted), routes, {{{}, {}}, {{}}}).empty());
}

TEST_CASE("Only replicas that serve are kept") {
  const Problem problem = in_a_row();
  CHECK(replicas_of(problem, {{2, 2}}) == Replicas{{2}, {2}});
  CHECK(replicas_of(problem, {{}}) == Replicas{{}, {}});
}

TEST_CASE("Problems are checked once") {
  const auto make = [](Limits limits, Task task) {
    return Problem(graph_of({1.0}, {}), {{.name = "a", .hosts = {0}}}, {std::move(task)}, limits,
                   Objective::cost);
  };
  const Task task = chain(0, 0, {0}, 1.0);
  CHECK_NOTHROW(make({}, task));
  CHECK_THROWS_AS(make({.max_utilisation = 1.5}, task), InvalidInput);
  CHECK_THROWS_AS(make({.budget = -1.0}, task), InvalidInput);
  Task wrong = task;
  wrong.stages[0].inputs[0].from = 0;
  CHECK_THROWS_AS(make({}, wrong), InvalidInput);
  wrong = task;
  wrong.stages.push_back(wrong.stages[0]);
  CHECK_THROWS_AS(make({}, wrong), InvalidInput);
  wrong = task;
  wrong.rate_per_s = 1e308;
  wrong.deviation_per_s = 1e308;
  wrong.stages[0].inputs[0].bytes = 1e10;
  CHECK_THROWS_AS(make({}, wrong), InvalidInput);
}
