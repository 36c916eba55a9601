#include "constellm/services/exact/state.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// Relative: sums in another order differ by less.
constexpr double kRounding = 1e-11;

}  // namespace

State root_state(const Model& model) {
  State state;
  state.alive.assign(model.place_node.size(), 1);
  state.host.assign(model.hosts.size(), Choice::open);
  const bool may_reject = model.problem.objective() == Objective::admitted;
  state.task.assign(model.tasks.size(), may_reject ? Choice::open : Choice::in);
  state.single.assign(model.service_hosts.size(), 0);
  state.least.assign(model.service_hosts.size(), 0.0);
  state.most.assign(model.service_hosts.size(), 0.0);
  return state;
}

std::int32_t only_place(const Model& model, const State& state, std::int32_t slot) {
  std::int32_t only = -1;
  for (std::int32_t p = model.slots[z(slot)].first; p < model.slots[z(slot)].end; ++p) {
    if (state.alive[z(p)] == 0) continue;
    if (only >= 0) return -1;
    only = p;
  }
  return only;
}

void Propagation::kill(State& state, std::int32_t place) {
  if (state.alive[z(place)] == 0) return;
  state.alive[z(place)] = 0;
  dirty_[z(model_.slots[z(model_.place_slot[z(place)])].task)] = 1;
  changed_ = true;
}

void Propagation::shut(State& state, std::int32_t host) {
  if (state.host[z(host)] == Choice::out) return;
  state.host[z(host)] = Choice::out;
  changed_ = true;
  for (std::int32_t i = model_.hosts[z(host)].first; i < model_.hosts[z(host)].end; ++i)
    kill(state, model_.host_places[z(i)]);
}

bool Propagation::run(State& state, double upper) {
  dirty_.assign(model_.tasks.size(), 1);
  for (std::size_t h = 0; h < model_.hosts.size(); ++h) {
    if (state.host[h] != Choice::out) continue;
    for (std::int32_t i = model_.hosts[h].first; i < model_.hosts[h].end; ++i)
      kill(state, model_.host_places[z(i)]);
  }
  do {
    changed_ = false;
    if (!tasks(state, upper) || !deadlines(state) || !slots(state) || !nodes(state) || !singles(state) ||
        !costs(state, upper))
      return false;
  } while (changed_);
  return true;
}

/// Tasks that are out lose their places; one that must be in has a place for every slot.
bool Propagation::tasks(State& state, double upper) {
  double rejected = 0.0;
  for (std::size_t t = 0; t < model_.tasks.size(); ++t)
    if (state.task[t] == Choice::out) rejected += model_.problem.tasks()[t].weight;
  double limit = aim_.rejected_cap;
  if (aim_.counts_rejected()) limit = std::min(limit, upper);
  limit += kRounding * std::abs(limit);
  if (rejected > limit) return false;
  for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
    const TaskSpan& span = model_.tasks[t];
    if (state.task[t] == Choice::open) {
      bool empty = false;
      for (std::int32_t k = span.first; k < span.end && !empty; ++k) {
        empty = true;
        for (std::int32_t p = model_.slots[z(k)].first; p < model_.slots[z(k)].end; ++p)
          empty = empty && state.alive[z(p)] == 0;
      }
      const double weight = model_.problem.tasks()[t].weight;
      if (empty) {
        state.task[t] = Choice::out;
        rejected += weight;
        changed_ = true;
        if (rejected > limit) return false;
      } else if (rejected + weight > limit) {
        state.task[t] = Choice::in;
        changed_ = true;
      }
    }
    if (state.task[t] != Choice::out) continue;
    for (std::int32_t k = span.first; k < span.end; ++k)
      for (std::int32_t p = model_.slots[z(k)].first; p < model_.slots[z(k)].end; ++p) kill(state, p);
  }
  return true;
}

bool Propagation::deadlines(State& state) {
  for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
    if (dirty_[t] == 0 || state.task[t] == Choice::out) continue;
    dirty_[t] = 0;
    find_times(model_, static_cast<std::int32_t>(t), state.alive, times_);
    const double limit = model_.problem.deadline_limit_s(static_cast<std::int32_t>(t)) * (1.0 + kRounding);
    for (std::int32_t k = model_.tasks[t].first; k < model_.tasks[t].end; ++k) {
      for (std::int32_t p = model_.slots[z(k)].first; p < model_.slots[z(k)].end; ++p) {
        const double whole_s = times_.head_s[z(p)] + times_.tail_s[z(p)];
        if (state.alive[z(p)] != 0 && !(whole_s <= limit && whole_s < kNone)) kill(state, p);
      }
    }
  }
  return true;
}

