#include "constellm/search/solver.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/search/bundle.hpp"
#include "constellm/search/measure.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::search {
namespace {

// How hard an interval is worked on. Chosen by trial on the benchmark chains; none changes a result.
constexpr std::size_t kTables = 4;      // multipliers that bound a label run at once
constexpr int kAscentPasses = 8;        // passes for the multipliers of one interval
constexpr double kAscentEnough = 0.03;  // stop when a pass could close less than this share of the gap
// Labels to try on an interval that could be halved instead, one for so many entries of a pass; its
// halves may have twice as many.
constexpr std::size_t kEntriesPerLabel = 37;
constexpr std::size_t kLeastBudget = 64;
constexpr std::int64_t kEndlessGrowth = 8;  // of the budget while there is no incumbent at all
constexpr double kPromising = 0.04;         // try only where the bound is within this share of the cutoff
constexpr double kNarrow = 0.1;             // an interval whose width is this share of its gap is not halved
constexpr int kRounds = 2;                  // times an interval is shortened from above before it is halved
constexpr double kShorter = 0.7;            // and only while it shrinks to this share

struct Interval {
  double lo = 0.0;
  double hi = kInfinity;
  double bound = -kInfinity;
  Bundle walks;             ///< that bound what the multipliers can do
  std::int64_t budget = 0;  ///< of labels to try
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
    const std::size_t entries = graph_.arc_to.size() * graph_.rows() * core::z(graph_.stride);
    root.budget = static_cast<std::int64_t>(std::max(entries / kEntriesPerLabel, kLeastBudget));
    multipliers_.assign(goal_.resources.size(), 0.0);
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
      least_known_.assign(goal_.resources.size(), 0);
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
        if (round < kRounds && highest - interval.lo < kShorter * width &&
            best_taken_.bottleneck > with_room(highest))
          continue;
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
    push({interval.lo, middle, interval.bound, interval.walks, interval.budget});
    push({middle, interval.hi, std::max(interval.bound, cost + goal_.bottleneck_rate * middle),
          std::move(interval.walks), interval.budget});
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

  /// Least use of a resource within the reach.
  const CostToGo& least_use(std::size_t r) {
    CostToGo& table = workspace_.resources[r];
    if (least_known_[r] == 0) {
      table.resource = goal_.resources[r];
      run_pass(table);
      least_known_[r] = 1;
    }
    return table;
  }

  /// One backward pass for the multipliers; its walk is measured, and offered if it may be wanted.
  /// Returns the bound.
  double pass(const std::vector<double>& multipliers) {
    CostToGo& table = workspace_.costs[used_tables_ % kTables];
    ++used_tables_;
    combine(goal_.objective, goal_.resources, multipliers, table.resource);
    table.multipliers = multipliers;
    table.constant = 0.0;
    for (std::size_t r = 0; r < multipliers.size(); ++r) table.constant += multipliers[r] * goal_.limits[r];
    run_pass(table);
    if (!context_.stopped() && table.total < kInfinity) take_walk(table);
    return table.total - table.constant;
  }

  /// The walk of a table that is whole.
  void take_walk(const CostToGo& table) {
    trace(graph_, workspace_.reach, table, workspace_.walk);
    measure(graph_, goal_, workspace_.walk, taken_);
    bool wanted = taken_.cost + goal_.bottleneck_rate * taken_.bottleneck < with_room(incumbents_.cutoff());
    for (std::size_t r = 0; r < goal_.resources.size(); ++r)
      wanted = wanted && taken_.used[r] <= with_room(goal_.limits[r]);
    if (wanted) incumbents_.offer(workspace_.walk);
  }

  /// Raises the bound on the cost by the multipliers, one whose limit binds after the other.
  /// Starts from those of the interval before. Infinite where no walk keeps the limits.
  double ascend(Interval& interval) {
    interval.walks.keep_within(with_room(interval.hi));
    double best = -kInfinity;
    if (!try_at(std::vector<double>(multipliers_), interval, best)) return best;
    std::vector<std::uint8_t> at_peak(goal_.resources.size(), 0);
    for (int passes = 0; passes < kAscentPasses && !context_.stopped();) {
      const std::size_t r = most_off(at_peak);
      if (r == goal_.resources.size()) return best;
      const double before = best;
      passes += climb(interval, r, best);
      if (best == kInfinity) return best;
      // Where one multiplier has moved the others may have somewhere to go again.
      if (best > before) std::fill(at_peak.begin(), at_peak.end(), 0);
      at_peak[r] = 1;
    }
    return best;
  }

