#include "constellm/flow/quickest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/flow/networks.hpp"

namespace constellm::flow {
namespace {

using core::z;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// What rounding down may take from a flow, of 2^60 units.
constexpr std::int64_t kSlack = std::int64_t{1} << 12;
// A later plan is looked for where it may close a third of the gap, and at so many moments.
constexpr double kWorthwhile = 2.0 / 3.0;
constexpr int kTries = 8;

/// Least moments by cuts (Newton's method), between a network that allows too much and one that allows too
/// little, on grids that get finer where their cuts change sides.
class Search {
 public:
  Search(const Instance& instance, core::StopToken& stop, std::size_t first_cells)
      : instance_(instance),
        units_(instance),
        stop_(stop),
        first_cells_(first_cells),
        grid_(instance, 0.0, first_cells) {}

  Plan run() {
    try {
      start();
      while (plan_.status == core::Status::no_plan_found) {
        ++plan_.counters.rounds;
        find_bound();
        if (plan_.status == core::Status::no_plan_found) find_plan();
      }
    } catch (const core::Stopped&) {
      plan_.status = stop_.reason() == core::StopReason::interrupted ? core::Status::interrupted
                                                                     : core::Status::time_limit;
    }
    plan_.lower_bound_s = bound_s_;
    if (certificate_) plan_.cut = certificate_->in_stretches();
    return std::move(plan_);
  }

 private:
  void start() {
    for (TimeCut& cut : still_cuts(instance_))
      if (!is_infeasible()) raise_by(std::move(cut));
    grid_ = Grid(instance_, bound_s_, first_cells_);
  }

  /// Whether a cut puts the bound off.
  bool raise_by(TimeCut cut) {
    const double next_s = cut.next_s(bound_s_, instance_.total_bytes);
    if (!(next_s > bound_s_)) return false;
    bound_s_ = next_s;
    certificate_ = std::move(cut);
    if (is_infeasible()) plan_.status = core::Status::infeasible;
    return true;
  }

  [[nodiscard]] bool is_infeasible() const { return bound_s_ == kInfinity; }

  std::int64_t value_of(TimeNetwork& network) {
    ++plan_.counters.flows;
    plan_.counters.nodes = std::max(plan_.counters.nodes, network.nodes());
    plan_.counters.arcs = std::max(plan_.counters.arcs, network.arcs());
    return network.find_value(stop_);
  }

  /// The least moment at which all fits into the outer network.
  void find_bound() {
    while (!is_infeasible()) {
      grid_.end_at(bound_s_);
      outer_.emplace(instance_, grid_, units_);
      if (value_of(*outer_) >= units_.total()) return;
      // What is missing although the cut lets enough through is rounding.
      if (!raise_by(outer_->cut())) return;
      if (plan_.counters.rounds == 1 && !is_infeasible()) grid_ = Grid(instance_, bound_s_, first_cells_);
    }
  }

  /// Ends the search where the inner network lets all through at the bound.
  void find_plan() {
    InnerNetwork inner(instance_, grid_, units_);
    const std::int64_t value = value_of(inner);
    if (value >= units_.total() - kSlack) return end_optimal(inner);
    TimeCut cut = inner.cut();
    const double bound_s = bound_s_;
    const double missing = cut.capacity_bytes(bound_s) - units_.bytes(value);
    Grid finer = grid_;
    if (!refine(finer, inner)) {
      if (units_.bytes(units_.total() - value) > 1e-9 * instance_.total_bytes)
        throw std::logic_error("quickest transfer: the finest networks differ");
      return end_optimal(inner);
    }
    if (!raise_by(cut)) find_later_plan(std::move(cut), missing);
    grid_ = std::move(finer);
  }

  void end_optimal(InnerNetwork& inner) {
    plan_.flows = inner.flows();
    plan_.finish_s = bound_s_;
    plan_.status = core::Status::optimal;
  }

  bool refine(Grid& grid, const InnerNetwork& inner) const {
    std::vector<std::vector<std::int32_t>> marked(z(instance_.nodes));
    outer_->mark(marked);
    inner.mark(marked);
    for (std::vector<std::int32_t>& cells : marked) {
      std::sort(cells.begin(), cells.end());
      cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
    }
    return grid.split(marked) || grid.split_all();
  }

  /// The inner network lacks `missing` bytes: looks for the moment by which its cut lets as much more
  /// through.
  void find_later_plan(TimeCut cut, double missing) {
    double at_s = bound_s_;
    for (int i = 0; i < kTries; ++i) {
      double next_s = cut.next_s(at_s, instance_.total_bytes + missing);
      if (next_s == kInfinity) next_s = std::max(2.0 * at_s, instance_.moments_s.back());
      if (!(next_s > at_s)) return;
      at_s = next_s;
      if (at_s - bound_s_ > kWorthwhile * (plan_.finish_s - bound_s_)) return;  // no plan: NaN, so never
      grid_.end_at(at_s);
      InnerNetwork inner(instance_, grid_, units_);
      const std::int64_t value = value_of(inner);
      if (value >= units_.total() - kSlack) {
        plan_.flows = inner.flows();
        plan_.finish_s = at_s;
        return;
      }
      cut = inner.cut();
      missing = cut.capacity_bytes(at_s) - units_.bytes(value);
    }
  }

  const Instance& instance_;
  Units units_;
  core::StopToken& stop_;
  std::size_t first_cells_;
  Grid grid_;
  std::optional<OuterNetwork> outer_;
  double bound_s_ = 0.0;
  std::optional<TimeCut> certificate_;
  Plan plan_;
};

}  // namespace

Plan quickest(const Problem& problem, core::StopToken& stop, std::size_t first_cells) {
  const Instance instance(problem);
  if (!instance.is_done) return Search(instance, stop, first_cells).run();
  Plan plan;
  plan.status = core::Status::optimal;
  plan.finish_s = 0.0;
  return plan;
}

}  // namespace constellm::flow
