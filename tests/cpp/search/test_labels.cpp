// Bounds and dominance of label runs, label by label, against every completion.
#include <cmath>
#include <map>
#include <tuple>

#include "catch.hpp"
#include "constellm/search/measure.hpp"
#include "constellm/search/solver.hpp"
#include "search/every_walk.hpp"
#include "search/random_graph.hpp"

using namespace constellm;
using search::kInfinity;
using search::Label;
using tests::EveryWalk;
using tests::Sums;

namespace {

constexpr double kRoom = 1e-10;  // of the sums' size, for sums in another order

double value(const search::Goal& goal, const Sums& sums) {
  return sums.cost + goal.bottleneck_rate * sums.bottleneck;
}

/// Keeps the least value of the walks offered that keep the limits; asks for all, or for better ones only.
class Recorder : public search::Incumbents {
 public:
  Recorder(const search::LayeredGraph& graph, const search::Goal& goal, bool all)
      : graph_(graph), goal_(goal), all_(all) {}
  void offer(const search::Walk& walk) override {
    search::Consumption f;
    search::measure(graph_, goal_, walk, f);
    for (std::size_t r = 0; r < goal_.resources.size(); ++r) {
      if (f.used[r] > goal_.limits[r]) return;
    }
    best = std::min(best, f.cost + goal_.bottleneck_rate * f.bottleneck);
  }
  [[nodiscard]] double cutoff() const override { return all_ ? kInfinity : best; }

  double best = kInfinity;

 private:
  const search::LayeredGraph& graph_;
  const search::Goal& goal_;
  bool all_;
};

/// A label run over all of a random graph, under the tables of a few random multipliers.
struct Run {
  Run(std::uint64_t seed, bool everything) {
    tests::Random r(seed);
    graph = tests::random_graph(r);
    goal = tests::random_goal(r, graph, static_cast<std::size_t>(r.below(4)));
    options.dominance = !everything;
    options.heuristic = r.chance(0.8);
    options.resource_bound = r.chance(0.7);
    reach.set(graph, kInfinity, never);
    search::bottleneck_pass(graph, reach, never, workspace.bottleneck_pass, bottleneck);
    tables.resize(2);
    resources.resize(goal.resources.size());
    for (search::CostToGo& table : tables) {
      for (std::size_t i = 0; i < goal.resources.size(); ++i) {
        table.multipliers.push_back(r.chance(0.3) ? 0.0 : r.uniform(0.0, 10.0));
        table.constant += table.multipliers.back() * goal.limits[i];
      }
      search::combine(goal.objective, goal.resources, table.multipliers, table.resource);
      search::cost_pass(graph, reach, never, workspace.cost_pass, table);
      bounds.costs.push_back(&table);
    }
    for (std::size_t i = 0; i < goal.resources.size(); ++i) {
      resources[i].resource = goal.resources[i];
      search::cost_pass(graph, reach, never, workspace.cost_pass, resources[i]);
      bounds.resources.push_back(&resources[i]);
    }
    bounds.reach = &reach;
    bounds.bottleneck = &bottleneck;
    Recorder incumbents(graph, goal, everything);
    answer = run(incumbents, never);
    found = incumbents.best;
  }
  search::LabelAnswer run(Recorder& incumbents, core::StopToken& stop) {
    return search::run_labels({graph, goal, incumbents, stop, workspace, counters}, bounds, options);
  }
  [[nodiscard]] const std::vector<Label>& labels() const { return workspace.labels.labels; }

  /// The least value of a completion of the label that keeps the limits.
  [[nodiscard]] double completion(const Label& label) const {
    EveryWalk every(graph, goal);
    every.stand_at(label.vertex);
    for (auto id = label.parent; id >= 0; id = labels()[static_cast<std::size_t>(id)].parent) {
      every.visit(labels()[static_cast<std::size_t>(id)].vertex);
    }
    double best = kInfinity;
    const auto visit = [&](const Sums& sums) {
      if (tests::keeps_limits(goal, sums)) best = std::min(best, value(goal, sums));
    };
    Sums sums;
    sums.cost = label.cost;
    sums.bottleneck = label.bottleneck;
    const auto used = workspace.labels.used.begin() +
                      (&label - labels().data()) * static_cast<std::ptrdiff_t>(goal.resources.size());
    sums.used.assign(used, used + static_cast<std::ptrdiff_t>(goal.resources.size()));
    if (label.begins_stage)
      every.stage(label.vertex, label.level, label.entered_s, sums, visit);
    else
      every.leave(label.vertex, label.level, label.choice, sums, visit);
    return best;
  }