/// A slot with one place needs that host; one without any ends it.
bool Propagation::slots(State& state) {
  for (std::size_t k = 0; k < model_.slots.size(); ++k) {
    if (state.task[z(model_.slots[k].task)] == Choice::out) continue;
    std::int32_t count = 0;
    std::int32_t place = -1;
    for (std::int32_t p = model_.slots[k].first; p < model_.slots[k].end; ++p) {
      if (state.alive[z(p)] == 0) continue;
      ++count;
      place = p;
    }
    const bool in = state.task[z(model_.slots[k].task)] == Choice::in;
    if (count == 0 && in) return false;
    if (count == 1 && in && state.host[z(model_.place_host[z(place)])] != Choice::in) {
      state.host[z(model_.place_host[z(place)])] = Choice::in;
      changed_ = true;
    }
  }
  // A host that no slot can use serves nothing.
  for (std::size_t h = 0; h < model_.hosts.size(); ++h) {
    if (state.host[h] == Choice::out) continue;
    bool used = false;
    for (std::int32_t i = model_.hosts[h].first; i < model_.hosts[h].end && !used; ++i)
      used = state.alive[z(model_.host_places[z(i)])] != 0;
    if (used) continue;
    if (state.host[h] == Choice::in) return false;  // the branch without it has the same plans
    state.host[h] = Choice::out;
    changed_ = true;
  }
  return true;
}

/// Whether the slots that are certainly on a node fit, with one more (-1: none).
bool Propagation::fits(std::int32_t node, std::int32_t extra_slot) {
  const Problem& problem = model_.problem;
  std::vector<std::int32_t>& slots = at_[z(node)];
  if (extra_slot >= 0) slots.push_back(extra_slot);
  const double limit = problem.node_capacity_flop_per_s(node) * (1.0 + kRounding);
  bool good = true;
  nominal_.assign(model_.tasks.size(), 0.0);
  for (const std::int32_t k : slots)
    nominal_[z(model_.slots[z(k)].task)] += problem.services()[z(model_.slots[z(k)].service)].flop;
  if (problem.samples()) {
    const Samples& samples = *problem.samples();
    std::int32_t broken = 0;
    const std::size_t tasks = model_.tasks.size();
    for (std::size_t i = 0; i + tasks <= samples.rate_per_s.size(); i += tasks) {
      double load = 0.0;
      for (std::size_t t = 0; t < tasks; ++t) load += samples.rate_per_s[i + t] * nominal_[t];
      if (load > limit) ++broken;
    }
    good = broken <= samples.may_break;
  } else {
    raise_.clear();
    double load = 0.0;
    for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
      if (nominal_[t] == 0.0) continue;
      load += problem.tasks()[t].rate_per_s * nominal_[t];
      if (problem.tasks()[t].deviation_per_s > 0.0)
        raise_.push_back(problem.tasks()[t].deviation_per_s * nominal_[t]);
    }
    good = worst_load(load, raise_, problem.limits().budget) <= limit;
  }
  if (extra_slot >= 0) slots.pop_back();
  return good;
}

/// Memory and load of what is certain, and what no longer fits beside it.
bool Propagation::nodes(State& state) {
  at_.resize(z(model_.node_count()));
  for (std::vector<std::int32_t>& slots : at_) slots.clear();
  std::vector<std::int32_t>& alone = sure_;
  alone.assign(model_.slots.size(), -1);
  for (std::size_t k = 0; k < model_.slots.size(); ++k) {
    if (state.task[z(model_.slots[k].task)] != Choice::in) continue;
    alone[k] = only_place(model_, state, static_cast<std::int32_t>(k));
    if (alone[k] >= 0) at_[z(model_.place_node[z(alone[k])])].push_back(static_cast<std::int32_t>(k));
  }
  for (std::int32_t v = 0; v < model_.node_count(); ++v) {
    double memory = 0.0;
    const double limit = model_.problem.memory_limit_bytes(v) * (1.0 + kRounding);
    for (std::int32_t h = model_.first_host[z(v)]; h < model_.first_host[z(v) + 1]; ++h)
      if (state.host[z(h)] == Choice::in)
        memory += model_.problem.services()[z(model_.hosts[z(h)].service)].memory_bytes;
    if (memory > limit) return false;
    for (std::int32_t h = model_.first_host[z(v)]; h < model_.first_host[z(v) + 1]; ++h) {
      const Host& host = model_.hosts[z(h)];
      if (state.host[z(h)] == Choice::open &&
          memory + model_.problem.services()[z(host.service)].memory_bytes > limit)
        shut(state, h);
    }
    if (at_[z(v)].empty()) continue;
    if (!fits(v, -1)) return false;
    for (std::int32_t h = model_.first_host[z(v)]; h < model_.first_host[z(v) + 1]; ++h) {
      for (std::int32_t i = model_.hosts[z(h)].first; i < model_.hosts[z(h)].end; ++i) {
        const std::int32_t p = model_.host_places[z(i)];
        const std::int32_t k = model_.place_slot[z(p)];
        if (state.alive[z(p)] != 0 && alone[z(k)] != p && !fits(v, k)) kill(state, p);
      }
    }
  }
  return true;
}

