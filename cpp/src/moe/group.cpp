#include "constellm/moe/group.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/moe/any_placement.hpp"
#include "constellm/moe/assignment.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/pair_annealing.hpp"
#include "constellm/moe/pair_bound.hpp"
#include "constellm/moe/pair_exchange.hpp"
#include "constellm/moe/pair_search.hpp"
#include "constellm/moe/priced_bound.hpp"
#include "constellm/moe/slot_annealing.hpp"
#include "constellm/moe/slot_prices.hpp"
#include "constellm/moe/slot_search.hpp"
#include "constellm/moe/sorted.hpp"
#include "constellm/moe/triple_bound.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

std::vector<std::vector<std::size_t>> groups_of(std::span<const Problem* const> problems) {
  const Problem& first = *problems.front();
  const std::size_t layers = first.layers().size();
  std::vector<std::size_t> leader(layers);
  std::iota(leader.begin(), leader.end(), std::size_t{0});
  const auto find = [&](std::size_t l) {
    while (leader[l] != l) l = leader[l] = leader[leader[l]];
    return l;
  };
  std::vector<std::size_t> user(first.satellites().size(), layers);
  for (const Problem* const problem : problems) {
    for (std::size_t l = 0; l < layers; ++l) {
      for (const std::int32_t s : problem->layers()[l].usable) {
        if (user[z(s)] == layers) user[z(s)] = l;
        const std::size_t a = find(user[z(s)]);
        const std::size_t b = find(l);
        leader[std::max(a, b)] = std::min(a, b);
      }
    }
  }
  std::vector<std::vector<std::size_t>> groups;
  std::vector<std::size_t> group_of(layers, layers);
  for (std::size_t l = 0; l < layers; ++l) {
    const std::size_t leading = find(l);
    if (group_of[leading] == layers) {
      group_of[leading] = groups.size();
      groups.emplace_back();
    }
    groups[group_of[leading]].push_back(l);
  }
  return groups;
}

void require_room(std::span<const Problem* const> problems, std::string_view instead) {
  if (problems.front()->top_k() == 1) return;  // means will do
  constexpr double kMost = 4e9;
  constexpr double kOfPair = sizeof(double) + sizeof(std::int32_t);
  double bytes = 0.0;
  std::size_t most = 0;
  for (const Problem* const problem : problems) {
    for (const Layer& layer : problem->layers()) {
      const auto n = static_cast<double>(layer.usable.size());
      bytes += kOfPair * n * n;
      most = std::max(most, layer.usable.size());
    }
  }
  if (bytes <= kMost) return;
  throw core::InvalidInput(
      "layers: of up to " + std::to_string(most) + " satellites each, whose pairs take " +
      core::to_text(std::round(bytes / 1e8) / 10) +
      " GB; at most 4 GB are taken. Have NaN for satellites that are too far for a layer" +
      std::string(instead));
}

Group::Group(const Problem& problem, std::vector<std::size_t> layers)
    : problem_(&problem),
      layers_(std::move(layers)),
      promising_(problem.satellites().size(), 0),
      best_s_(kNever) {}

double Group::value_s(const Placement& placement) const {
  double value = 0.0;
  for (std::size_t g = 0; g < layers_.size(); ++g)
    value += layer_latency_s(*problem_, layers_[g], placement[g]);
  return value;
}

void Group::offer(const Placement& placement) {
  const double value = value_s(placement);
  if (value >= best_s_) return;
  best_s_ = value;
  best_ = placement;
}

bool Group::start(core::StopToken& stop) {
  const std::optional<Placement> any = any_placement(*problem_, layers_);
  if (!any) return false;
  offer(*any);
  if (const auto by_mean = sorted_placement(*problem_, layers_)) offer(*by_mean);
  for (const std::size_t l : layers_) bound_s_ += mean_bound_s(*problem_, problem_->layers()[l]);
  try {
    std::vector<Costs> costs;
    for (const std::size_t l : layers_) costs.push_back(costs_of(problem_->layers()[l], stop));
    costs_ = std::move(costs);
  } catch (const core::Stopped&) {
    return true;
  }
  assign(costs_);
  if (slots_.size() == 1) {  // every slot by itself
    const std::vector<Seat> open(promising_.size(), Seat::open);
    const std::vector<std::int32_t> nobody(best_[0].size(), -1);
    bound_s_ = std::max(bound_s_, slots_[0].bound_s(nobody, open));
  }
  bound_s_ = std::min(bound_s_, best_s_);
  ready_ = true;
  return true;
}

