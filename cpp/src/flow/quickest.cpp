#include "constellm/flow/quickest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/flow/inner_network.hpp"
#include "constellm/flow/outer_network.hpp"

namespace constellm::flow {
namespace {

using core::z;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// What rounding down may take from a flow, of 2^60 units.
constexpr std::int64_t kSlack = std::int64_t{1} << 12;
// A later plan is looked for where it may close a third of the gap, and at so many moments.
constexpr double kWorthwhile = 2.0 / 3.0;
constexpr int kTries = 8;
constexpr double kOvershoot = 1.125;
constexpr int kPatience = 3;
constexpr std::uint64_t kPolled = 1 << 16;   // work after which the clock is looked at
constexpr std::int64_t kManyArcs = 1 << 20;  // of networks in which that takes too long

/// Nothing has to flow.
Plan at_once() {
  Plan plan;
  plan.status = core::Status::optimal;
  plan.finish_s = 0.0;
  return plan;
}

/// Least moments by cuts (Newton's method) of an outer network, which allows too much, until an inner one,
/// which allows too little, lets all through. The outer one gets finer where its cut changes sides, which is
/// where the least cut is looked for; the inner one everywhere, as data runs on only through like cells.
class Search {
 public:
  Search(const Instance& instance, core::StopToken& stop, std::size_t first_cells)
      : instance_(instance),
        units_(instance),
        stop_(stop),
        first_cells_(first_cells),
        outer_grid_(instance, 0.0, first_cells),
        inner_grid_(outer_grid_) {}

  Plan run() {
    try {
      for (TimeCut& cut : still_cuts(instance_))
        if (is_open()) raise_by(std::move(cut));
      if (bound_s_ == 0.0) return at_once();
      find_bound();
      inner_grid_ = outer_grid_;
      while (is_open()) find_plan();
    } catch (const core::Stopped&) {
      plan_.status = stop_.reason() == core::StopReason::interrupted ? core::Status::interrupted
                                                                     : core::Status::time_limit;
    }
    plan_.lower_bound_s = bound_s_;
    if (certificate_) plan_.cut = certificate_->in_stretches();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool is_open() const { return plan_.status == core::Status::no_plan_found; }

  /// Whether a cut puts the bound off.
  bool raise_by(TimeCut cut) {
    const double next_s = cut.next_s(bound_s_, instance_.total_bytes);
    if (!(next_s > bound_s_)) return false;
    bound_s_ = next_s;
    certificate_ = std::move(cut);
    if (bound_s_ == kInfinity) plan_.status = core::Status::infeasible;
    return true;
  }

  /// Before a network is made, which takes a while.
  void poll() {
    if (stop_.should_stop(kPolled)) throw core::Stopped();
  }

  std::int64_t value_of(TimeNetwork& network) {
    ++plan_.counters.flows;
    plan_.counters.nodes = std::max(plan_.counters.nodes, network.nodes());
    plan_.counters.arcs = std::max(plan_.counters.arcs, network.arcs());
    return network.find_value(stop_);
  }

  /// The least moment at which all fits into the outer network of the first cells.
  void find_bound() {
    do outer_grid_ = Grid(instance_, bound_s_, first_cells_);
    while (is_open() && raise_by_outer());
  }

  /// Whether the cut of the outer network puts the bound off. Where all fits, it tells where to look closer.
  bool raise_by_outer() {
    poll();
    outer_grid_.end_at(bound_s_);
    outer_.emplace(instance_, outer_grid_, units_);
    // What is missing although the cut lets enough through is rounding.
    return value_of(*outer_) < units_.total() && raise_by(outer_->cut());
  }

  /// The same in ever finer cells where cuts change, this one first, until that has not helped for a while.
  void look_closer_at(TimeCut cut) {
    int patience = kPatience;
    while (is_open() && patience > 0 && outer_grid_.split_around(cut)) {
      ++plan_.counters.rounds;
      --patience;
      while (is_open() && raise_by_outer()) patience = kPatience;
      cut = outer_->cut();
    }
  }

  /// Ends the search where the inner network lets all through at the bound.
  void find_plan() {
    ++plan_.counters.rounds;
    if (bound_s_ > inner_grid_.end_s()) inner_grid_.go_on_to(bound_s_);
    const std::int64_t value = value_at_bound();
    if (value >= units_.total() - kSlack) return end_optimal();
    const TimeCut cut = inner_->cut();
    inner_->find_flow();  // the next one begins with it
    if (raise_by(cut)) return look_closer_at(cut);
    Grid finer = inner_grid_;
    if (!finer.split_all()) {
      if (units_.bytes(units_.total() - value) > 1e-9 * instance_.total_bytes)
        throw std::logic_error("quickest transfer: the finest networks differ");
      return end_optimal();
    }
    if (inner_->arcs() < kManyArcs) find_later_plan(cut, missing_of(cut, value));
    look_closer_at(cut);
    finer.split_all();
    inner_grid_ = std::move(finer);
  }

  std::int64_t value_at_bound() {
    poll();
    auto inner = std::make_unique<InnerNetwork>(instance_, inner_grid_, units_);
    if (inner_) inner->begin_with(*inner_);
    inner_ = std::move(inner);
    return value_of(*inner_);
  }

  void end_optimal() {
    inner_->find_flow();
    plan_.flows = inner_->flows();
    plan_.finish_s = bound_s_;
    plan_.status = core::Status::optimal;
  }

  [[nodiscard]] double missing_of(const TimeCut& cut, std::int64_t value) const {
    return cut.capacity_bytes(bound_s_) - units_.bytes(value);
  }

  /// The inner network lacks `missing` bytes: looks for the moment by which its cut lets as much more
  /// through.
  void find_later_plan(TimeCut cut, double missing) {
    double at_s = bound_s_;
    for (int i = 0; i < kTries; ++i) {
      double next_s = cut.next_s(at_s, instance_.total_bytes + missing);
      if (next_s == kInfinity) next_s = std::max(2.0 * at_s, instance_.moments_s.back());
      if (!(next_s > at_s)) return;
      at_s += kOvershoot * (next_s - at_s);  // steps from below would come close and never arrive
      if (at_s - bound_s_ > kWorthwhile * (plan_.finish_s - bound_s_)) return;  // no plan: NaN, so never
      poll();
      Grid grid = inner_grid_;
      grid.go_on_to(at_s);
      InnerNetwork later(instance_, grid, units_);
      later.begin_with(*inner_);
      const std::int64_t value = value_of(later);
      if (value >= units_.total() - kSlack) {
        later.find_flow();
        plan_.flows = later.flows();
        plan_.finish_s = bound_s_;  // its last contact may close before `at_s`
        for (const double end_s : plan_.flows.end_s) plan_.finish_s = std::max(plan_.finish_s, end_s);
        return;
      }
      cut = later.cut();
      missing = cut.capacity_bytes(at_s) - units_.bytes(value);
    }
  }

  const Instance& instance_;
  Units units_;
  core::StopToken& stop_;
  std::size_t first_cells_;
  Grid outer_grid_;
  Grid inner_grid_;
  std::optional<OuterNetwork> outer_;
  std::unique_ptr<InnerNetwork> inner_;
  double bound_s_ = 0.0;
  std::optional<TimeCut> certificate_;
  Plan plan_;
};

}  // namespace

Plan quickest(const Problem& problem, core::StopToken& stop, std::size_t first_cells) {
  const Instance instance(problem);
  return instance.is_done ? at_once() : Search(instance, stop, first_cells).run();
}

}  // namespace constellm::flow
