#include "constellm/split/infeasibility.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"
#include "constellm/split/goals.hpp"
#include "constellm/split/incumbents.hpp"

namespace constellm::split {
namespace {

using core::z;
using search::kInfinity;

constexpr double kUnlimited = kInfinity;  // as a factor: every host holds the whole model
constexpr double kStep = 1.0 + kOptimalGap;

enum class Limit { error, energy };

/// The limits that hold; memory is multiplied by a factor.
struct LimitsKept {
  bool error = true;
  bool energy = true;
  double memory_factor = 1.0;
};

class Explanation {
 public:
  Explanation(const Problem& problem, core::StopToken& stop, search::Workspace& workspace)
      : problem_(problem), stop_(stop), workspace_(workspace) {}

  Infeasibility run() {
    Infeasibility found;
    found.reason = "unknown";
    if (const std::optional<Compiled> compiled = compile(problem_, {}, stop_); compiled)
      routes_ = compiled->routes;
    else
      found.reason = "no_route";
    if (found.reason == "unknown") look(found);
    if (stop_.reason() == core::StopReason::time_limit) found.stopped = "time_limit";
    if (stop_.reason() == core::StopReason::interrupted) found.stopped = "interrupted";
    return found;
  }

 private:
  void look(Infeasibility& found) {
    const bool error = error_limited(problem_);
    const bool energy = energy_limited(problem_);
    const bool computes =
        memory_used({.error = false, .energy = false, .memory_factor = kUnlimited}).has_value();
    if (stopped()) return;
    if (!computes) {
      found.reason = "no_host";
      return;
    }
    const LimitsKept memory_alone{.error = false, .energy = false};
    if (error) found.least_error_alone = least(Limit::error, memory_alone);
    if (energy) found.least_energy_alone_j = least(Limit::energy, memory_alone);
    if (stopped()) return;
    found.reason = reason(found);
    if (found.reason != "memory") {
      if (error) found.least_error = energy ? least(Limit::error, {.error = false}) : found.least_error_alone;
      if (energy)
        found.least_energy_j = error ? least(Limit::energy, {.energy = false}) : found.least_energy_alone_j;
    }
    found.least_memory_factor = least_memory_factor();
  }

  /// Without a plan that fits the memory, neither least value is there.
  [[nodiscard]] std::string reason(const Infeasibility& found) const {
    if (!found.least_error_alone && !found.least_energy_alone_j) return "memory";
    if (found.least_error_alone && *found.least_error_alone > problem_.error_limit_with_room())
      return "error";
    if (found.least_energy_alone_j && *found.least_energy_alone_j > problem_.energy_limit_with_room())
      return "energy";
    return "limits";
  }

  /// The smallest error or energy [J] of a plan; none where there is no plan.
  std::optional<double> least(Limit limit, const LimitsKept& kept) {
    const Problem relaxed = with(kept);
    const Compiled compiled = compile(relaxed, routes_, {}, stop_);
    const codec::ErrorRule rule = relaxed.spec().limits.error_rule;
    search::Resource used =
        limit == Limit::error ? error_resource(compiled, relaxed) : energy_resource(compiled, relaxed);
    IncumbentPlans plans(relaxed, compiled, [&](const Assignment&, const Evaluation& e) {
      return limit == Limit::error ? codec::to_resource(rule, e.error) : e.energy_j;
    });
    if (!search(compiled, resource_goal(std::move(used), compiled, relaxed), plans)) return std::nullopt;
    const Evaluation& best = plans.kept().front().evaluation;
    return limit == Limit::error ? best.error : best.energy_j;
  }

  /// Of some plan the largest share of a node's memory that it uses; none where there is no plan.
  std::optional<double> memory_used(const LimitsKept& kept) {
    const Problem relaxed = with(kept);
    const Compiled compiled = compile(relaxed, routes_, {}, stop_);
    search::Resource used = error_limited(relaxed)    ? error_resource(compiled, relaxed)
                            : energy_limited(relaxed) ? energy_resource(compiled, relaxed)
                                                      : time_resource(compiled, relaxed);
    // All plans are worth the same: the first one ends the search.
    IncumbentPlans plans(relaxed, compiled, [](const Assignment&, const Evaluation&) { return 0.0; });
    if (!search(compiled, resource_goal(std::move(used), compiled, relaxed), plans)) return std::nullopt;
    double most = 0.0;
    const IncumbentPlans::Kept& found = plans.kept().front();
    for (std::size_t i = 0; i < found.evaluation.stages.size(); ++i) {
      const std::int32_t host = found.assignment.stages[i].node;
      const double used_bytes = found.evaluation.stages[i].memory_bytes;
      const double room_bytes = problem_.spec().network.nodes[z(host)].memory_bytes;
      if (used_bytes > 0.0) most = std::max(most, used_bytes / room_bytes);
    }
    return most;
  }

