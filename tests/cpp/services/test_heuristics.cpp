#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/core/random.hpp"
#include "constellm/services/heuristics/annealing.hpp"
#include "constellm/services/heuristics/baselines.hpp"
#include "constellm/services/heuristics/construct.hpp"
#include "constellm/services/heuristics/moves.hpp"
#include "constellm/services/heuristics/state.hpp"

using namespace constellm;
using core::z;
namespace heuristics = services::heuristics;
using services::Evaluation;
using services::Objective;
using services::Placement;
using services::Problem;
using services::Routes;

namespace {

constexpr std::int32_t kNodes = 9;

struct Kind {
  Objective objective = Objective::cost;
  double budget = services::kNone;
  bool samples = false;
  bool links_end = false;
};

network::Graph grid(core::Random& draw) {
  std::vector<network::Node> nodes;
  for (std::int32_t v = 0; v < kNodes; ++v) {
    network::Node node;
    node.id = "n" + std::to_string(v);
    node.flop_per_s = v == 4 ? 0.0 : 1e12 * (1.0 + draw.uniform());
    node.memory_bytes = 1e9 * (2.0 + 2.0 * draw.uniform());
    nodes.push_back(node);
  }
  std::vector<std::int32_t> from, to;
  network::LinkColumns columns;
  const auto link = [&](std::int32_t u, std::int32_t v) {
    from.push_back(u);
    to.push_back(v);
    columns.rate_bps.push_back(1e8 * (1.0 + 4.0 * draw.uniform()));
    columns.latency_s.push_back(0.01);
    columns.overhead_s.push_back(0.0);
  };
  for (std::int32_t v = 0; v < kNodes; ++v) {
    if (v % 3 < 2) link(v, v + 1), link(v + 1, v);
    if (v + 3 < kNodes) link(v, v + 3), link(v + 3, v);
  }
  return {std::make_shared<const network::NodeTable>(nodes), from, to, columns};
}

services::Task some_task(core::Random& draw, std::int32_t services) {
  services::Task task;
  task.rate_per_s = 0.5 + draw.uniform();
  task.deviation_per_s = 0.5 * draw.uniform();
  task.source = static_cast<std::int32_t>(draw.below(kNodes));
  task.sink = static_cast<std::int32_t>(draw.below(kNodes));
  const auto count = static_cast<std::int32_t>(2 + draw.below(3));
  for (std::int32_t k = 0; k < count; ++k) {
    services::Stage stage;
    stage.service = static_cast<std::int32_t>(draw.below(static_cast<std::uint32_t>(services)));
    stage.inputs.push_back({k - 1, 1e6 * draw.uniform()});
    if (k == 2) stage.inputs.push_back({0, 1e6 * draw.uniform()});
    task.stages.push_back(stage);
  }
  task.output_bytes = 1e5;
  task.deadline_s = 0.7 + draw.uniform();
  return task;
}

Problem some_problem(std::uint64_t seed, const Kind& kind, std::int32_t tasks = 6) {
  core::Random draw(seed);
  network::Graph graph = grid(draw);
  std::vector<services::Service> offered;
  for (std::int32_t s = 0; s < 4; ++s) {
    services::Service service{"m" + std::to_string(s),
                              1e11 * (1.0 + draw.uniform()),
                              1e9 * (0.5 + draw.uniform()),
                              std::floor(1.0 + 5.0 * draw.uniform()),
                              {}};
    for (std::int32_t v = 0; v < kNodes; ++v) service.hosts.push_back(v);
    offered.push_back(service);
  }
  std::vector<services::Task> wanted;
  for (std::int32_t t = 0; t < tasks; ++t) {
    wanted.push_back(some_task(draw, 4));
    wanted.back().name = "t" + std::to_string(t);
  }
  std::optional<services::Samples> samples;
  if (kind.samples) {
    samples.emplace();
    samples->may_break = 1;
    for (std::int32_t i = 0; i < 5 * tasks; ++i) samples->rate_per_s.push_back(0.5 + 1.5 * draw.uniform());
    for (services::Task& task : wanted) task.deviation_per_s = 0.0;
  }
  std::vector<double> life_s;
  if (kind.links_end) {
    for (std::int32_t a = 0; a < graph.link_count(); ++a) life_s.push_back(0.2 + 1.5 * draw.uniform());
  }
  services::Limits limits{0.9, kind.budget, services::kNone};
  return {std::move(graph), offered, wanted, limits, kind.objective, life_s, samples};
}

const std::vector<Kind> kKinds{{},
                               {Objective::delay, 0.0},
                               {Objective::cost, 1.5},
                               {Objective::admitted, 2.0},
                               {Objective::delay, services::kNone, true},
                               {Objective::cost, services::kNone, false, true}};

heuristics::Slots slots_of(const Problem& problem) {
  core::StopToken stop;
  return {problem, Routes(problem, stop), stop};
}

void check_state(const heuristics::Slots& slots, const heuristics::State& state) {
  const Problem& problem = slots.problem();
  const services::Assignment assignment = slots.assignment_of(state.node_of());
  const Placement placement{services::replicas_of(problem, assignment), assignment};
  const Evaluation found = services::evaluate(problem, slots.routes(), placement);
  REQUIRE(state.cost() == Approx(found.cost));
  REQUIRE(state.mean_delay_s() == Approx(found.delay_s));
  REQUIRE(state.rejected_weight() == Approx(found.rejected_weight).margin(1e-12));
  for (std::int32_t t = 0; t < slots.task_count(); ++t)
    if (state.admitted(t)) REQUIRE(state.delay_s(t) == found.task_delay_s[z(t)]);
  for (std::int32_t v = 0; v < problem.node_count(); ++v) {
    REQUIRE(state.memory_bytes(v) == Approx(found.memory_bytes[z(v)]).margin(1e-3));
    if (!problem.samples())
      REQUIRE(state.node_load(v) == Approx(found.node_load_flop_per_s[z(v)]).margin(1.0));
  }
  for (std::int32_t l = 0; l < problem.link_count() && !problem.samples(); ++l)
    REQUIRE(state.link_load(l) == Approx(found.link_load_bps[z(l)]).margin(1.0));
  if (problem.samples()) REQUIRE(state.broken_samples() == found.broken_samples);
  const bool all = problem.objective() == Objective::admitted || found.rejected_weight == 0.0;
  if (all)
    REQUIRE((state.broken() == 0) == services::keeps_limits(problem, slots.routes(), placement, found));
}

}  // namespace

