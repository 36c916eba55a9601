// Bounds and dominance of label runs, label by label, against every completion.
#include <cmath>
#include <map>
#include <tuple>

#include "catch.hpp"
#include "constellm/search/labels.hpp"
#include "constellm/search/measure.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/compile.hpp"
#include "constellm/split/solve.hpp"
#include "search/every_walk.hpp"
#include "split/random_problem.hpp"

using namespace constellm;
using search::kInfinity;
using search::Label;
using tests::EveryWalk;
using tests::Sums;

namespace {

constexpr double kRoom = 1e-10;  // of the sums' size, for sums in another order

double worth(const search::Goal& goal, const Sums& sums) { return sums.cost + goal.peak_rate * sums.peak; }

/// Keeps the least worth of the walks offered that keep the limits; asks for all, or for better ones only.
class Recorder : public search::Judge {
 public:
  Recorder(const search::LayeredGraph& graph, const search::Goal& goal, bool all)
      : g_(graph), goal_(goal), all_(all) {}
  void offer(const search::Walk& walk) override {
    const search::Figures f = search::measure(g_, goal_, walk);
    for (std::size_t r = 0; r < goal_.resources.size(); ++r) {
      if (f.used[r] > goal_.limits[r]) return;
    }
    best = std::min(best, f.cost + goal_.peak_rate * f.peak);
  }
  [[nodiscard]] double cutoff() const override { return all_ ? kInfinity : best; }

  double best = kInfinity;

 private:
  const search::LayeredGraph& g_;
  const search::Goal& goal_;
  bool all_;
};

/// A label run over all of a random problem, under the tables of a few random multipliers.
struct Run {
  Run(std::uint64_t seed, bool everything)
      : problem(tests::random_problem(seed)), compiled(split::compile(problem, seed % 2 == 0)) {
    if (!compiled) return;
    tests::Random r(seed + 77);
    goal = split::delay_goal(*compiled, problem);
    options.dominance = !everything;
    options.heuristic = r.chance(0.8);
    options.resource_bound = r.chance(0.7);
    window.set(graph(), kInfinity);
    search::PassScratch passes;
    search::peak_pass(graph(), window, passes, peak);
    tables.resize(2);
    resources.resize(goal.resources.size());
    for (search::CostToGo& table : tables) {
      for (std::size_t i = 0; i < goal.resources.size(); ++i) {
        table.multipliers.push_back(r.chance(0.3) ? 0.0 : r.uniform(0.0, 10.0));
        table.constant += table.multipliers.back() * goal.limits[i];
      }
      search::combine(goal.cost, goal.resources, table.multipliers, table.meter);
      search::backward_pass(graph(), window, passes, table);
      bounds.costs.push_back(&table);
    }
    for (std::size_t i = 0; i < goal.resources.size(); ++i) {
      resources[i].meter = goal.resources[i];
      search::backward_pass(graph(), window, passes, resources[i]);
      bounds.resources.push_back(&resources[i]);
    }
    bounds.window = &window;
    bounds.peak = &peak;
    Recorder judge(graph(), goal, everything);
    core::StopToken stop;
    outcome = search::run_labels(graph(), goal, bounds, options, judge, stop, scratch, counters, least_open);
    found = judge.best;
  }
  [[nodiscard]] const search::LayeredGraph& graph() const { return compiled->graph; }
  [[nodiscard]] const std::vector<Label>& labels() const { return scratch.labels; }

  /// The least worth of a completion of the label that keeps the limits.
  [[nodiscard]] double completion(const Label& label) const {
    EveryWalk every(graph(), goal);
    every.stand_at(label.position);
    for (auto id = label.parent; id >= 0; id = labels()[static_cast<std::size_t>(id)].parent) {
      every.visit(labels()[static_cast<std::size_t>(id)].position);
    }
    double best = kInfinity;
    const auto visit = [&](const Sums& sums) {
      if (tests::keeps_limits(goal, sums)) best = std::min(best, worth(goal, sums));
    };
    Sums sums;
    sums.cost = label.cost;
    sums.peak = label.peak;
    sums.used = label.used;
    if (label.begins_stage)
      every.stage(label.position, label.level, label.entered_s, sums, visit);
    else
      every.leave(label.position, label.level, label.form, sums, visit);
    return best;
  }

  split::Problem problem;
  std::optional<split::Compiled> compiled;
  search::Goal goal;
  search::LabelOptions options;
  search::Window window;
  search::PeakToGo peak;
  std::vector<search::CostToGo> tables;
  std::vector<search::CostToGo> resources;
  search::LabelBounds bounds;
  search::LabelScratch scratch;
  search::Counters counters;
  search::LabelOutcome outcome = search::LabelOutcome::stopped;
  double least_open = -kInfinity;
  double found = kInfinity;
};

double best_of_all(const Run& run) {
  EveryWalk every(run.graph(), run.goal);
  double best = kInfinity;
  every.from_source([&](const Sums& sums) {
    if (tests::keeps_limits(run.goal, sums)) best = std::min(best, worth(run.goal, sums));
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
    if (!run.compiled) continue;
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
    CHECK(run.outcome == search::LabelOutcome::exhausted);
    CHECK(same(run.found, best_of_all(run)));
  }
  CHECK(labels > 40000);
  CHECK(tight > 1600);  // the bounds are worth something
}

TEST_CASE("A dominated label has one beside it that ends no worse", "[search]") {
  std::size_t dominated = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Run run(seed, false);
    if (!run.compiled) continue;
    using State = std::tuple<std::int32_t, std::int32_t, std::int32_t>;
    const auto state = [](const Label& l) {
      return State{l.position, l.level, l.begins_stage ? -1 : l.form};
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
    CHECK(run.outcome == search::LabelOutcome::exhausted);
    CHECK(same(run.found, best_of_all(run)));
  }
  CHECK(dominated > 100);
}

TEST_CASE("A label run out of budget leaves a bound on the rest", "[search]") {
  std::size_t over = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Run run(seed, false);
    if (!run.compiled) continue;
    const double best = best_of_all(run);
    run.options.budget = static_cast<std::int64_t>(seed % 7);
    Recorder judge(run.graph(), run.goal, false);
    core::StopToken stop;
    const auto outcome = search::run_labels(run.graph(), run.goal, run.bounds, run.options, judge, stop,
                                            run.scratch, run.counters, run.least_open);
    INFO("seed " << seed);
    if (outcome == search::LabelOutcome::over_budget) {
      ++over;
      CHECK(std::min(run.least_open, judge.best) <= best + kRoom * (1.0 + std::abs(best)));
    } else {
      CHECK(outcome == search::LabelOutcome::exhausted);
      CHECK(same(judge.best, best));
    }
  }
  CHECK(over > 20);
}

TEST_CASE("A label run that is stopped leaves a bound on the rest", "[search]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Run run(seed, false);
    if (!run.compiled) continue;
    Recorder judge(run.graph(), run.goal, false);
    core::StopToken stop(kInfinity, [] { return true; });
    double least_open = -kInfinity;
    const auto outcome = search::run_labels(run.graph(), run.goal, run.bounds, run.options, judge, stop,
                                            run.scratch, run.counters, least_open);
    if (outcome == search::LabelOutcome::exhausted) continue;  // nothing was open
    CHECK(outcome == search::LabelOutcome::stopped);
    CHECK(std::min(least_open, judge.best) <= best_of_all(run) + kRoom);
  }
}