/// Of one pick the means are all that counts; else by tables, which are kept.
Group::Costs Group::costs_of(const Layer& layer, core::StopToken& stop) {
  Costs costs{layer.usable, {}};
  if (problem_->top_k() == 1) {
    const std::vector<double> mean_s = means_s(*problem_, layer);
    for (const double weight : layer.picks.weights())
      for (const std::int32_t s : layer.usable) costs.cost_s.push_back(weight * mean_s[z(s)]);
    return costs;
  }
  const PairLayer& pairs = pairs_.emplace_back(*problem_, layer, stop);
  std::vector<double> best_s;
  if (problem_->top_k() > 2) {
    slots_.emplace_back(*problem_, layer, stop);
    best_s = best_beside_s(*problem_, layer, z(pairs.experts()) - 1, stop);
  }
  costs.cost_s = pair_bound_s(pairs, shares_beside_one(layer.picks, stop), best_s, stop);
  return costs;
}

/// By linear costs that bound what the layers cost: the least of all placements, its own one, and which
/// satellites may be in one that is better than the best.
bool Group::assign(const std::vector<Costs>& costs) {
  std::vector<std::int32_t> columns;
  std::vector<std::int32_t> column_of(promising_.size(), -1);
  std::size_t rows = 0;
  for (const Costs& layer : costs) {
    rows += layer.cost_s.size() / layer.satellites.size();
    for (const std::int32_t s : layer.satellites) {
      if (column_of[z(s)] >= 0) continue;
      column_of[z(s)] = static_cast<std::int32_t>(columns.size());
      columns.push_back(s);
    }
  }
  std::vector<double> cost_s(rows * columns.size(), kNever);
  std::size_t row = 0;
  for (const Costs& layer : costs) {
    const std::size_t n = layer.satellites.size();
    for (std::size_t i = 0; i < layer.cost_s.size() / n; ++i, ++row)
      for (std::size_t a = 0; a < n; ++a)
        cost_s[row * columns.size() + z(column_of[z(layer.satellites[a])])] = layer.cost_s[i * n + a];
  }
  Assignment assignment;
  if (!assignment.solve(rows, columns.size(), cost_s)) return false;
  bound_s_ = std::max(bound_s_, assignment.value());
  row = 0;
  Placement assigned;
  for (const Costs& layer : costs) {
    assigned.emplace_back();
    for (std::size_t i = 0; i < layer.cost_s.size() / layer.satellites.size(); ++i, ++row)
      assigned.back().push_back(columns[z(assignment.column_of_row()[row])]);
  }
  offer(assigned);
  std::fill(promising_.begin(), promising_.end(), 0);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const double least_s = assignment.value() + assignment.reduced(r, c, cost_s[r * columns.size() + c]);
      if (least_s < best_s_ - slack_s()) promising_[z(columns[c])] = 1;
    }
  }
  return true;
}

/// Those of satellites that might be in a placement better than the best are open.
std::vector<Seat> Group::seats() const {
  std::vector<Seat> found;
  for (const char promising : promising_) found.push_back(promising != 0 ? Seat::open : Seat::closed);
  return found;
}

std::vector<SlotLayer> Group::layers_on(std::span<const Seat> open) const {
  std::vector<SlotLayer> found;
  for (const SlotLayer& layer : slots_) found.emplace_back(layer, open);
  return found;
}

