#include "constellm/moe/drift/group.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/moe/drift/assignment_list.hpp"
#include "constellm/moe/drift/exchange.hpp"
#include "constellm/moe/drift/pools.hpp"
#include "constellm/moe/pair_search.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
/// Of a search, in the units of stop tokens.
constexpr std::uint64_t kLittle = 2'000'000;
/// Of the multipliers, a round: with assignments, and with searches.
constexpr int kSteps = 1000;
constexpr int kSearches = 25;

}  // namespace

DriftGroup::DriftGroup(const Drift& drift, const std::vector<std::size_t>& layers)
    : drift_(&drift), best_s_(kNever) {
  for (const Problem* const problem : drift.windows) windows_.emplace_back(*problem, layers);
}

bool DriftGroup::start(core::StopToken& stop) {
  bool ready = true;
  for (Group& window : windows_) {
    if (!window.start(stop)) return false;
    ready = ready && !window.costs().empty();
  }
  if (!ready) return true;
  costs_.emplace(*drift_, windows_);
  return hold() || !costs_->still();
}

void DriftGroup::settle(core::StopToken& stop) {
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    Group& window = windows_[w];
    window.descend(stop);
    window.prove(stop, kLittle);
    if (!window.proven()) {
      window.compete(stop);
      window.tighten(stop);
    }
    bound_s_ += drift_->tokens[w] * window.bound_s();
    nodes_ += window.nodes();
  }
  if (!costs_) return;
  HostsOverTime apart;
  for (const Group& window : windows_) apart.push_back(costs_->hosts_of(window.best()));
  take(apart);
}

/// One placement for all windows, by linear costs. Returns whether there is any.
bool DriftGroup::hold() {
  const std::size_t places = costs_->places();
  std::vector<double> sum_s(costs_->experts() * places, 0.0);
  for (std::size_t w = 0; w < costs_->windows(); ++w)
    for (std::size_t c = 0; c < sum_s.size(); ++c) sum_s[c] += costs_->linear_s(w)[c];
  for (std::size_t c = 0; c < sum_s.size(); ++c)
    sum_s[c] += costs_->first_move_s(c / places, static_cast<std::int32_t>(c % places));
  Assignment assignment;
  if (!assignment.solve(costs_->experts(), places, sum_s)) return false;
  const Hosts hosts(assignment.column_of_row().begin(), assignment.column_of_row().end());
  take(HostsOverTime(costs_->windows(), hosts));
  return true;
}

/// Remembers its placements, and itself where it is the best. Returns what the best costs then.
double DriftGroup::take(const HostsOverTime& hosts) {
  constexpr std::size_t kMost = 400;
  for (const Hosts& some : hosts)
    if (seen_.size() < kMost && std::find(seen_.begin(), seen_.end(), some) == seen_.end())
      seen_.push_back(some);
  const double cost_s = costs_->cost_s(hosts);
  if (cost_s < best_s_) {
    best_s_ = cost_s;
    best_ = hosts;
  }
  return best_s_;
}

/// Any placement that was seen may serve any window.
void DriftGroup::combine(core::StopToken& stop) {
  const std::vector<std::vector<Hosts>> pools(costs_->windows(), seen_);
  if (const auto found = cheapest_schedule(*costs_, pools, stop)) take(*found);
}

void DriftGroup::descend(core::StopToken& stop) {
  if (best_.empty()) return;
  DriftExchange exchange(*costs_, best_);
  exchange.descend(stop);
  take(exchange.hosts());
}

void DriftGroup::improve(core::StopToken& stop) {
  if (!costs_ || best_.empty()) return;
  descend(stop);
  combine(stop);
  descend(stop);
  if (proven()) return;
  dual_.emplace(*costs_);
  const DriftDual::Offer look = [&](const HostsOverTime& hosts) { return take(hosts); };
  dual_->guess(stop, look);
  dual_->raise(kSteps, best_s_, stop, look);
  combine(stop);
  descend(stop);
  bound_s_ = std::min(std::max(bound_s_, dual_->bound_s()), best_s_);
}

std::vector<double> DriftGroup::by_satellite(std::size_t w, std::span<const double> own_s) const {
  const std::size_t all = drift_->windows[0]->satellites().size();
  const std::size_t places = costs_->places();
  std::vector<double> found(costs_->experts() * all, kNever);
  for (std::size_t i = 0; i < costs_->experts(); ++i)
    for (std::size_t a = 0; a < places; ++a)
      if (std::isfinite(costs_->linear_s(w)[i * places + a]))
        found[i * all + z(costs_->satellites()[a])] = own_s[i * places + a] / costs_->tokens(w);
  return found;
}