  /// Halves the ratio between a factor that is too small and one that a plan attains. Once they are close,
  /// the next smaller factor is tried as well, which mostly is the proof.
  std::optional<double> least_memory_factor() {
    constexpr double kClose = 1.01;
    const auto used = [&](double factor) { return memory_used({.memory_factor = factor}); };
    double too_small = smallest_factor();
    std::optional<double> least = used(roomiest_factor());
    const auto try_factor = [&](double factor) {
      if (stopped() || !(factor > too_small && factor < *least)) return;
      if (const std::optional<double> less = used(factor))
        least = std::min(*less, factor);
      else
        too_small = factor;
    };
    while (least && *least > too_small * kStep && !stopped()) {
      if (*least < too_small * kClose) try_factor(*least / kStep);
      try_factor(std::sqrt(too_small) * std::sqrt(*least));
    }
    return stopped() ? std::nullopt : least;
  }

  /// No smaller one does: 1, and what the hosts' memory together falls short by.
  [[nodiscard]] double smallest_factor() const {
    double all_bytes = 0.0;
    for (const network::Node& node : problem_.spec().network.nodes) {
      if (node.can_host()) all_bytes += node.memory_bytes;
    }
    return std::max(1.0, model_bytes() / all_bytes / kStep);
  }

  /// With it every host that has any memory holds the whole model.
  [[nodiscard]] double roomiest_factor() const {
    double smallest = kInfinity;
    for (const network::Node& node : problem_.spec().network.nodes) {
      if (node.can_host() && node.memory_bytes > 0.0) smallest = std::min(smallest, node.memory_bytes);
    }
    return std::max(1.0, model_bytes() / smallest);
  }

  [[nodiscard]] double model_bytes() const {
    double sum = 0.0;
    for (const model::Layer& layer : problem_.spec().layers) sum += layer.memory_bytes;
    return sum;
  }

  [[nodiscard]] Problem with(const LimitsKept& kept) const {
    ProblemSpec spec = problem_.spec();
    if (!kept.error) spec.limits.max_error.reset();
    if (!kept.energy) spec.limits.max_energy_j.reset();
    const double most = model_bytes();  // no node can use more
    for (network::Node& node : spec.network.nodes) {
      if (kept.memory_factor == kUnlimited)
        node.memory_bytes = most;
      else if (kept.memory_factor != 1.0)
        node.memory_bytes = std::min(node.memory_bytes * kept.memory_factor, most);
    }
    return Problem(std::move(spec));
  }

  /// Whether there is a plan; false as well where the time ran out.
  bool search(const Compiled& compiled, const search::Goal& goal, IncumbentPlans& plans) {
    search::Counters counters;
    const search::Answer answer =
        search::solve({compiled.graph, goal, plans, stop_, workspace_, counters}, {});
    return answer.outcome == search::Outcome::proven && !plans.kept().empty();
  }

  [[nodiscard]] bool stopped() const { return stop_.reason() != core::StopReason::none; }

  const Problem& problem_;
  core::StopToken& stop_;
  search::Workspace& workspace_;
  Routes routes_;
};

}  // namespace

void validate(const Infeasibility& infeasibility, std::string_view where) {
  core::check_ranges(infeasibility, where);
  constexpr std::string_view kReasons[] = {"no_route", "no_host", "memory", "error",
                                           "energy",   "limits",  "unknown"};
  if (std::find(std::begin(kReasons), std::end(kReasons), infeasibility.reason) == std::end(kReasons)) {
    throw core::InvalidInput(std::string(where) + "reason: '" + infeasibility.reason + "' is not known");
  }
}

Infeasibility explain(const Problem& problem, core::StopToken& stop, search::Workspace& workspace) {
  return Explanation(problem, stop, workspace).run();
}

}  // namespace constellm::split