/// Of three picks a bound over triples sees the slowest as it is, which prices in every slot do not.
void Group::tighten_by_triples(core::StopToken& stop) {
  // About a second's worth: assignments of experts to satellites, for each expert on each satellite.
  constexpr double kMost = 3e8;
  std::vector<Costs> costs;
  double work = 0.0;
  for (const std::size_t l : layers_) {
    const Layer& layer = problem_->layers()[l];
    Costs& of = costs.emplace_back();
    for (const std::int32_t s : layer.usable)
      if (promising_[z(s)] != 0) of.satellites.push_back(s);
    const auto experts = static_cast<double>(layer.picks.experts());
    const auto n = static_cast<double>(of.satellites.size());
    if (n < experts) return;  // nothing better is left
    work += experts * experts * experts * n * n + n * n * n * problem_->slots() / 8.0;
  }
  if (work > kMost) return;
  try {
    for (std::size_t g = 0; g < layers_.size(); ++g)
      costs[g].cost_s = triple_bound_s(*problem_, problem_->layers()[layers_[g]], costs[g].satellites, stop);
  } catch (const core::Stopped&) {
    return;
  }
  // Placements with other satellites are no better than the best.
  const double others_s = best_s_ - slack_s();
  const double before_s = std::exchange(bound_s_, 0.0);
  if (!assign(costs)) bound_s_ = others_s;
  bound_s_ = std::max(before_s, std::min(bound_s_, others_s));
}

void Group::tighten(core::StopToken& stop) {
  if (!ready_ || problem_->top_k() < 3 || stop.should_stop()) return;
  if (problem_->top_k() == 3) tighten_by_triples(stop);
  if (proven() || stop.should_stop()) return;
  const std::vector<Seat> open = seats();
  const std::vector<SlotLayer> layers = layers_on(open);
  SlotPrices prices(layers, open.size());
  // Placements on other satellites are no better than the best but for this.
  const double enough_s = best_s_ - slack_s();
  double found_s = prices.raise(enough_s, stop);
  while (found_s < enough_s && stop.reason() == core::StopReason::none && prices.refine())
    found_s = prices.raise(enough_s, stop);
  bound_s_ = std::max(bound_s_, std::min(found_s, enough_s));
}

void Group::descend(core::StopToken& stop) {
  if (!ready_ || problem_->top_k() == 1) return;  // of one pick the assignment is exact
  if (problem_->top_k() == 2)
    descend_by_pairs(stop);
  else if (layers_.size() == 1) {
    descend_by_slots(stop);
    best_s_ = value_s(best_);
  }
}

void Group::descend_by_pairs(core::StopToken& stop) {
  PairExchange search(pairs_, problem_->satellites().size(), best_);
  search.descend(stop);
  offer(search.placement());
}

/// Of a layer alone: moves and swaps, each by evaluating it, among the satellites near the best, or where
/// that takes long among those of about the same mean.
void Group::descend_by_slots(core::StopToken& stop) {
  constexpr std::size_t kBeyond = 8;  // so many satellites more than experts are tried
  constexpr std::size_t kAbout = 8;   // so many places before and behind
  const SlotLayer& layer = slots_[0];
  const std::vector<std::int32_t>& near = layer.by_mean();
  const std::vector<Seat> seats(promising_.size(), Seat::open);
  std::vector<std::int32_t>& host = best_[0];
  std::vector<std::int32_t> expert_on(promising_.size(), -1);
  for (std::size_t e = 0; e < host.size(); ++e) expert_on[z(host[e])] = static_cast<std::int32_t>(e);
  const auto swap = [&](std::size_t expert, std::int32_t to) {
    const std::int32_t other = expert_on[z(to)];
    const std::int32_t from = std::exchange(host[expert], to);
    if (other >= 0) host[z(other)] = from;
    expert_on[z(from)] = other;
    expert_on[z(to)] = static_cast<std::int32_t>(expert);
  };
  double value = layer.bound_s(host, seats);
  for (bool found = true; std::exchange(found, false);) {
    for (std::size_t e = 0; e < host.size(); ++e) {
      std::size_t first = 0;
      std::size_t end = std::min(near.size(), host.size() + kBeyond);
      if (!layer.layer().picks.tabulated()) {
        const auto at = static_cast<std::size_t>(std::find(near.begin(), near.end(), host[e]) - near.begin());
        first = at - std::min(at, kAbout);
        end = std::min(near.size(), at + kAbout + 1);
      }
      for (std::size_t n = first; n < end; ++n) {
        if (stop.should_stop(layer.work())) return;
        const std::int32_t from = host[e];
        if (from == near[n]) continue;
        swap(e, near[n]);
        const double here = layer.bound_s(host, seats);
        if (value - here > 1e-12 * value) {
          found = true;
          value = here;
        } else {
          swap(e, from);
        }
      }
    }
  }
}