  core::StopToken never;
  search::LayeredGraph graph;
  search::Goal goal;
  search::LabelOptions options;
  search::Reach reach;
  search::BottleneckToGo bottleneck;
  std::vector<search::CostToGo> tables;
  std::vector<search::CostToGo> resources;
  search::LabelBounds bounds;
  search::Workspace workspace;
  search::Counters counters;
  search::LabelAnswer answer;
  double found = kInfinity;
};

double best_of_all(const Run& run) {
  EveryWalk every(run.graph, run.goal);
  double best = kInfinity;
  every.from_source([&](const Sums& sums) {
    if (tests::keeps_limits(run.goal, sums)) best = std::min(best, value(run.goal, sums));
  });
  return best;
}

bool same(double a, double b) { return a == b || std::abs(a - b) <= kRoom * (1.0 + std::abs(a)); }

}  // namespace

TEST_CASE("Label bounds never exceed a completion and never fall along a walk", "[search]") {
  std::size_t labels = 0;
  std::size_t tight = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 5000); ++seed) {
    const Run run(seed, true);
    bool admissible = true;
    bool consistent = true;
    for (const Label& label : run.labels()) {
      ++labels;
      const double truth = run.completion(label);
      admissible =
          admissible && (truth == kInfinity || label.bound <= truth + kRoom * (1.0 + std::abs(truth)));
      tight += truth < kInfinity && same(label.bound, truth) ? 1 : 0;
      if (label.parent < 0) continue;
      const double before = run.labels()[static_cast<std::size_t>(label.parent)].bound;
      consistent = consistent && label.bound >= before - kRoom * (1.0 + std::abs(before));
    }
    INFO("seed " << seed);
    CHECK(admissible);
    CHECK(consistent);
    CHECK(run.answer.outcome == search::LabelOutcome::exhausted);
    CHECK(same(run.found, best_of_all(run)));
  }
  CHECK(labels > 30000);
  CHECK(tight > 1600);  // the bounds are value something
}

TEST_CASE("A dominated label has one beside it that ends no worse", "[search]") {
  std::size_t dominated = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Run run(seed, false);
    using State = std::tuple<std::int32_t, std::int32_t, std::int32_t>;
    const auto state = [](const Label& l) {
      return State{l.vertex, l.level, l.begins_stage ? -1 : l.choice};
    };
    std::map<State, double> kept;
    for (const Label& label : run.labels()) {
      if (label.dominated) continue;
      const auto [at, fresh] = kept.emplace(state(label), kInfinity);
      at->second = std::min(at->second, run.completion(label));
    }
    bool none_lost = true;
    for (const Label& label : run.labels()) {
      if (!label.dominated) continue;
      ++dominated;
      const double lost = run.completion(label);
      const auto left = kept.find(state(label));
      const double least = left == kept.end() ? kInfinity : left->second;
      none_lost = none_lost && (lost == kInfinity || least <= lost + kRoom * (1.0 + lost));
    }
    INFO("seed " << seed);
    CHECK(none_lost);
    CHECK(run.answer.outcome == search::LabelOutcome::exhausted);
    CHECK(same(run.found, best_of_all(run)));
  }
  CHECK(dominated > 100);
}

TEST_CASE("A label run out of budget leaves a bound on the rest", "[search]") {
  std::size_t over = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Run run(seed, false);
    const double best = best_of_all(run);
    run.options.budget = static_cast<std::int64_t>(seed % 7);
    Recorder incumbents(run.graph, run.goal, false);
    core::StopToken stop;
    const auto [outcome, least_open] = run.run(incumbents, stop);
    INFO("seed " << seed);
    if (outcome == search::LabelOutcome::over_budget) {
      ++over;
      CHECK(std::min(least_open, incumbents.best) <= best + kRoom * (1.0 + std::abs(best)));
    } else {
      CHECK(outcome == search::LabelOutcome::exhausted);
      CHECK(same(incumbents.best, best));
    }
  }
  CHECK(over > 20);
}

TEST_CASE("A label run that is stopped leaves a bound on the rest", "[search]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Run run(seed, false);
    Recorder incumbents(run.graph, run.goal, false);
    core::StopToken stop(kInfinity, [] { return true; });
    const auto [outcome, least_open] = run.run(incumbents, stop);
    if (outcome == search::LabelOutcome::exhausted) continue;  // nothing was open
    CHECK(outcome == search::LabelOutcome::stopped);
    CHECK(std::min(least_open, incumbents.best) <= best_of_all(run) + kRoom);
  }
}
