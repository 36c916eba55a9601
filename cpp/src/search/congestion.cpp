#include "constellm/search/congestion.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/search/measure.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::search {
namespace {

using core::z;

// Chosen by trial on torus grids; none changes what is proven.
constexpr double kCaps[] = {4.0, 2.0, 1.5, 1.25, 1.1, 1.02};  // on the bottleneck, in its least
constexpr double kPriceStep = 2e-3;                           // of a visit too many, as a share of the value

/// How fast prices grow, and for how many passes.
struct Pace {
  double growth;
  int passes;
};
constexpr Pace kPaces[] = {{1.15, 80}, {1.05, 200}};  // until one leads to a path
constexpr Pace kFurther{1.15, 40};                    // once there is one

class Congestion {
 public:
  Congestion(const Context& context, const std::function<void(const std::vector<std::int32_t>&)>& found)
      : context_(context),
        graph_(context.graph),
        goal_(context.goal),
        workspace_(context.workspace),
        found_(found) {}

  void run() {
    workspace_.reach.set(graph_, goal_.bottleneck_cap_s, context_.stop);
    bottleneck_pass(graph_, workspace_.reach, context_.stop, workspace_.bottleneck_pass,
                    workspace_.bottleneck);
    ++context_.counters.passes;
    workspace_.costs.resize(std::max<std::size_t>(workspace_.costs.size(), 1));
    workspace_.resources.resize(goal_.resources.size());
    least_bottleneck_ = workspace_.bottleneck.total;
    if (!(least_bottleneck_ <= with_room(goal_.bottleneck_cap_s))) return;
    for (const Pace& pace : kPaces) {  // the loosest cap first: there a path is found soonest
      if (!any_) under(goal_.bottleneck_cap_s, pace);
    }
    if (goal_.bottleneck_rate > 0.0) {
      for (const double factor : kCaps) {
        const double cap = factor * least_bottleneck_;
        if (cap < goal_.bottleneck_cap_s) under(cap, kFurther);
      }
    }
  }

 private:
  /// Prices under one cap, until the walk is simple.
  void under(double cap, const Pace& pace) {
    if (context_.stopped()) return;
    workspace_.reach.set(graph_, cap, context_.stop);
    if (!set_multipliers()) return;
    const double value_s = cost_ + goal_.bottleneck_rate * least_bottleneck_;
    if (!(value_s < context_.incumbents.cutoff())) return;
    price_.assign(z(graph_.nodes()), 0.0);
    double step = kPriceStep * value_s;
    for (int i = 0; i < pace.passes && !context_.stopped(); ++i, step *= pace.growth) {
      if (i > 0 && !(pass() < kInfinity)) return;
      if (raise_prices(step)) {
        any_ = true;
        found_(workspace_.walk.vertices);
        return;
      }
    }
  }

  /// Multipliers of the limits from the cheapest walk and the one that uses least, by one step of the
  /// secant for each limit that the first breaks. False when no walk is left.
  bool set_multipliers() {
    multipliers_.assign(goal_.resources.size(), 0.0);
    price_.clear();
    cost_ = pass();
    if (!(cost_ < kInfinity) || context_.stopped()) return false;
    Consumption cheapest;
    measure(graph_, goal_, workspace_.walk, cheapest);
    bool changed = false;
    for (std::size_t r = 0; r < multipliers_.size(); ++r) {
      if (cheapest.used[r] <= goal_.limits[r]) continue;
      CostToGo& table = workspace_.resources[r];
      table.resource = goal_.resources[r];
      cost_pass(graph_, workspace_.reach, context_.stop, workspace_.cost_pass, table);
      ++context_.counters.passes;
      if (context_.stopped() || !(table.total <= with_room(goal_.limits[r]))) return false;
      trace(graph_, workspace_.reach, table, workspace_.walk);
      Consumption least;
      measure(graph_, goal_, workspace_.walk, least);
      multipliers_[r] = std::max(0.0, (least.cost - cheapest.cost) / (cheapest.used[r] - least.used[r]));
      changed = true;
    }
    return !changed || pass() < kInfinity;
  }

  /// A backward pass under the multipliers and prices, and its trace. Returns the bound without prices.
  double pass() {
    CostToGo& table = workspace_.costs.front();
    combine(goal_.objective, goal_.resources, multipliers_, table.resource);
    if (!price_.empty()) {
      std::vector<double>& hop_fixed = table.resource.hop_fixed;
      hop_fixed.resize(graph_.arc_to.size(), 0.0);
      for (std::size_t a = 0; a < hop_fixed.size(); ++a)
        hop_fixed[a] += price_[z(graph_.node[z(graph_.arc_to[a])])];
    }
    cost_pass(graph_, workspace_.reach, context_.stop, workspace_.cost_pass, table);
    ++context_.counters.passes;
    if (context_.stopped() || table.total == kInfinity) return table.total;
    trace(graph_, workspace_.reach, table, workspace_.walk);
    context_.incumbents.offer(workspace_.walk);
    return table.total;
  }

  /// Dearer by about `step` for each visit too many, not quite alike, or walks would go on between
  /// equal nodes. Whether there is none.
  bool raise_prices(double step) {
    visits_.assign(z(graph_.nodes()), 0);
    for (const std::int32_t vertex : workspace_.walk.vertices) ++visits_[z(graph_.node[z(vertex)])];
    bool simple = true;
    for (std::size_t node = 0; node < visits_.size(); ++node) {
      if (visits_[node] < 2) continue;
      simple = false;
      const double mixed = 0.6180339887498949 * static_cast<double>(node);
      price_[node] += step * (1.0 + 0.2 * (mixed - std::floor(mixed))) * (visits_[node] - 1);
    }
    return simple;
  }

  const Context& context_;
  const LayeredGraph& graph_;
  const Goal& goal_;
  Workspace& workspace_;
  const std::function<void(const std::vector<std::int32_t>&)>& found_;
  bool any_ = false;  ///< path was found
  double least_bottleneck_ = 0.0;
  double cost_ = 0.0;  ///< least under the cap, without limits
  std::vector<double> multipliers_;
  std::vector<double> price_;  ///< [nodes] of a visit; empty: none
  std::vector<int> visits_;    ///< [nodes] by the walk
};

}  // namespace

void simple_paths(const Context& context,
                  const std::function<void(const std::vector<std::int32_t>& vertices)>& found) {
  Congestion(context, found).run();
}

}  // namespace constellm::search
