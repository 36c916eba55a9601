// Windows, backward passes, traces and `measure` against every walk of small random graphs.
#include <cmath>

#include "catch.hpp"
#include "constellm/search/backward.hpp"
#include "constellm/search/measure.hpp"
#include "constellm/split/compile.hpp"
#include "constellm/split/evaluate.hpp"
#include "constellm/split/solve.hpp"
#include "search/every_walk.hpp"
#include "split/random_problem.hpp"

using namespace constellm;
using search::kInfinity;
using tests::EveryWalk;
using tests::Random;
using tests::Sums;

namespace {

constexpr double kSame = 1e-11;  // sums of tens of terms in another order

bool close(double a, double b) {
  return a == b || std::abs(a - b) <= kSame * (1.0 + std::max(std::abs(a), std::abs(b)));
}

std::vector<double> random_list(Random& r, std::size_t size, double low, double high) {
  std::vector<double> list(size);
  for (double& value : list) value = r.uniform(low, high);
  return list;
}

/// Any part of a meter may be there or not.
search::Meter random_meter(Random& r, const search::LayeredGraph& g) {
  const auto sites = static_cast<std::size_t>(g.sites());
  const auto arcs = g.arc_to.size();
  const auto options = g.rows() * static_cast<std::size_t>(g.stride);
  search::Meter m;
  if (r.chance(0.8)) m.stage_rate = random_list(r, sites, 0.0, 2.0);
  if (r.chance(0.8)) m.hop_rate = random_list(r, arcs, 0.0, 2.0);
  if (r.chance(0.5)) m.hop_fixed = random_list(r, arcs, 0.0, 1.0);
  if (r.chance(0.3)) m.amount_rate = r.uniform(0.0, 2.0);
  if (r.chance(0.5)) m.option = random_list(r, options, 0.0, 1.0);
  if (r.chance(0.4)) {
    m.work_extra = random_list(r, sites * g.rows(), 0.0, 1.0);
    for (std::size_t s = 0; s < sites; ++s) {  // prefix sums
      m.work_extra[s * g.rows()] = 0.0;
      for (std::size_t l = 1; l < g.rows(); ++l)
        m.work_extra[s * g.rows() + l] += m.work_extra[s * g.rows() + l - 1];
    }
  }
  if (r.chance(0.4)) m.enter_extra = random_list(r, sites * options, 0.0, 1.0);
  if (r.chance(0.4)) m.leave_extra = random_list(r, sites * options, 0.0, 1.0);
  if (r.chance(0.4)) m.final_extra = random_list(r, sites, 0.0, 1.0);
  // A pass takes amounts or its own hop figures, whichever goal asks for them.
  if (m.amount_rate == 0.0 && r.chance(0.3)) m.hop_extra = random_list(r, arcs * options, 0.0, 1.0);
  return m;
}

/// Graph, goal and window of a random problem; a cap that cuts some walks off.
struct Case {
  explicit Case(std::uint64_t seed)
      : random(seed + 1000000),
        problem(tests::random_problem(seed)),
        compiled(split::compile(problem, seed % 3 != 0)) {
    if (!compiled) return;
    goal.cost = random_meter(random, graph());
    // A trace may go round a cycle that costs nothing.
    if (!graph().acyclic) goal.cost.hop_fixed = random_list(random, graph().arc_to.size(), 0.1, 1.0);
    cap = random.chance(0.4) ? kInfinity : random.uniform(0.3, 4.0);
    window.set(graph(), cap);
  }
  [[nodiscard]] const search::LayeredGraph& graph() const { return compiled->graph; }

  Random random;
  split::Problem problem;
  std::optional<split::Compiled> compiled;
  search::Goal goal;
  double cap = kInfinity;
  search::Window window;
};

}  // namespace

