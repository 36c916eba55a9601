#include "constellm/search/solver.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/search/measure.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::search {
namespace {

// How hard an interval is worked on. Chosen by trial on the benchmark chains; none changes a result.
constexpr std::size_t kTables = 4;      // multipliers that bound a label run at once
constexpr int kAscentPasses = 8;        // passes for the multipliers of one interval
constexpr double kAscentEnough = 0.05;  // stop when a pass could close less than this share of the gap
// Labels to try on an interval that could be halved instead; its halves may have twice as many.
constexpr std::int64_t kBudget = 400;
constexpr double kPromising = 0.04;  // try only where the bound is within this share of the cutoff
constexpr double kNarrow = 0.1;      // an interval whose width is this share of its gap is not halved
constexpr int kRounds = 2;           // times an interval is shortened from above before it is halved
constexpr double kShorter = 0.7;     // and only while it shrinks to this share

struct Interval {
  double lo = 0.0;
  double hi = kInfinity;
  double bound = -kInfinity;
  std::vector<double> multipliers;
  std::int64_t budget = kBudget;
};

bool worse_bound(const Interval& a, const Interval& b) { return a.bound > b.bound; }

class Solver {
 public:
  Solver(const LayeredGraph& graph, const Goal& goal, const SolveOptions& options, Judge& judge,
         core::StopToken& stop, Workspace& workspace, Counters& counters)
      : g_(graph), goal_(goal), o_(options), judge_(judge), stop_(stop), ws_(workspace), c_(counters) {}

  Answer run() {
    ws_.window.set(g_, goal_.peak_cap);
    peak_pass(g_, ws_.window, ws_.passes, ws_.peak);
    ++c_.passes;
    if (!(ws_.peak.total <= with_room(goal_.peak_cap))) return {};
    ws_.costs.resize(kTables);
    ws_.resources.resize(goal_.resources.size());

    Interval root;
    root.lo = ws_.peak.total * (1.0 - kRoundingRoom);
    root.hi = goal_.peak_cap;
    root.bound = goal_.peak_rate * root.lo;  // costs are not negative
    root.multipliers.assign(goal_.resources.size(), 0.0);
    open_.push_back(std::move(root));
    double proven = kInfinity;
    while (!open_.empty()) {
      std::pop_heap(open_.begin(), open_.end(), worse_bound);
      Interval interval = std::move(open_.back());
      open_.pop_back();
      if (interval.bound >= judge_.cutoff()) {
        proven = std::min(proven, interval.bound);
        break;  // best first: all others are no better
      }
      const double bound = work_on(interval);
      proven = std::min(proven, bound);
      if (stopped()) {
        for (const Interval& rest : open_) proven = std::min(proven, rest.bound);
        // Without an incumbent no prune room is in the bound: leave that of another order of sums.
        return {stop_.reason() == core::StopReason::interrupted ? Outcome::interrupted : Outcome::time_limit,
                proven / (1.0 + kRoundingRoom)};
      }
    }
    return {Outcome::proven, std::min(proven, judge_.cutoff())};
  }

 private:
  /// Finishes or splits the interval. Returns a bound on what it has dealt with itself.
  double work_on(Interval& interval) {
    ++c_.intervals;
    double cost = 0.0;
    for (int round = 0;; ++round) {
      if (stopped()) return interval.bound;
      ws_.window.set(g_, interval.hi);
      used_tables_ = 0;
      if (!resources_suffice()) return judge_.cutoff();
      cost = ascend(interval);
      interval.bound = std::max(interval.bound, cost + goal_.peak_rate * interval.lo);
      if (!(interval.bound < judge_.cutoff())) return interval.bound;
      if (!splits()) return finish(interval, -1);
      // A peak above this cannot pay, whatever the rest costs.
      const double highest = (judge_.cutoff() - cost) / goal_.peak_rate;
      const double width = interval.hi - interval.lo;
      if (highest < interval.hi) {
        interval.hi = highest;
        if (round < kRounds && highest - interval.lo < kShorter * width) continue;
      }
      break;
    }
    const double cutoff = judge_.cutoff();
    const double gap = cutoff - interval.bound;
    const bool narrow =
        goal_.peak_rate * (interval.hi - interval.lo) <= kNarrow * gap || !(interval.hi < kInfinity);
    if (narrow || gap <= kPromising * cutoff) {
      const double bound = finish(interval, narrow ? -1 : interval.budget);
      if (stopped() || !over_budget_) return bound;
      interval.bound = bound;
      interval.budget *= 2;
    }
    const double middle = 0.5 * (interval.lo + interval.hi);
    push({interval.lo, middle, interval.bound, interval.multipliers, interval.budget});
    push({middle, interval.hi, std::max(interval.bound, cost + goal_.peak_rate * middle),
          interval.multipliers, interval.budget});
    return kInfinity;
  }