TEST_CASE("services: thousands of changes, kept or undone, leave the state that the evaluator sees") {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    const heuristics::Slots slots = slots_of(some_problem(i, kKinds[i]));
    core::Random random(i);
    heuristics::State state(slots, heuristics::scales_of(slots));
    state.watch_links();
    heuristics::Moves moves(slots, random);
    heuristics::construct(state, moves.placer(), heuristics::heaviest_first(slots));
    for (int step = 0; step < 4000; ++step) {
      std::uint64_t work = 0;
      const double before = state.energy();
      const std::vector<std::int32_t> node_of(state.node_of().begin(), state.node_of().end());
      if (moves.some(state, work) && random.uniform() < 0.7) {
        state.settle();
        state.keep();
      } else {
        state.settle();
        state.undo();
        REQUIRE(state.energy() == before);
        REQUIRE(std::equal(node_of.begin(), node_of.end(), state.node_of().begin()));
      }
      if (step % 50 == 0) {
        state.reweigh();
        check_state(slots, state);
      }
    }
  }
}

TEST_CASE("services: limits that weigh twice as much count twice, and less or more as they learn") {
  const heuristics::Slots slots = slots_of(some_problem(1, {}));
  heuristics::State state(slots, heuristics::scales_of(slots));
  std::vector<std::int32_t> crowded(z(slots.count()));
  for (std::int32_t k = 0; k < slots.count(); ++k) crowded[z(k)] = slots.candidates(k).front();
  for (std::int32_t& node : crowded) node = crowded.front();
  state.set(crowded);
  REQUIRE(state.broken() > 0);
  const std::vector<double> learned = state.weights();
  const double before = state.energy();
  const double objective = state.scales().first * state.first() + state.scales().second * state.second();
  std::vector<double> twice = learned;
  for (double& weight : twice) weight *= 2.0;
  state.weigh(twice);
  CHECK(state.energy() - objective == Approx(2.0 * (before - objective)));
  state.reweigh();
  CHECK(state.energy() - objective == Approx(2.2 * (before - objective)));
  state.weigh(learned);
  CHECK(state.energy() == Approx(before));
}