/// Services that can have one replica only: each node left serves all of its slots or none.
bool Propagation::singles(State& state) {
  for (std::size_t s = 0; s < model_.service_hosts.size(); ++s) {
    if (state.single[s] == 0) continue;
    std::size_t served = 0;
    for (const std::int32_t k : model_.service_slots[s])
      served += state.task[z(model_.slots[z(k)].task)] == Choice::in ? 1U : 0U;
    std::int32_t in = -1;
    for (const std::int32_t h : model_.service_hosts[s]) {
      if (state.host[z(h)] != Choice::in) continue;
      if (in >= 0) return false;
      in = h;
    }
    for (const std::int32_t h : model_.service_hosts[s]) {
      if (state.host[z(h)] == Choice::out) continue;
      std::size_t alive = 0;
      for (std::int32_t i = model_.hosts[z(h)].first; i < model_.hosts[z(h)].end; ++i)
        alive += state.alive[z(model_.host_places[z(i)])];
      if (alive == served && (in < 0 || in == h)) continue;
      if (h == in) return false;
      shut(state, h);
    }
  }
  return true;
}

/// Replicas that there must be, and those that their cost leaves no room for.
bool Propagation::costs(State& state, double upper) {
  const Problem& problem = model_.problem;
  state.cost = 0.0;
  std::vector<std::int32_t> in(model_.service_hosts.size(), 0);
  for (std::size_t s = 0; s < model_.service_hosts.size(); ++s) {
    std::int32_t possible = 0;
    for (const std::int32_t h : model_.service_hosts[s]) {
      in[s] += state.host[z(h)] == Choice::in ? 1 : 0;
      possible += state.host[z(h)] != Choice::out ? 1 : 0;
    }
    std::int32_t wanted = 0;
    std::int32_t useful = 0;
    for (const std::int32_t k : model_.service_slots[s]) {
      wanted += state.task[z(model_.slots[z(k)].task)] == Choice::in ? 1 : 0;
      useful += state.task[z(model_.slots[z(k)].task)] != Choice::out ? 1 : 0;
    }
    if (in[s] > useful) return false;  // one of them serves nothing, and the branch without it has the same plans
    state.least[s] = std::max(state.least[s], static_cast<double>(std::max(in[s], wanted > 0 ? 1 : 0)));
    state.most[s] = static_cast<double>(std::min(possible, useful));
    if (state.least[s] > state.most[s]) return false;
    state.cost += state.least[s] * problem.services()[s].cost;
    if (wanted == useful && state.most[s] == 1.0 && wanted > 0 && state.single[s] == 0) {
      state.single[s] = 1;
      changed_ = true;
    }
  }
  double limit = std::min(aim_.cost_cap, problem.cost_limit());
  if (aim_.counts_cost()) limit = std::min(limit, upper);
  limit += kRounding * std::abs(limit);
  if (state.cost > limit) return false;
  for (std::size_t s = 0; s < model_.service_hosts.size(); ++s) {
    const double cost = problem.services()[s].cost;
    if (!(state.cost + cost > limit)) continue;
    state.most[s] = std::min(state.most[s], state.least[s]);
    if (state.single[s] != 0) continue;
    bool sure = true;
    for (const std::int32_t k : model_.service_slots[s])
      sure = sure && state.task[z(model_.slots[z(k)].task)] == Choice::in;
    if (sure && state.most[s] == 1.0) {
      state.single[s] = 1;
      changed_ = true;
    }
    if (static_cast<double>(in[s]) < state.least[s]) continue;
    for (const std::int32_t h : model_.service_hosts[s])
      if (state.host[z(h)] == Choice::open) shut(state, h);
  }
  return true;
}

}  // namespace constellm::services::exact