  [[nodiscard]] bool stopped() const { return stop_.reason() != core::StopReason::none; }

  /// A backward pass, counted and weighed for the stop token.
  void run_pass(CostToGo& table) {
    backward_pass(g_, ws_.window, ws_.passes, table);
    ++c_.passes;
    stop_.should_stop(table.pass_on.size() / 64);
  }

  /// Without a heuristic nothing is gained from a narrower interval.
  [[nodiscard]] bool splits() const { return o_.intervals && o_.labels.heuristic && goal_.peak_rate > 0.0; }

  void push(Interval interval) {
    open_.push_back(std::move(interval));
    std::push_heap(open_.begin(), open_.end(), worse_bound);
  }

  /// Least use of every resource within the window; false when one alone breaks its limit.
  bool resources_suffice() {
    for (std::size_t r = 0; r < goal_.resources.size(); ++r) {
      CostToGo& table = ws_.resources[r];
      table.meter = goal_.resources[r];
      run_pass(table);
      if (!(table.total <= with_room(goal_.limits[r]))) return false;
    }
    return true;
  }

  struct Point {
    double multiplier = 0.0;
    double cost = 0.0;  ///< without this resource's share
    double used = 0.0;
  };

  /// One backward pass for the multipliers; its trace is offered. Returns the bound.
  double pass(const std::vector<double>& multipliers, Figures& figures) {
    CostToGo& table = ws_.costs[used_tables_ % kTables];
    ++used_tables_;
    combine(goal_.cost, goal_.resources, multipliers, table.meter);
    table.multipliers = multipliers;
    table.constant = 0.0;
    for (std::size_t r = 0; r < multipliers.size(); ++r) table.constant += multipliers[r] * goal_.limits[r];
    run_pass(table);
    if (table.total < kInfinity) {
      trace(g_, ws_.window, table, ws_.walk);
      figures = measure(g_, goal_, ws_.walk);
      judge_.offer(ws_.walk);
    }
    return table.total - table.constant;
  }

  /// Raises the bound on the cost by the multipliers: a secant search for each resource whose
  /// limit binds, in turn. Leaves the best in `interval.multipliers`.
  double ascend(Interval& interval) {
    std::vector<double> multipliers = interval.multipliers;
    Figures figures;
    double best = pass(multipliers, figures);
    interval.multipliers = multipliers;
    best_table_ = used_tables_ - 1;
    if (!(best < kInfinity)) return best;
    for (int passes = 0; passes < kAscentPasses && !stopped();) {
      std::size_t r = goal_.resources.size();
      double most = 0.0;
      for (std::size_t i = 0; i < goal_.resources.size(); ++i) {
        const double over = (figures.used[i] - goal_.limits[i]) / std::max(goal_.limits[i], 1e-300);
        const double off = over > 0.0 ? over : (multipliers[i] > 0.0 ? -over : 0.0);
        if (off > most) {
          most = off;
          r = i;
        }
      }
      if (r == goal_.resources.size()) return best;
      const double before = best;
      const int made = line_search(interval, r, multipliers, figures, best);
      passes += made;
      if (goal_.resources.size() == 1 || made == 0 || best - before <= enough(best)) break;
    }
    return best;
  }

