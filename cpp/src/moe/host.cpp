#include "constellm/moe/host.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/moe/host_bound.hpp"
#include "constellm/moe/host_search.hpp"
#include "constellm/moe/host_tree.hpp"
#include "constellm/moe/solve.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
/// A gap that is called optimal, relative.
constexpr double kProven = 1e-9;

/// What is known so far, without base_s.
struct Known {
  std::vector<double> anew_s;  ///< by layer
  double bound_s = 0.0;
  Copies best;
  double best_s = kNever;
  std::uint64_t nodes = 0;
  bool none = false;  ///< proven that there is no placement

  void raise(double by_s) { bound_s = std::max(bound_s, by_s); }
};

double base_s(const Hosting& hosting) {
  double sum = 0.0;
  for (const Layer& layer : hosting.problem().layers()) sum += layer.base_s;
  return sum;
}

Copies copies_of(const PlacesProblem& places, const Placement& placement) {
  Copies copies;
  for (const std::vector<std::int32_t>& layer : placement) {
    copies.emplace_back();
    for (const std::int32_t place : layer) copies.back().push_back({places.host[z(place)]});
  }
  return copies;
}

bool too_few_places(const Hosting& hosting) {
  std::int64_t places = 0;
  std::int64_t experts = 0;
  for (std::int32_t s = 0; s < hosting.problem().satellite_count(); ++s) places += hosting.places(s);
  for (const Layer& layer : hosting.problem().layers()) experts += layer.picks.experts();
  return places < experts;
}

void bound_anew(const Hosting& hosting, Known& known, core::StopToken& stop) {
  double sum = 0.0;
  for (std::size_t l = 0; l < hosting.problem().layers().size(); ++l) {
    known.anew_s.push_back(0.0);
    try {
      known.anew_s[l] = anew_bound_s(hosting, l, stop);
    } catch (const core::Stopped&) {  // the rest counts nothing
    }
    sum += known.anew_s[l];
  }
  known.none = known.none || sum == kNever;
  known.raise(sum);
}

/// What one copy of each expert costs bounds hostings of one copy, and is where others start from.
std::optional<Copies> place_singly(const Hosting& hosting, const PlacesProblem& places, Known& known,
                                   core::StopToken& stop) {
  const Plan plan = exchange(places.problem, stop);
  known.nodes += plan.nodes;
  std::optional<Copies> start;
  if (!plan.placement.empty()) start = copies_of(places, plan.placement);
  if (hosting.copied()) return start;
  known.none = known.none || plan.status == core::Status::infeasible;
  if (!plan.placement.empty()) known.raise(plan.lower_bound_s - base_s(hosting));
  try {
    const AssignedBound assigned = assigned_bound(hosting, places, stop);
    known.none = known.none || assigned.places.empty();
    known.raise(assigned.bound_s);
  } catch (const core::Stopped&) {  // the bounds so far will do
  }
  return start;
}

void search(const Hosting& hosting, std::optional<Copies> start, std::uint64_t seed, Known& known,
            core::StopToken& stop) {
  HostSearch search(hosting, seed);
  if (start)
    search.start(std::move(*start));
  else if (!search.construct())
    return;
  search.descend(stop);
  // About so many units of work, of a tenth of a microsecond each, in all.
  constexpr std::uint64_t kMostWork = 30'000'000;
  std::uint64_t experts = 0;
  for (const Layer& layer : hosting.problem().layers()) experts += z(layer.picks.experts());
  const std::uint64_t changes = std::min(10'000 * experts, kMostWork / search.work() + 1000);
  search.anneal(changes, stop);
  if (!search.best().empty()) search.start(search.best());
  search.descend(stop);
  known.best = search.best();
  known.best_s = search.best_s();
}

void prove(const Hosting& hosting, Known& known, core::StopToken& stop) {
  constexpr std::uint64_t kMostWork = 10'000'000;
  const double slack_s = known.best.empty() ? 0.0 : 1e-11 * known.best_s;
  if (known.bound_s >= known.best_s - slack_s) return;
  HostTree tree(hosting, known.anew_s, std::move(known.best), known.best_s, slack_s);
  const bool all = tree.run(stop, kMostWork);
  known.nodes += tree.nodes();
  known.best = tree.best();
  known.best_s = tree.best_s();
  if (!all) return;
  known.none = known.best.empty();
  if (!known.none) known.raise(known.best_s - slack_s);
}

HostingPlan plan_of(const Hosting& hosting, Known known, const core::StopToken& stop) {
  HostingPlan plan;
  plan.nodes = known.nodes;
  if (known.none) return plan;
  plan.anew_s = base_s(hosting);
  for (const double layer_s : known.anew_s) plan.anew_s += layer_s;
  plan.lower_bound_s = base_s(hosting) + known.bound_s;
  plan.status = core::Status::no_plan_found;
  if (!known.best.empty()) {
    plan.placement = hosting.checked(std::move(known.best));
    plan.token_latency_s = evaluate(hosting, plan.placement).token_latency_s;
    plan.lower_bound_s = std::min(plan.lower_bound_s, plan.token_latency_s);
    const double gap_s = plan.token_latency_s - plan.lower_bound_s;
    plan.status = gap_s <= kProven * plan.token_latency_s ? core::Status::optimal : core::Status::feasible;
  }
  if (plan.status == core::Status::optimal || stop.reason() == core::StopReason::none) return plan;
  plan.status =
      stop.reason() == core::StopReason::interrupted ? core::Status::interrupted : core::Status::time_limit;
  return plan;
}

}  // namespace

HostingPlan host(const Hosting& hosting, std::uint64_t seed, core::StopToken& stop) {
  Known known;
  known.none = too_few_places(hosting);
  bound_anew(hosting, known, stop);
  if (known.none) return plan_of(hosting, std::move(known), stop);
  const std::optional<PlacesProblem> places = places_of(hosting);
  const bool waits = hosting.queues() && hosting.problem().top_k() > 2;
  if (places && !hosting.copied() && !hosting.limited() && !waits) {
    const Plan plan = solve(places->problem, stop);
    known.none = plan.status == core::Status::infeasible;
    known.nodes = plan.nodes;
    known.best = copies_of(*places, plan.placement);
    if (!known.none) known.raise(plan.lower_bound_s - base_s(hosting));
    return plan_of(hosting, std::move(known), stop);
  }
  std::optional<Copies> start;
  if (places) start = place_singly(hosting, *places, known, stop);
  if (known.none) return plan_of(hosting, std::move(known), stop);
  search(hosting, std::move(start), seed, known, stop);
  prove(hosting, known, stop);
  return plan_of(hosting, std::move(known), stop);
}

}  // namespace constellm::moe
