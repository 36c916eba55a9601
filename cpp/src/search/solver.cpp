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
constexpr std::int64_t kEndlessGrowth = 8;  // of the budget while there is no incumbent at all
constexpr double kPromising = 0.04;         // try only where the bound is within this share of the cutoff
constexpr double kNarrow = 0.1;             // an interval whose width is this share of its gap is not halved
constexpr int kRounds = 2;                  // times an interval is shortened from above before it is halved
constexpr double kShorter = 0.7;            // and only while it shrinks to this share

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
  Solver(const Context& context, const SolveOptions& options)
      : context_(context),
        graph_(context.graph),
        goal_(context.goal),
        options_(options),
        incumbents_(context.incumbents),
        workspace_(context.workspace),
        counters_(context.counters) {}

  Answer run() {
    workspace_.reach.set(graph_, goal_.bottleneck_cap_s, context_.stop);
    bottleneck_pass(graph_, workspace_.reach, context_.stop, workspace_.bottleneck_pass,
                    workspace_.bottleneck);
    ++counters_.passes;
    if (!(workspace_.bottleneck.total <= with_room(goal_.bottleneck_cap_s))) return {};
    workspace_.costs.resize(kTables);
    workspace_.resources.resize(goal_.resources.size());

    Interval root;
    root.lo = workspace_.bottleneck.total * (1.0 - kRoundingRoom);
    root.hi = goal_.bottleneck_cap_s;
    root.bound = goal_.bottleneck_rate * root.lo;  // costs are not negative
    root.multipliers.assign(goal_.resources.size(), 0.0);
    open_.push_back(std::move(root));
    double proven = kInfinity;
    while (!open_.empty()) {
      std::pop_heap(open_.begin(), open_.end(), worse_bound);
      Interval interval = std::move(open_.back());
      open_.pop_back();
      if (interval.bound >= incumbents_.cutoff()) {
        proven = std::min(proven, interval.bound);
        break;  // best first: all others are no better
      }
      const double bound = work_on(interval);
      proven = std::min(proven, bound);
      if (context_.stopped()) {
        for (const Interval& rest : open_) proven = std::min(proven, rest.bound);
        // Without an incumbent no prune room is in the bound: leave that of another order of sums.
        return {context_.stop.reason() == core::StopReason::interrupted ? Outcome::interrupted
                                                                        : Outcome::time_limit,
                proven / (1.0 + kRoundingRoom)};
      }
    }
    return {Outcome::proven, std::min(proven, incumbents_.cutoff())};
  }

 private:
  /// Finishes or splits the interval. Returns a bound on what it has dealt with itself.
  double work_on(Interval& interval) {
    ++counters_.intervals;
    double cost = 0.0;
    for (int round = 0;; ++round) {
      if (context_.stopped()) return interval.bound;
      workspace_.reach.set(graph_, interval.hi, context_.stop);
      used_tables_ = 0;
      if (!resources_suffice()) return incumbents_.cutoff();
      cost = ascend(interval);
      if (context_.stopped()) return std::max(interval.bound, cost + goal_.bottleneck_rate * interval.lo);
      interval.bound = std::max(interval.bound, cost + goal_.bottleneck_rate * interval.lo);
      if (!(interval.bound < incumbents_.cutoff())) return interval.bound;
      if (!splits()) return finish(interval, -1);
      // A bottleneck above this cannot pay, whatever the rest costs.
      const double highest = (incumbents_.cutoff() - cost) / goal_.bottleneck_rate;
      const double width = interval.hi - interval.lo;
      if (highest < interval.hi) {
        interval.hi = highest;
        if (round < kRounds && highest - interval.lo < kShorter * width) continue;
      }
      break;
    }
    const double cutoff = incumbents_.cutoff();
    const double gap = cutoff - interval.bound;
    // Where walks may repeat nodes, a label run that has nothing to prune with may never end.
    const bool endless = !graph_.acyclic && !(cutoff < kInfinity) && interval.lo > 0.0;
    const bool narrow = !endless && (goal_.bottleneck_rate * (interval.hi - interval.lo) <= kNarrow * gap ||
                                     !(interval.hi < kInfinity));
    if (narrow || endless || gap <= kPromising * cutoff) {
      const double bound = finish(interval, narrow ? -1 : interval.budget);
      if (context_.stopped() || !over_budget_) return bound;
      interval.bound = bound;
      interval.budget *= endless ? kEndlessGrowth : 2;
    }
    const double middle = interval.hi < kInfinity ? 0.5 * (interval.lo + interval.hi) : 2.0 * interval.lo;
    push({interval.lo, middle, interval.bound, interval.multipliers, interval.budget});
    push({middle, interval.hi, std::max(interval.bound, cost + goal_.bottleneck_rate * middle),
          interval.multipliers, interval.budget});
    return kInfinity;
  }

  /// A backward pass, counted.
  void run_pass(CostToGo& table) {
    cost_pass(graph_, workspace_.reach, context_.stop, workspace_.cost_pass, table);
    ++counters_.passes;
  }

  /// Without a heuristic nothing is gained from a narrower interval.
  [[nodiscard]] bool splits() const {
    return options_.intervals && options_.labels.heuristic && goal_.bottleneck_rate > 0.0;
  }

  void push(Interval interval) {
    open_.push_back(std::move(interval));
    std::push_heap(open_.begin(), open_.end(), worse_bound);
  }

  /// Least use of every resource within the reach; false when one alone breaks its limit.
  bool resources_suffice() {
    for (std::size_t r = 0; r < goal_.resources.size(); ++r) {
      CostToGo& table = workspace_.resources[r];
      table.resource = goal_.resources[r];
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
  double pass(const std::vector<double>& multipliers, Consumption& taken) {
    CostToGo& table = workspace_.costs[used_tables_ % kTables];
    ++used_tables_;
    combine(goal_.objective, goal_.resources, multipliers, table.resource);
    table.multipliers = multipliers;
    table.constant = 0.0;
    for (std::size_t r = 0; r < multipliers.size(); ++r) table.constant += multipliers[r] * goal_.limits[r];
    run_pass(table);
    if (!context_.stopped() && table.total < kInfinity) {
      trace(graph_, workspace_.reach, table, workspace_.walk);
      measure(graph_, goal_, workspace_.walk, taken);
      incumbents_.offer(workspace_.walk);
    }
    return table.total - table.constant;
  }

  /// Raises the bound on the cost by the multipliers: a secant search for each resource whose
  /// limit binds, in turn. Leaves the best in `interval.multipliers`.
  double ascend(Interval& interval) {
    std::vector<double> multipliers = interval.multipliers;
    Consumption taken;
    taken.used.assign(goal_.resources.size(), 0.0);
    double best = pass(multipliers, taken);
    interval.multipliers = multipliers;
    best_table_ = used_tables_ - 1;
    if (!(best < kInfinity)) return best;
    for (int passes = 0; passes < kAscentPasses && !context_.stopped();) {
      std::size_t r = goal_.resources.size();
      double most = 0.0;
      for (std::size_t i = 0; i < goal_.resources.size(); ++i) {
        const double over = (taken.used[i] - goal_.limits[i]) / std::max(goal_.limits[i], 1e-300);
        const double off = over > 0.0 ? over : (multipliers[i] > 0.0 ? -over : 0.0);
        if (off > most) {
          most = off;
          r = i;
        }
      }
      if (r == goal_.resources.size()) return best;
      const double before = best;
      const int made = line_search(interval, r, multipliers, taken, best);
      passes += made;
      if (goal_.resources.size() == 1 || made == 0 || best - before <= enough(best)) break;
    }
    return best;
  }

  /// A rise of the bound that is not worth a pass.
  [[nodiscard]] double enough(double bound) const {
    const double cutoff = incumbents_.cutoff();
    // With one interval only, more passes also mean better incumbents.
    if (!splits()) return 1e-4 * std::abs(bound);
    return cutoff < kInfinity ? std::max(kAscentEnough * (cutoff - bound), 0.0) : 1e-3 * std::abs(bound);
  }

  /// Between a walk that breaks limit r and one that keeps it, until the bound stops rising.
  int line_search(Interval& interval, std::size_t r, std::vector<double>& multipliers, Consumption& taken,
                  double& best) {
    const double limit = goal_.limits[r];
    const auto point = [&](const Consumption& f) {
      double cost = f.cost;
      for (std::size_t i = 0; i < multipliers.size(); ++i) {
        if (i != r) cost += multipliers[i] * (f.used[i] - goal_.limits[i]);
      }
      return Point{multipliers[r], cost, f.used[r]};
    };
    int passes = 0;
    const auto try_at = [&](double multiplier) {
      multipliers[r] = multiplier;
      const double value = pass(multipliers, taken);
      ++passes;
      if (value > best) {
        best = value;
        interval.multipliers = multipliers;
        best_table_ = used_tables_ - 1;
      }
      return value;
    };

    Point over = point(taken);
    Point within = over;
    if (over.used > limit) {
      trace(graph_, workspace_.reach, workspace_.resources[r], workspace_.walk);
      incumbents_.offer(workspace_.walk);
      Consumption least;
      measure(graph_, goal_, workspace_.walk, least);
      within = point(least);
    } else {
      try_at(0.0);
      over = point(taken);
      if (over.used <= limit) return passes;
    }
    while (passes < kAscentPasses && within.used < over.used && !context_.stopped()) {
      const double multiplier = (within.cost - over.cost) / (over.used - within.used);
      if (!(multiplier > 0.0)) break;
      const double line = over.cost + multiplier * (over.used - limit);
      if (line - best <= enough(best + goal_.bottleneck_rate * interval.lo)) break;
      const double value = try_at(multiplier);
      if (value >= line - kRoundingRoom * std::abs(line)) break;
      const Point here = point(taken);
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
    bounds.reach = &workspace_.reach;
    bounds.bottleneck_floor = splits() ? interval.lo : 0.0;
    bounds.bottleneck = &workspace_.bottleneck;
    const std::size_t tables = std::min(used_tables_, kTables);
    const std::size_t first = used_tables_ - best_table_ <= kTables ? best_table_ : used_tables_ - 1;
    bounds.costs.push_back(&workspace_.costs[first % kTables]);
    for (std::size_t t = used_tables_ - tables; t < used_tables_; ++t) {
      if (t != first) bounds.costs.push_back(&workspace_.costs[t % kTables]);
    }
    for (const CostToGo& table : workspace_.resources) bounds.resources.push_back(&table);
    LabelOptions options = options_.labels;
    if (options.budget < 0) options.budget = budget;
    const LabelAnswer answer = run_labels(context_, bounds, options);
    over_budget_ = answer.outcome == LabelOutcome::over_budget;
    return answer.outcome == LabelOutcome::exhausted ? incumbents_.cutoff()
                                                     : std::max(interval.bound, answer.least_open);
  }

  const Context& context_;
  const LayeredGraph& graph_;
  const Goal& goal_;
  const SolveOptions& options_;
  Incumbents& incumbents_;
  Workspace& workspace_;
  Counters& counters_;
  std::vector<Interval> open_;
  std::size_t used_tables_ = 0;
  std::size_t best_table_ = 0;
  bool over_budget_ = false;
};

}  // namespace

Answer solve(const Context& context, const SolveOptions& options) { return Solver(context, options).run(); }

}  // namespace constellm::search
