#include "constellm/moe/hosting/host.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/moe/hosting/bound.hpp"
#include "constellm/moe/hosting/search.hpp"
#include "constellm/moe/hosting/tree.hpp"
#include "constellm/moe/solve.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
/// A gap that is called optimal, relative.
constexpr double kProven = 1e-9;

/// Layers that share satellites, and what is known of them so far, without base_s.
struct Group {
  std::vector<std::size_t> layers;
  std::unique_ptr<Problem> problem;  ///< of these layers alone
  std::unique_ptr<Hosting> hosting;
  std::vector<double> anew_s;  ///< by layer
  double bound_s = 0.0;
  std::optional<HostSearch> search;
  Copies best;
  double best_s = kNever;
  std::uint64_t nodes = 0;
  bool none = false;  ///< proven that there is no placement

  void raise(double by_s) { bound_s = std::max(bound_s, by_s); }
  [[nodiscard]] double slack_s() const { return best.empty() ? 0.0 : 1e-11 * best_s; }
  [[nodiscard]] bool proven() const { return none || bound_s >= best_s - 2.0 * slack_s(); }
};

/// Whether a copy of one of the layer's experts might serve there.
std::vector<char> alive(const Hosting& hosting, const Layer& layer) {
  const Problem& problem = hosting.problem();
  std::vector<char> found(problem.satellites().size(), 0);
  for (std::int32_t s = 0; s < problem.satellite_count(); ++s) {
    for (std::int32_t t = 0; t < problem.slots() && hosting.places(s) > 0 && found[z(s)] == 0; ++t)
      found[z(s)] = std::isnan(problem.latency_s(layer, t, s)) ? 0 : 1;
  }
  return found;
}

/// Sets of layers that share satellites, directly or through others; layers ascending.
std::vector<std::vector<std::size_t>> apart(const Hosting& hosting) {
  std::vector<std::vector<std::size_t>> groups;
  std::vector<std::vector<char>> used;  // by group and satellite
  for (std::size_t l = 0; l < hosting.problem().layers().size(); ++l) {
    std::vector<char> own = alive(hosting, hosting.problem().layers()[l]);
    std::vector<std::size_t> members;
    for (std::size_t g = groups.size(); g-- > 0;) {
      bool shared = false;
      for (std::size_t s = 0; s < own.size(); ++s) shared = shared || (own[s] != 0 && used[g][s] != 0);
      if (!shared) continue;
      for (std::size_t s = 0; s < own.size(); ++s) own[s] = own[s] != 0 || used[g][s] != 0 ? 1 : 0;
      members.insert(members.begin(), groups[g].begin(), groups[g].end());
      groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(g));
      used.erase(used.begin() + static_cast<std::ptrdiff_t>(g));
    }
    members.push_back(l);
    std::sort(members.begin(), members.end());
    groups.push_back(std::move(members));
    used.push_back(std::move(own));
  }
  return groups;
}

