#include "constellm/services/exact/rounding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

constexpr std::int32_t kTries = 12;    // of one task, each with a dearer second or a place less
constexpr std::int32_t kRounds = 6;    // over all tasks
constexpr double kTieWeight = 1e-4;    // of what is minimised second

}  // namespace

Rounding::Rounding(const Model& model, const Aim& aim)
    : model_(model),
      aim_(aim),
      paths_(model),
      state_(root_state(model)),
      places_(model.slots.size()),
      delay_s_(model.tasks.size()),
      users_(model.hosts.size()),
      memory_(z(model.node_count())),
      flop_(z(model.node_count()) * model.tasks.size()),
      single_at_(model.service_hosts.size()),
      prices_(model.place_node.size()),
      end_s_(model.slots.size()),
      last_way_(model.slots.size()) {}

/// Whether a place has room for its slot beside all that is placed.
bool Rounding::fits(std::int32_t place) {
  const Problem& problem = model_.problem;
  const std::int32_t host = model_.place_host[z(place)];
  const std::int32_t node = model_.place_node[z(place)];
  const Slot& slot = model_.slots[z(model_.place_slot[z(place)])];
  const Service& service = problem.services()[z(slot.service)];
  if (users_[z(host)] == 0 && service.memory_bytes > memory_[z(node)]) return false;
  if (state_.single[z(slot.service)] != 0 && single_at_[z(slot.service)] >= 0 &&
      single_at_[z(slot.service)] != node)
    return false;
  const std::size_t tasks = model_.tasks.size();
  const double* flop = flop_.data() + z(node) * tasks;
  const double limit = problem.node_capacity_flop_per_s(node);
  if (problem.samples()) {
    const Samples& samples = *problem.samples();
    std::int32_t broken = 0;
    for (std::size_t i = 0; i + tasks <= samples.rate_per_s.size(); i += tasks) {
      double load = samples.rate_per_s[i + z(slot.task)] * service.flop;
      for (std::size_t t = 0; t < tasks; ++t) load += samples.rate_per_s[i + t] * flop[t];
      broken += load > limit ? 1 : 0;
    }
    return broken <= samples.may_break;
  }
  raise_.clear();
  double load = 0.0;
  for (std::size_t t = 0; t < tasks; ++t) {
    const double f = flop[t] + (t == z(slot.task) ? service.flop : 0.0);
    if (f == 0.0) continue;
    load += problem.tasks()[t].rate_per_s * f;
    if (problem.tasks()[t].deviation_per_s > 0.0) raise_.push_back(problem.tasks()[t].deviation_per_s * f);
  }
  return worst_load(load, raise_, problem.limits().budget) <= limit;
}

void Rounding::take_out(std::int32_t task) {
  for (std::int32_t k = model_.tasks[z(task)].first; k < model_.tasks[z(task)].end; ++k) {
    const std::int32_t p = places_[z(k)];
    if (p < 0) continue;
    places_[z(k)] = -1;
    const Service& service = model_.problem.services()[z(model_.slots[z(k)].service)];
    const std::int32_t node = model_.place_node[z(p)];
    if (--users_[z(model_.place_host[z(p)])] == 0) {
      memory_[z(node)] += service.memory_bytes;
      single_at_[z(model_.slots[z(k)].service)] = -1;
    }
    flop_[z(node) * model_.tasks.size() + z(task)] -= service.flop;
  }
  // Nothing of it is left, whatever rounding says.
  for (std::int32_t v = 0; v < model_.node_count(); ++v) flop_[z(v) * model_.tasks.size() + z(task)] = 0.0;
}

/// Puts the task where `end_s_`'s owner chose; on the first slot without room it is taken out and that place shut.
bool Rounding::put(std::int32_t task) {
  const TaskSpan& span = model_.tasks[z(task)];
  const std::vector<std::int32_t> wanted(places_.begin() + span.first, places_.begin() + span.end);
  std::fill(places_.begin() + span.first, places_.begin() + span.end, -1);
  for (std::int32_t k = span.first; k < span.end; ++k) {
    const std::int32_t p = wanted[z(k - span.first)];
    if (!fits(p)) {
      state_.alive[z(p)] = 0;
      take_out(task);
      return false;
    }
    places_[z(k)] = p;
    const Service& service = model_.problem.services()[z(model_.slots[z(k)].service)];
    const std::int32_t node = model_.place_node[z(p)];
    if (users_[z(model_.place_host[z(p)])]++ == 0) {
      memory_[z(node)] -= service.memory_bytes;
      single_at_[z(model_.slots[z(k)].service)] = node;
    }
    flop_[z(node) * model_.tasks.size() + z(task)] += service.flop;
  }
  return true;
}

void Rounding::open_places(std::int32_t task) {
  for (std::int32_t k = model_.tasks[z(task)].first; k < model_.tasks[z(task)].end; ++k)
    for (std::int32_t p = model_.slots[z(k)].first; p < model_.slots[z(k)].end; ++p)
      state_.alive[z(p)] = outer_->alive[z(p)] != 0 && fits(p) ? 1 : 0;
}