TEST_CASE("A window excludes no walk that keeps the cap", "[search]") {
  std::size_t walks = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Case c(seed);
    if (!c.compiled) continue;
    const auto& g = c.graph();
    EveryWalk every(g, c.goal, c.cap);
    bool inside = true;
    every.from_source([&](const Sums&) {
      ++walks;
      std::size_t next = 0;
      std::int32_t level = 0;
      for (const std::int32_t p : every.walk().positions) {
        inside = inside && c.window.arrives(p, level);
        if (next < every.walk().blocks.size() && every.walk().blocks[next].position == p) {
          const search::Block& block = every.walk().blocks[next++];
          inside =
              inside && block.last <= c.window.reach[g.at(g.site[static_cast<std::size_t>(p)], block.first)];
          level = block.last;
        }
        // At the sink with nothing left to do, a walk is complete on arrival.
        inside = inside && (p == g.sink || c.window.leaves(p, level));
      }
    });
    INFO("seed " << seed);
    CHECK(inside);
  }
  CHECK(walks > 6000);
}

TEST_CASE("A backward pass holds the least cost to go, and its trace attains the total", "[search]") {
  search::PassScratch scratch;  // used again: nothing of the last graph may show
  search::CostToGo table;
  search::Walk walk;
  std::size_t compared = 0;
  std::size_t traced = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Case c(seed);
    if (!c.compiled) continue;
    const auto& g = c.graph();
    table.meter = c.goal.cost;
    search::backward_pass(g, c.window, scratch, table);
    EveryWalk every(g, c.goal, c.cap);
    const auto least = [&](auto&& walk_on) {
      double best = kInfinity;
      walk_on([&](const Sums& sums) { best = std::min(best, sums.cost); });
      return best;
    };
    // With cycles, the table's walks may come back to a site: it bounds from below.
    const auto agrees = [&](double entry, double truth) {
      ++compared;
      return close(entry, truth) || (!g.acyclic && entry <= truth);
    };
    INFO("seed " << seed << ", cap " << c.cap);
    CHECK(agrees(table.total, least([&](auto&& visit) { every.from_source(visit); })));
    bool same = true;
    for (std::int32_t p = 0; p < g.positions(); ++p) {
      const bool hosts = g.can_host[static_cast<std::size_t>(g.site[static_cast<std::size_t>(p)])] != 0;
      every.stand_at(p);
      for (std::int32_t level = 0; level <= g.levels; ++level) {
        if (c.window.leaves(p, level)) {
          for (std::int32_t k = 0; k < g.forms(level); ++k) {
            const double truth = least([&](auto&& visit) { every.leave(p, level, k, {}, visit); });
            same = same && agrees(table.pass_on[g.options_at(p, level) + static_cast<std::size_t>(k)], truth);
          }
        }
        if (level < g.levels && hosts && c.window.arrives(p, level)) {
          const double truth = least([&](auto&& visit) { every.stage(p, level, 0.0, {}, visit); });
          same = same && agrees(table.stage[g.at(p, level)], truth);
        }
      }
    }
    CHECK(same);

    if (table.total == kInfinity) continue;
    search::trace(g, c.window, table, walk);
    CHECK(close(search::measure(g, c.goal, walk).cost, table.total));
    ++traced;
  }
  CHECK(compared > 20000);
  CHECK(traced > 600);
}