Group group_of(const Hosting& hosting, std::vector<std::size_t> layers) {
  const Problem& whole = hosting.problem();
  std::vector<LayerFields> fields;
  for (const std::size_t l : layers) {
    const Layer& layer = whole.layers()[l];
    fields.push_back({{layer.picks.weights().begin(), layer.picks.weights().end()}, layer.latency_s, 0.0});
  }
  Group group;
  group.problem = std::make_unique<Problem>(whole.name(), whole.top_k(), whole.satellites(),
                                            whole.unreachable_s(), whole.slots(), std::move(fields));
  group.hosting = std::make_unique<Hosting>(hosting.of(*group.problem, layers));
  group.layers = std::move(layers);
  return group;
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

void bound_anew(Group& group, core::StopToken& stop) {
  double sum = 0.0;
  for (std::size_t l = 0; l < group.layers.size(); ++l) {
    group.anew_s.push_back(0.0);
    try {
      group.anew_s[l] = anew_bound_s(*group.hosting, l, stop);
    } catch (const core::Stopped&) {  // the rest counts nothing
    }
    sum += group.anew_s[l];
  }
  group.none = group.none || sum == kNever;
  group.raise(sum);
}

/// Whether the plain problem over places is the same problem.
bool plain(const Hosting& hosting) {
  return !hosting.copied() && !hosting.limited() && !(hosting.queues() && hosting.problem().top_k() > 2);
}

/// The plain problem over places, its search cut short after so much work: where it is the same problem that
/// is all; else it is what to start from, and for one copy of each expert it bounds.
std::optional<Copies> place_singly(Group& group, const PlacesProblem& places, std::uint64_t most_work,
                                   core::StopToken& stop) {
  const Hosting& hosting = *group.hosting;
  const Plan plan =
      hosting.copied() ? exchange(places.problem, stop) : solve(places.problem, stop, most_work);
  group.nodes += plan.nodes;
  std::optional<Copies> found;
  if (!plan.placement.empty()) found = copies_of(places, plan.placement);
  if (hosting.copied()) return found;
  if (!found) {
    group.none = true;
    return found;
  }
  group.raise(plan.lower_bound_s);
  if (!plain(hosting) || plan.token_latency_s >= group.best_s) return found;
  group.best = *found;
  group.best_s = plan.token_latency_s;
  return found;
}

void start(Group& group, std::uint64_t seed, core::StopToken& stop) {
  constexpr std::uint64_t kRelaxed = 2'000'000;
  const Hosting& hosting = *group.hosting;
  group.none = too_few_places(hosting);
  bound_anew(group, stop);
  if (group.none) return;
  const std::optional<PlacesProblem> places = places_of(hosting);
  std::optional<Copies> single;
  if (places) single = place_singly(group, *places, kRelaxed, stop);
  if (group.none || !group.best.empty()) return;
  if (places && !hosting.copied()) {
    try {
      const AssignedBound assigned = assigned_bound(hosting, *places, stop);
      group.none = assigned.places.empty();
      group.raise(assigned.bound_s);
    } catch (const core::Stopped&) {  // the bounds so far will do
    }
    if (group.none) return;
  }
  group.search.emplace(hosting, seed);
  if (single)
    group.search->start(std::move(*single));
  else if (!group.search->construct())
    group.search.reset();
}

/// About so many units of work, of a tenth of a microsecond each.
void improve(Group& group, std::uint64_t work, core::StopToken& stop) {
  if (!group.search) return;
  constexpr std::int32_t kRounds = 4;
  HostSearch& search = *group.search;
  if (!group.best.empty() && group.best_s < search.best_s()) search.start(group.best);
  std::uint64_t experts = 0;
  std::int32_t most = 1;
  for (std::size_t l = 0; l < group.layers.size(); ++l) {
    for (std::int32_t e = 0; e < group.problem->layers()[l].picks.experts(); ++e, ++experts)
      most = std::max(most, group.hosting->copies(l, e));
  }
  // Many copies leave little to find for one that looks for good places, so that they come one by one.
  const std::int32_t rounds = std::min(most, kRounds);
  const std::uint64_t changes = std::min(100'000 * experts, work / search.work() / z(rounds) + 1000);
  for (std::int32_t round = 1; round <= rounds; ++round) {
    search.allow(round < rounds ? round : most);
    search.descend(stop);
    search.anneal(changes, stop);
    if (stop.should_stop(0)) break;  // another start would evaluate all once more
    if (!search.best().empty()) search.start(search.best());
    search.descend(stop);
  }
  if (search.best_s() >= group.best_s) return;
  group.best = search.best();
  group.best_s = search.best_s();
}

void prove(Group& group, std::uint64_t most_work, core::StopToken& stop) {
  if (group.proven() || stop.should_stop()) return;
  HostTree tree(*group.hosting, group.anew_s, group.best, group.best_s, group.slack_s());
  const double bound_s = tree.run(stop, most_work);
  group.nodes += tree.nodes();
  if (tree.best_s() < group.best_s) {
    group.best = tree.best();
    group.best_s = tree.best_s();
  }
  group.none = bound_s == kNever && group.best.empty();
  group.raise(std::min(bound_s, group.best_s - group.slack_s()));
}

HostingPlan plan_of(const Hosting& hosting, std::vector<Group> groups, const core::StopToken& stop) {
  HostingPlan plan;
  bool placed = true;
  for (const Group& group : groups) {
    if (group.none) return plan;
    placed = placed && !group.best.empty();
  }
  plan.anew_s = 0.0;
  plan.lower_bound_s = 0.0;
  for (const Layer& layer : hosting.problem().layers()) plan.anew_s += layer.base_s;
  plan.lower_bound_s = plan.anew_s;
  if (placed) plan.placement.resize(hosting.problem().layers().size());
  for (Group& group : groups) {
    for (std::size_t g = 0; g < group.layers.size(); ++g) {
      plan.anew_s += group.anew_s[g];
      if (placed) plan.placement[group.layers[g]] = std::move(group.best[g]);
    }
    plan.lower_bound_s += std::min(group.bound_s, group.best_s);
    plan.nodes += group.nodes;
  }
  plan.status = core::Status::no_plan_found;
  if (placed) {
    plan.placement = hosting.checked(std::move(plan.placement));
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
  hosting.require_time();
  std::vector<Group> groups;
  for (std::vector<std::size_t>& layers : apart(hosting))
    groups.push_back(group_of(hosting, std::move(layers)));
  for (Group& group : groups) {
    start(group, seed, stop);
    if (group.none) return plan_of(hosting, std::move(groups), stop);
  }
  // Small ones are proven in less time than annealing takes.
  constexpr std::uint64_t kLittle[] = {20'000, 1'000'000};
  for (const std::uint64_t little : kLittle) {
    for (Group& group : groups) {
      if (group.proven() || !group.search) continue;
      improve(group, little, stop);
      prove(group, little, stop);
    }
  }
  const auto open = static_cast<std::uint64_t>(
      std::count_if(groups.begin(), groups.end(), [](const Group& group) { return !group.proven(); }));
  constexpr std::uint64_t kMuch = 50'000'000;
  for (Group& group : groups) {
    if (group.proven()) continue;
    const auto places = plain(*group.hosting) ? places_of(*group.hosting) : std::nullopt;
    if (places) {
      place_singly(group, *places, ~std::uint64_t{0}, stop);
    } else {
      improve(group, kMuch / open, stop);
      prove(group, kMuch / open, stop);
    }
  }
  return plan_of(hosting, std::move(groups), stop);
}

}  // namespace constellm::moe