/// Returns what a second of the task costs.
double Rounding::fill_prices(std::int32_t task, const Multipliers& at, bool dual_prices) {
  const double of_cost = aim_.counts_cost() ? 1.0 : aim_.counts_delay() ? 0.0 : kTieWeight;
  for (std::int32_t k = model_.tasks[z(task)].first; k < model_.tasks[z(task)].end; ++k) {
    const Slot& slot = model_.slots[z(k)];
    const double cost = model_.problem.services()[z(slot.service)].cost;
    for (std::int32_t p = slot.first; p < slot.end; ++p) {
      const bool open = users_[z(model_.place_host[z(p)])] > 0;
      prices_[z(p)] = open ? 0.0 : of_cost * cost;
      if (!open && dual_prices) prices_[z(p)] = std::max(prices_[z(p)], at.place[z(p)]);
    }
  }
  return model_.task_share[z(task)] * (aim_.counts_delay() ? 1.0 : kTieWeight);
}

bool Rounding::place(const Times& times, std::int32_t task, const Multipliers& at, bool dual_prices) {
  open_places(task);
  const double deadline_s = model_.problem.deadline_limit_s(task);
  double second = fill_prices(task, at, dual_prices);
  const TaskSpan& span = model_.tasks[z(task)];
  for (std::int32_t i = 0; i < kTries; ++i) {
    const PathPrices prices{prices_.data(), share_.data(), second};
    const double value = paths_.solve(state_, times, task, prices);
    if (!(value < kNone)) return false;
    std::int32_t* places = places_.data() + span.first;
    paths_.choose(task, prices, places);
    const double delay_s = schedule(model_, task, places, end_s_, last_way_);
    if (!(delay_s <= deadline_s && delay_s < kNone)) {
      std::fill(places, places + (span.end - span.first), -1);
      // First the weights of ways that join, then dearer seconds until the deadline is kept.
      for (std::int32_t k = span.first; k < span.end; ++k) {
        const Slot& slot = model_.slots[z(k)];
        for (std::int32_t w = slot.first_in; w < slot.end_in; ++w)
          share_[z(w)] += 0.5 * ((last_way_[z(k)] == w ? 1.0 : 0.0) - share_[z(w)]);
      }
      const double scale = deadline_s < kNone ? value / deadline_s : 1.0;
      second = std::max(second * 3.0, std::abs(scale) * 0.1);
      continue;
    }
    if (!put(task)) continue;
    delay_s_[z(task)] = delay_s;
    return true;
  }
  return false;
}

/// Of what is placed, by what is minimised first with a little of the second.
double Rounding::worth() const {
  double cost = 0.0;
  double delay_s = 0.0;
  double rejected = 0.0;
  for (std::size_t h = 0; h < users_.size(); ++h)
    if (users_[h] > 0) cost += model_.problem.services()[z(model_.hosts[h].service)].cost;
  for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
    if (places_[z(model_.tasks[t].first)] < 0)
      rejected += model_.problem.tasks()[t].weight;
    else
      delay_s += model_.task_share[t] * delay_s_[t];
  }
  if (aim_.counts_rejected()) return rejected + kTieWeight * cost;
  if (aim_.counts_cost()) return cost + kTieWeight * delay_s;
  return delay_s + kTieWeight * kTieWeight * cost;
}

bool Rounding::improve(const Times& times, const Multipliers& at) {
  bool better = false;
  for (std::int32_t round = 0; round < kRounds; ++round) {
    bool moved = false;
    for (const std::int32_t t : order_) {
      if (outer_->task[z(t)] == Choice::out) continue;
      const double before = worth();
      const TaskSpan& span = model_.tasks[z(t)];
      const std::vector<std::int32_t> old(places_.begin() + span.first, places_.begin() + span.end);
      const double old_delay_s = delay_s_[z(t)];
      if (old.front() >= 0) take_out(t);
      if (place(times, t, at, false) && worth() < before) {
        moved = true;
        continue;
      }
      if (places_[z(span.first)] >= 0) take_out(t);
      if (old.front() < 0) continue;
      std::copy(old.begin(), old.end(), places_.begin() + span.first);
      delay_s_[z(t)] = old_delay_s;
      put(t);
    }
    better = better || moved;
    if (!moved) break;
  }
  return better;
}

Assignment Rounding::assignment() const {
  Assignment found(model_.tasks.size());
  for (std::size_t t = 0; t < model_.tasks.size(); ++t)
    for (std::int32_t k = model_.tasks[t].first; k < model_.tasks[t].end; ++k)
      if (places_[z(k)] >= 0) found[t].push_back(model_.place_node[z(places_[z(k)])]);
  return found;
}

bool Rounding::run(const State& state, const Times& times, const Multipliers& at, core::Random& random,
                   Incumbent& incumbent) {
  outer_ = &state;
  state_.task = state.task;
  state_.single = state.single;
  share_ = at.share;
  std::fill(places_.begin(), places_.end(), -1);
  std::fill(users_.begin(), users_.end(), 0);
  std::fill(flop_.begin(), flop_.end(), 0.0);
  std::fill(single_at_.begin(), single_at_.end(), -1);
  for (std::int32_t v = 0; v < model_.node_count(); ++v) memory_[z(v)] = model_.problem.memory_limit_bytes(v);
  order_.clear();
  for (std::int32_t t = 0; z(t) < model_.tasks.size(); ++t) order_.push_back(t);
  for (std::size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[random.below(static_cast<std::uint32_t>(i))]);
  for (const std::int32_t t : order_) {
    if (state.task[z(t)] == Choice::out) continue;
    if (!place(times, t, at, true) && state.task[z(t)] == Choice::in) return false;
  }
  improve(times, at);
  return incumbent.offer(assignment());
}

}  // namespace constellm::services::exact