std::vector<char> DriftGroup::open_satellites() const {
  std::vector<char> open(drift_->windows[0]->satellites().size(), 0);
  for (const std::int32_t s : costs_->satellites()) open[z(s)] = 1;
  return open;
}

/// Of two picks: what a window costs at least with these charges, by a search from a placement of it.
double DriftGroup::search(std::size_t w, std::span<const double> charge_s, Hosts& placed,
                          core::StopToken& stop) {
  double value_s = costs_->window_s(w, placed);
  for (std::size_t i = 0; i < placed.size(); ++i) value_s += charge_s[i * costs_->places() + z(placed[i])];
  const double tokens = costs_->tokens(w);
  PairSearch tree(windows_[w].pairs(), open_satellites(), costs_->placement_of(placed), value_s / tokens,
                  slack_s() / tokens);
  const std::vector<double> own_s = by_satellite(w, charge_s);
  tree.add(own_s);
  const double bound_s = tree.run(stop, kLittle);
  cut_short_ = cut_short_ || bound_s < tree.best_s() - slack_s() / tokens;
  nodes_ += tree.nodes();
  placed = costs_->hosts_of(tree.best());
  return tokens * std::min(bound_s, tree.best_s()) - slack_s();
}

std::optional<std::vector<Hosts>> DriftGroup::pool(std::size_t w, const std::vector<double>& own_s,
                                                   double limit_s, core::StopToken& stop) {
  constexpr std::size_t kMost = 20'000;
  constexpr std::uint64_t kWork = 100'000'000;
  std::vector<Hosts> found;
  if (drift_->windows[w]->top_k() == 2) {
    PairSearch search(windows_[w].pairs(), open_satellites(), windows_[w].best(), limit_s / costs_->tokens(w),
                      0.0);
    const std::vector<double> own = by_satellite(w, own_s);
    search.add(own);
    const auto placements = search.all_better(kMost, stop, kWork);
    nodes_ += search.nodes();
    if (!placements) return std::nullopt;
    for (const Placement& placement : *placements) found.push_back(costs_->hosts_of(placement));
    return found;
  }
  std::vector<double> cost_s = costs_->linear_s(w);
  const std::size_t size = cost_s.size();
  for (std::size_t c = 0; c < size; ++c) cost_s[c] += own_s[c];
  AssignmentList list(costs_->experts(), costs_->places(), cost_s, limit_s);
  const auto wanted = [&](const Hosts& hosts) {
    double value_s = costs_->window_s(w, hosts);
    for (std::size_t i = 0; i < hosts.size(); ++i) value_s += own_s[i * costs_->places() + z(hosts[i])];
    return value_s <= limit_s;
  };
  auto placements = list.all(kMost, kWork / size, stop, wanted);
  nodes_ += list.nodes();
  return placements;
}

void DriftGroup::prove(core::StopToken& stop) {
  constexpr int kRounds = 8;
  if (!dual_ || proven()) return;
  const std::int32_t top_k = drift_->windows[0]->top_k();
  // Of one pick the linear costs are exact, of two a search is; of more the bound has come to its end.
  if (top_k > 2) {
    choose(stop);
    return;
  }
  if (top_k == 2) {
    dual_->search_by([&](std::size_t w, std::span<const double> charge_s, Hosts& placed) {
      return search(w, charge_s, placed, stop);
    });
  }
  const int steps = top_k == 2 ? kSearches : kSteps;
  const DriftDual::Offer look = [&](const HostsOverTime& hosts) { return take(hosts); };
  for (int round = 0; round < kRounds; ++round) {
    dual_->raise(round == 0 ? 1 : steps, best_s_, stop, look);
    combine(stop);
    descend(stop);
    bound_s_ = std::min(std::max(bound_s_, dual_->bound_s()), best_s_);
    if (cut_short_ || proven() || choose(stop) || stop.reason() != core::StopReason::none) return;
  }
}

/// Returns whether it is exact.
bool DriftGroup::choose(core::StopToken& stop) {
  const std::vector<double> detour_s = dual_->detours_s();
  const auto size = static_cast<std::ptrdiff_t>(costs_->experts() * costs_->places());
  std::vector<std::vector<Hosts>> pools;
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    const double limit_s = best_s_ + slack_s() - (dual_->bound_s() - dual_->window_bound_s(w));
    const auto begin = detour_s.begin() + static_cast<std::ptrdiff_t>(w) * size;
    auto found = pool(w, {begin, begin + size}, limit_s, stop);
    if (!found) return false;
    pools.push_back(std::move(*found));
  }
  const auto found = cheapest_schedule(*costs_, pools, stop);
  if (stop.reason() != core::StopReason::none) return false;
  if (found) take(*found);
  bound_s_ = best_s_;
  return true;
}

}  // namespace constellm::moe