  /// A rise of the bound that is not worth a pass.
  [[nodiscard]] double enough(double bound) const {
    const double cutoff = judge_.cutoff();
    // With one interval only, more passes also mean better incumbents.
    if (!splits()) return 1e-4 * std::abs(bound);
    return cutoff < kInfinity ? std::max(kAscentEnough * (cutoff - bound), 0.0) : 1e-3 * std::abs(bound);
  }

  /// Between a walk that breaks limit r and one that keeps it, until the bound stops rising.
  int line_search(Interval& interval, std::size_t r, std::vector<double>& multipliers, Figures& figures,
                  double& best) {
    const double limit = goal_.limits[r];
    const auto point = [&](const Figures& f) {
      double cost = f.cost;
      for (std::size_t i = 0; i < multipliers.size(); ++i) {
        if (i != r) cost += multipliers[i] * (f.used[i] - goal_.limits[i]);
      }
      return Point{multipliers[r], cost, f.used[r]};
    };
    int passes = 0;
    const auto try_at = [&](double multiplier) {
      multipliers[r] = multiplier;
      const double value = pass(multipliers, figures);
      ++passes;
      if (value > best) {
        best = value;
        interval.multipliers = multipliers;
        best_table_ = used_tables_ - 1;
      }
      return value;
    };

    Point over = point(figures);
    Point within = over;
    if (over.used > limit) {
      trace(g_, ws_.window, ws_.resources[r], ws_.walk);
      judge_.offer(ws_.walk);
      within = point(measure(g_, goal_, ws_.walk));
    } else {
      try_at(0.0);
      over = point(figures);
      if (over.used <= limit) return passes;
    }
    while (passes < kAscentPasses && within.used < over.used && !stopped()) {
      const double multiplier = (within.cost - over.cost) / (over.used - within.used);
      if (!(multiplier > 0.0)) break;
      const double line = over.cost + multiplier * (over.used - limit);
      if (line - best <= enough(best + goal_.peak_rate * interval.lo)) break;
      const double value = try_at(multiplier);
      if (value >= line - kRoundingRoom * std::abs(line)) break;
      const Point here = point(figures);
      if (here.used > limit)
        over = here;
      else
        within = here;
    }
    return passes;
  }

  /// Label setting over the interval under the tables at hand.
  double finish(Interval& interval, std::int64_t budget) {
    LabelBounds bounds;
    bounds.window = &ws_.window;
    bounds.peak_floor = splits() ? interval.lo : 0.0;
    bounds.peak = &ws_.peak;
    const std::size_t tables = std::min(used_tables_, kTables);
    const std::size_t first = used_tables_ - best_table_ <= kTables ? best_table_ : used_tables_ - 1;
    bounds.costs.push_back(&ws_.costs[first % kTables]);
    for (std::size_t t = used_tables_ - tables; t < used_tables_; ++t) {
      if (t != first) bounds.costs.push_back(&ws_.costs[t % kTables]);
    }
    for (const CostToGo& table : ws_.resources) bounds.resources.push_back(&table);
    LabelOptions options = o_.labels;
    if (options.budget < 0) options.budget = budget;
    double least_open = interval.bound;
    const LabelOutcome outcome =
        run_labels(g_, goal_, bounds, options, judge_, stop_, ws_.labels, c_, least_open);
    over_budget_ = outcome == LabelOutcome::over_budget;
    return outcome == LabelOutcome::exhausted ? judge_.cutoff() : std::max(interval.bound, least_open);
  }

  const LayeredGraph& g_;
  const Goal& goal_;
  const SolveOptions& o_;
  Judge& judge_;
  core::StopToken& stop_;
  Workspace& ws_;
  Counters& c_;
  std::vector<Interval> open_;
  std::size_t used_tables_ = 0;
  std::size_t best_table_ = 0;
  bool over_budget_ = false;
};

}  // namespace

Answer solve(const LayeredGraph& graph, const Goal& goal, const SolveOptions& options, Judge& judge,
             core::StopToken& stop, Workspace& workspace, Counters& counters) {
  return Solver(graph, goal, options, judge, stop, workspace, counters).run();
}

}  // namespace constellm::search