  /// Of the resources whose multiplier is not at its peak, that whose limit the walk of the best bound
  /// misses by the greatest share: that it breaks, or that it leaves room in although it has a price.
  [[nodiscard]] std::size_t most_off(const std::vector<std::uint8_t>& at_peak) const {
    std::size_t r = goal_.resources.size();
    double most = 0.0;
    for (std::size_t i = 0; i < goal_.resources.size(); ++i) {
      const double over = (best_taken_.used[i] - goal_.limits[i]) / std::max(goal_.limits[i], 1e-300);
      const double off = over > 0.0 ? over : (multipliers_[i] > 0.0 ? -over : 0.0);
      if (at_peak[i] == 0 && off > most) {
        most = off;
        r = i;
      }
    }
    return r;
  }

  /// A rise of the bound on the cost that is not worth a pass.
  [[nodiscard]] double enough(double cost, const Interval& interval) const {
    const double cutoff = incumbents_.cutoff();
    // With one interval only, more passes also mean better incumbents.
    if (!splits()) return 1e-4 * std::abs(cost);
    const double gap = cutoff - (cost + goal_.bottleneck_rate * interval.lo);
    if (!(gap > 0.0)) return kInfinity;
    return gap < kInfinity ? kAscentEnough * gap : 1e-3 * std::abs(cost);
  }

  /// A pass at `multipliers`, kept if it has the best bound. False where there is no walk.
  bool try_at(const std::vector<double>& multipliers, Interval& interval, double& best) {
    const double value = pass(multipliers);
    const bool found = value < kInfinity && !context_.stopped();
    if (found) interval.walks.add(taken_);
    if (value > best) {
      best = value;
      multipliers_ = multipliers;
      best_table_ = used_tables_ - 1;
      if (found) std::swap(best_taken_, taken_);
    }
    return found;
  }

  /// Raises the bound by the multiplier of resource r, towards the highest that the known walks allow.
  /// Returns the number of passes; the bound is infinite if no walk keeps the limit.
  int climb(Interval& interval, std::size_t r, double& best) {
    std::vector<double> multipliers = multipliers_;
    int passes = 0;
    while (passes < kAscentPasses && !context_.stopped()) {
      const Bundle::Peak peak = interval.walks.peak(r, multipliers, goal_.limits);
      if (!(peak.value < kInfinity)) {
        const bool known = least_known_[r] != 0;
        const CostToGo& least = least_use(r);
        if (context_.stopped()) break;
        if (!(least.total <= with_room(goal_.limits[r]))) {
          best = kInfinity;
          break;
        }
        if (known) break;  // its walk is no help: it misses the limit by rounding, or its cost is infinite
        take_walk(least);
        interval.walks.add(taken_);
        continue;
      }
      if (peak.value - best <= enough(best, interval)) break;
      multipliers[r] = peak.multiplier;
      ++passes;
      if (!try_at(multipliers, interval, best)) break;
      if (best >= peak.value - kRoundingRoom * std::abs(peak.value)) break;
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
    for (std::size_t r = 0; r < goal_.resources.size(); ++r) bounds.resources.push_back(&least_use(r));
    if (context_.stopped()) return interval.bound;
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
  std::vector<std::uint8_t> least_known_;  ///< [resources] whether the table is of this reach
  std::vector<double> multipliers_;        ///< [resources] of the best bound
  Consumption taken_;                      ///< of the latest walk
  Consumption best_taken_;                 ///< of that of the best bound
  std::size_t used_tables_ = 0;
  std::size_t best_table_ = 0;
  bool over_budget_ = false;
};

}  // namespace

Answer solve(const Context& context, const SolveOptions& options) { return Solver(context, options).run(); }

}  // namespace constellm::search