/// The layers on the satellites that an annealed placement is likely to use, so that their tables are small.
std::vector<PairLayer> Group::nearest_places() const {
  constexpr std::size_t kNearest = 50;
  std::vector<PairLayer> near;
  for (std::size_t g = 0; g < pairs_.size(); ++g) {
    std::vector<std::int32_t> places = pairs_[g].by_mean();
    places.resize(std::min(places.size(), std::max(kNearest, 2 * best_[g].size())));
    for (const std::int32_t s : best_[g]) places.push_back(pairs_[g].place_of(s));
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    near.emplace_back(pairs_[g], places);
  }
  return near;
}

void Group::compete(core::StopToken& stop) {
  if (!ready_ || layers_.size() == 1 || problem_->top_k() == 1) return;
  std::size_t experts = 0;
  for (const std::vector<std::int32_t>& layer : best_) experts += layer.size();
  const std::vector<PairLayer> near = nearest_places();
  // Each round is longer than all before it, so that one that is stopped has lost little; the bound before
  // the last.
  constexpr std::uint64_t kChanges[] = {2'000, 8'000, 32'000};  // for each expert
  for (const std::uint64_t changes : kChanges) anneal_by_pairs(near, changes * experts, stop);
  if (problem_->top_k() == 2) {
    constexpr int kSteps = 1000;
    PricedBound prices(pairs_, problem_->satellites().size());
    bound_s_ = std::max(bound_s_, prices.raise(kSteps, best_s_, stop));
    if (!proven()) anneal_by_pairs(near, std::min<std::uint64_t>(128'000 * experts, 150'000'000), stop);
  } else {
    // Fewer changes would leave it hot, worse than it was: where these take too long there are none.
    constexpr std::uint64_t kAboutASecond = 10'000'000;
    const std::uint64_t least = 1'000 * experts;
    const std::uint64_t in_a_second = kAboutASecond / (2 * slots_[0].work());
    if (least <= 100 * in_a_second)
      anneal_by_slots(near, std::max(least, std::min<std::uint64_t>(200'000, in_a_second)), stop);
  }
  bound_s_ = std::min(bound_s_, best_s_);
}

void Group::anneal_by_pairs(std::span<const PairLayer> near, std::uint64_t changes, core::StopToken& stop) {
  if (stop.should_stop()) return;
  PairAnnealing annealing(near, problem_->satellites().size(), best_, changes);
  annealing.run(changes, stop);
  offer(annealing.placement());
  if (problem_->top_k() == 2) descend_by_pairs(stop);
}

/// In half of the time that is left: the bound is raised after it.
void Group::anneal_by_slots(std::span<const PairLayer> near, std::uint64_t changes, core::StopToken& stop) {
  if (stop.should_stop()) return;
  std::vector<SlotLayer> layers;
  for (std::size_t g = 0; g < near.size(); ++g) {
    std::vector<Seat> open(promising_.size(), Seat::closed);
    for (const std::int32_t s : near[g].satellites()) open[z(s)] = Seat::open;
    layers.emplace_back(slots_[g], open);
  }
  SlotAnnealing annealing(layers, promising_.size(), best_, changes);
  core::StopToken half = stop.with_half_the_time();
  annealing.run(changes, half);
  stop.take_interrupt_from(half);
  offer(annealing.placement());
}

void Group::prove(core::StopToken& stop, std::uint64_t most_work) {
  if (!ready_) return;
  if (problem_->top_k() == 1) {
    bound_s_ = best_s_;
    return;
  }
  const auto search = [&](auto&& tree) {
    const double found = tree.run(stop, most_work);
    nodes_ += tree.nodes();
    offer(tree.best());
    bound_s_ = std::max(bound_s_, std::min(found, best_s_ - slack_s()));
  };
  if (problem_->top_k() == 2) {
    search(PairSearch(pairs_, promising_, best_, best_s_, slack_s()));
  } else {
    const std::vector<Seat> open = seats();
    const std::vector<SlotLayer> layers = layers_on(open);
    search(SlotSearch(layers, open, best_, best_s_, slack_s()));
  }
  bound_s_ = std::min(bound_s_, best_s_);
}

}  // namespace constellm::moe