TEST_CASE("services: what a heuristic gives keeps the limits and does not depend on threads") {
  for (std::size_t i = 0; i < 3 * kKinds.size(); ++i) {
    const heuristics::Slots slots = slots_of(some_problem(100 + i, kKinds[i % kKinds.size()], 3));
    const Problem& problem = slots.problem();
    core::StopToken stop;
    heuristics::AnnealingOptions options;
    options.moves = 20'000;
    options.seed = i;
    const services::Answer annealed = heuristics::anneal(slots, options, stop);
    options.threads = 3;
    CHECK(heuristics::anneal(slots, options, stop).placement == annealed.placement);
    heuristics::TabuOptions tabu;
    tabu.moves = 20'000;
    heuristics::GeneticOptions genetic;
    genetic.generations = 20;
    for (const services::Answer& answer :
         {annealed, heuristics::greedy(slots, stop), heuristics::nearest(slots, stop),
          heuristics::random_placement(slots, i, 50, stop), heuristics::monolith(slots, stop),
          heuristics::tabu(slots, tabu, stop), heuristics::genetic(slots, genetic, stop)}) {
      if (answer.status == core::Status::no_plan_found) continue;
      REQUIRE(answer.status == core::Status::feasible);
      REQUIRE(annealed.status == core::Status::feasible);
      const Evaluation found = services::evaluate(problem, slots.routes(), answer.placement);
      CHECK(services::keeps_limits(problem, slots.routes(), answer.placement, found));
      const Evaluation best = services::evaluate(problem, slots.routes(), annealed.placement);
      CHECK(best.first(problem.objective()) <= found.first(problem.objective()) * (1.0 + 1e-9));
    }
  }
}

TEST_CASE("services: annealing mends a start, and never gives what is worse") {
  const heuristics::Slots slots = slots_of(some_problem(3, {Objective::cost, 0.0}, 3));
  core::StopToken stop;
  heuristics::AnnealingOptions options;
  options.moves = 20'000;
  const services::Answer best = heuristics::anneal(slots, options, stop);
  REQUIRE(best.status == core::Status::feasible);
  options.moves = 8;
  const services::Answer again = heuristics::anneal(slots, options, stop, &best.placement);
  const auto cost = [&](const services::Answer& answer) {
    return services::evaluate(slots.problem(), slots.routes(), answer.placement).cost;
  };
  CHECK(cost(again) <= cost(best));
  Placement crowded = best.placement;  // all on one node
  for (std::vector<std::int32_t>& nodes : crowded.assignment)
    for (std::int32_t& node : nodes) node = 0;
  crowded.replicas = services::replicas_of(slots.problem(), crowded.assignment);
  options.moves = 20'000;
  const services::Answer mended = heuristics::anneal(slots, options, stop, &crowded);
  REQUIRE(mended.status == core::Status::feasible);
  CHECK(cost(mended) == cost(best));
}

TEST_CASE("services: monolith shares nothing, and a stopped search has nothing") {
  const heuristics::Slots slots = slots_of(some_problem(5, {Objective::admitted, 0.0}));
  core::StopToken stop;
  const services::Answer answer = heuristics::monolith(slots, stop);
  const services::Assignment& nodes = answer.placement.assignment;
  for (std::int32_t a = 0; a < slots.count(); ++a) {
    for (std::int32_t b = 0; b < a; ++b) {
      if (slots.service(a) != slots.service(b) || slots.task(a) == slots.task(b)) continue;
      const auto& of_a = nodes[z(slots.task(a))];
      const auto& of_b = nodes[z(slots.task(b))];
      if (of_a.empty() || of_b.empty()) continue;
      CHECK(of_a[z(a - slots.first(slots.task(a)))] != of_b[z(b - slots.first(slots.task(b)))]);
    }
  }
  core::StopToken interrupted(std::numeric_limits<double>::infinity(), [] { return true; }, 1);
  CHECK(heuristics::anneal(slots, {}, interrupted).status == core::Status::interrupted);
}