TEST_CASE("A pass over peaks holds the least peak to go", "[search]") {
  search::PassScratch scratch;
  search::PeakToGo table;
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Case c(seed);
    if (!c.compiled) continue;
    const auto& g = c.graph();
    search::peak_pass(g, c.window, scratch, table);
    EveryWalk every(g, c.goal, c.cap);
    const auto agrees = [&](double entry, auto&& walk_on) {
      double truth = kInfinity;
      walk_on([&](const Sums& sums) { truth = std::min(truth, sums.bare_peak); });
      ++compared;
      if (truth == kInfinity) return entry > c.cap || c.cap == kInfinity || !g.acyclic;
      return close(entry, truth) || (!g.acyclic && entry <= truth);
    };
    INFO("seed " << seed << ", cap " << c.cap);
    CHECK(agrees(table.total, [&](auto&& visit) { every.from_source(visit); }));
    bool same = true;
    for (std::int32_t p = 0; p < g.positions(); ++p) {
      every.stand_at(p);
      for (std::int32_t level = 0; level <= g.levels; ++level) {
        if (c.window.leaves(p, level)) {
          for (std::int32_t k = 0; k < g.forms(level); ++k) {
            const double entry = table.pass_on[g.options_at(p, level) + static_cast<std::size_t>(k)];
            same = same && agrees(entry, [&](auto&& visit) { every.leave(p, level, k, {}, visit); });
          }
        }
        const bool hosts = g.can_host[static_cast<std::size_t>(g.site[static_cast<std::size_t>(p)])] != 0;
        if (level < g.levels && hosts && c.window.arrives(p, level)) {
          same = same && agrees(table.stage[g.at(p, level)],
                                [&](auto&& visit) { every.stage(p, level, 0.0, {}, visit); });
        }
      }
    }
    CHECK(same);
  }
  CHECK(compared > 20000);
}

TEST_CASE("The search measures a walk as the evaluator does its plan", "[search][split]") {
  std::size_t walks = 0;
  split::Assignment assignment;
  split::Evaluation evaluation;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const auto compiled = split::compile(problem, seed % 2 == 0);
    if (!compiled) continue;
    search::Goal goal;
    goal.cost = split::time_meter(*compiled, problem);
    goal.resources = {split::error_meter(*compiled, problem), split::energy_meter(*compiled, problem),
                      split::bytes_meter(problem)};
    goal.limits.assign(3, kInfinity);
    const double waiting = static_cast<double>(problem.spec().micro_batches) - 1.0;
    EveryWalk every(compiled->graph, goal);
    bool same = true;
    every.from_source([&](const Sums& sums) {
      ++walks;
      split::to_assignment(*compiled, every.walk(), assignment);
      same = same && split::structural_faults(problem, assignment).empty();
      split::evaluate_into(problem, assignment, evaluation);
      const search::Figures f = search::measure(compiled->graph, goal, every.walk());
      same = same && close(f.cost, sums.cost) && close(f.peak, sums.peak) && close(f.used[0], sums.used[0]) &&
             close(f.used[1], sums.used[1]) && close(f.used[2], sums.used[2]);
      const double error = codec::from_resource(problem.spec().limits.error_rule, f.used[0]);
      same = same && close(f.peak, evaluation.bottleneck_s) &&
             close(f.cost + waiting * f.peak, evaluation.delay_s) && close(error, evaluation.error) &&
             close(f.used[1], evaluation.energy_j) && close(f.used[2], evaluation.bytes);
    });
    INFO("seed " << seed);
    CHECK(same);
  }
  CHECK(walks > 30000);
}

TEST_CASE("A weighted sum of meters is a meter", "[search]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Case c(seed);
    if (!c.compiled) continue;
    Random r(seed);
    search::Goal goal;
    goal.cost = random_meter(r, c.graph());
    goal.resources = {random_meter(r, c.graph()), random_meter(r, c.graph())};
    goal.limits.assign(2, kInfinity);
    const std::vector<double> multipliers{r.uniform(0.0, 3.0), r.chance(0.3) ? 0.0 : r.uniform(0.0, 3.0)};
    search::Goal sum;
    search::combine(goal.cost, goal.resources, multipliers, sum.cost);
    EveryWalk every(c.graph(), goal);
    bool same = true;
    every.from_source([&](const Sums& sums) {
      const double expected = sums.cost + multipliers[0] * sums.used[0] + multipliers[1] * sums.used[1];
      same = same && close(search::measure(c.graph(), sum, every.walk()).cost, expected);
    });
    INFO("seed " << seed);
    CHECK(same);
  }
}
