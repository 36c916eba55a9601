#include "constellm/services/exact/dual.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// Relative to the sum of all terms: what rounding can make of a bound.
constexpr double kRounding = 1e-12;

constexpr double kDeflection = 1.5;     // of Camerini, Fratta and Maffioli
constexpr std::int32_t kPatience = 12;  // steps without a better bound until they are halved
constexpr double kMeanRate = 0.05;

double unit(double cap) { return cap > 0.0 ? cap : 1.0; }

}  // namespace

Dual::Dual(const Model& model, const Aim& aim)
    : model_(model),
      aim_(aim),
      paths_(model),
      packing_(model),
      cost_cap_(std::min(aim.cost_cap, model.problem.cost_limit())),
      host_price_(model.service_hosts.size()),
      task_value_(model.tasks.size()),
      chosen_(model.tasks.size()),
      places_(model.slots.size(), -1),
      node_value_(z(model.node_count())),
      delay_s_(model.tasks.size()),
      end_s_(model.slots.size()),
      last_way_(model.slots.size()),
      served_(model.place_node.size()),
      opened_(model.hosts.size()),
      place_mean_(model.place_node.size()),
      host_mean_(model.hosts.size()),
      through_(model.place_node.size()) {
  for (Direction* d : {&gradient_, &direction_}) {
    d->place.assign(model.place_node.size(), 0.0);
    d->count.assign(model.service_hosts.size(), 0.0);
    d->late.assign(model.tasks.size(), 0.0);
  }
}

Multipliers Dual::start(const State& state) const {
  Multipliers at;
  at.place.assign(model_.place_node.size(), 0.0);
  at.count.assign(model_.service_hosts.size(), 0.0);
  at.late.assign(model_.tasks.size(), 0.0);
  at.share.assign(model_.ways.size(), 1.0);
  for (const Slot& slot : model_.slots)
    for (std::int32_t i = slot.first_in; i < slot.end_in; ++i)
      at.share[z(i)] = 1.0 / static_cast<double>(slot.end_in - slot.first_in);
  if (!aim_.counts_cost()) return at;
  for (std::size_t s = 0; s < model_.service_slots.size(); ++s) {
    const double cost = model_.problem.services()[s].cost;
    if (state.least[s] > 1.0) {
      at.count[s] = cost;
      continue;
    }
    // Every slot pays its part of one replica, wherever it is.
    for (const std::int32_t k : model_.service_slots[s])
      for (std::int32_t p = model_.slots[z(k)].first; p < model_.slots[z(k)].end; ++p)
        at.place[z(p)] = cost / static_cast<double>(model_.service_slots[s].size());
  }
  return at;
}

double Dual::seconds_price(const Multipliers& at, std::int32_t task) const {
  double price = 0.0;
  if (aim_.counts_delay()) price += model_.task_share[z(task)];
  if (aim_.delay_cap_s < kNone) price += at.delay * model_.task_share[z(task)] / unit(aim_.delay_cap_s);
  const double deadline_s = model_.problem.deadline_limit_s(task);
  if (deadline_s < kNone) price += at.late[z(task)] / deadline_s;
  return price;
}

double Dual::reject_price(const Multipliers& at, std::int32_t task) const {
  const double weight = model_.problem.tasks()[z(task)].weight;
  double price = aim_.counts_rejected() ? weight : 0.0;
  if (aim_.rejected_cap < kNone) price += at.rejected * weight / unit(aim_.rejected_cap);
  return price;
}

void Dual::price(const Multipliers& at) {
  double of_cost = aim_.counts_cost() ? 1.0 : 0.0;
  if (cost_cap_ < kNone) of_cost += at.cost / unit(cost_cap_);
  for (std::size_t s = 0; s < host_price_.size(); ++s)
    host_price_[s] = of_cost * model_.problem.services()[s].cost - at.count[s];
}

double Dual::tasks(const State& state, const Times& times, const Multipliers& at) {
  double sum = 0.0;
  for (std::int32_t t = 0; z(t) < model_.tasks.size(); ++t) {
    const double reject = reject_price(at, t);
    chosen_[z(t)] = 0;
    delay_s_[z(t)] = 0.0;
    task_value_[z(t)] = reject;
    if (state.task[z(t)] != Choice::out) {
      const PathPrices prices{at.place.data(), at.share.data(), seconds_price(at, t)};
      const double late = model_.problem.deadline_limit_s(t) < kNone ? at.late[z(t)] : 0.0;
      const double value = paths_.solve(state, times, t, prices) - late;
      if (state.task[z(t)] == Choice::in || value < reject) {
        task_value_[z(t)] = value;
        if (!(value < kNone)) return kNone;
        chosen_[z(t)] = 1;
        paths_.choose(t, prices, places_.data() + model_.tasks[z(t)].first);
        delay_s_[z(t)] = schedule(model_, t, places_.data() + model_.tasks[z(t)].first, end_s_, last_way_);
      }
    }
    sum += task_value_[z(t)];
    magnitude_ += std::abs(task_value_[z(t)]);
  }
  return sum;
}

double Dual::nodes(const State& state) {
  std::fill(served_.begin(), served_.end(), std::uint8_t{0});
  std::fill(opened_.begin(), opened_.end(), std::uint8_t{0});
  double sum = 0.0;
  for (std::int32_t v = 0; v < model_.node_count(); ++v) {
    node_value_[z(v)] = 0.0;
    if (model_.first_host[z(v)] == model_.first_host[z(v) + 1]) continue;
    node_value_[z(v)] =
        packing_.best(state, {place_prices_, host_price_.data()}, v, served_.data(), opened_.data());
    if (!(node_value_[z(v)] > -kNone)) return -kNone;  // what must be there does not fit
    sum += node_value_[z(v)];
    magnitude_ += std::abs(node_value_[z(v)]);
  }
  return sum;
}

double Dual::value(const State& state, const Times& times, const Multipliers& at) {
  ++bounds_;
  magnitude_ = 0.0;
  place_prices_ = at.place.data();
  price(at);
  const double paid = tasks(state, times, at);
  if (!(paid < kNone)) return kNone;
  const double gained = nodes(state);
  if (!(gained > -kNone)) return kNone;
  double bound = paid - gained;
  for (std::size_t s = 0; s < at.count.size(); ++s) {
    const double term = at.count[s] * (at.count[s] >= 0.0 ? state.least[s] : state.most[s]);
    bound += term;
    magnitude_ += std::abs(term);
  }
  if (cost_cap_ < kNone) bound -= at.cost * (cost_cap_ / unit(cost_cap_));
  if (aim_.delay_cap_s < kNone) bound -= at.delay * (aim_.delay_cap_s / unit(aim_.delay_cap_s));
  if (aim_.rejected_cap < kNone) bound -= at.rejected * (aim_.rejected_cap / unit(aim_.rejected_cap));
  magnitude_ += at.cost + at.delay + at.rejected;
  return bound - kRounding * magnitude_;
}

void Dual::find_gradient(const State& state, const Multipliers& at) {
  Direction& g = gradient_;
  for (std::size_t p = 0; p < g.place.size(); ++p) g.place[p] = served_[p] != 0 ? -1.0 : 0.0;
  g.cost = -cost_cap_ / unit(cost_cap_);
  g.delay = -aim_.delay_cap_s / unit(aim_.delay_cap_s);
  g.rejected = -aim_.rejected_cap / unit(aim_.rejected_cap);
  for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
    const double deadline_s = model_.problem.deadline_limit_s(static_cast<std::int32_t>(t));
    g.late[t] = 0.0;
    if (chosen_[t] == 0) {
      g.rejected += model_.problem.tasks()[t].weight / unit(aim_.rejected_cap);
      continue;
    }
    g.delay += model_.task_share[t] * delay_s_[t] / unit(aim_.delay_cap_s);
    if (deadline_s < kNone) g.late[t] = delay_s_[t] / deadline_s - 1.0;
    for (std::int32_t k = model_.tasks[t].first; k < model_.tasks[t].end; ++k) g.place[z(places_[z(k)])] += 1.0;
  }
  for (std::size_t s = 0; s < g.count.size(); ++s) {
    double open = 0.0;
    for (const std::int32_t h : model_.service_hosts[s]) open += opened_[z(h)];
    g.cost += model_.problem.services()[s].cost * open / unit(cost_cap_);
    const double up = state.least[s] - open;
    const double down = state.most[s] - open;
    g.count[s] = at.count[s] > 0.0 ? up : at.count[s] < 0.0 ? down : up > 0.0 ? up : std::min(down, 0.0);
  }
  if (!(cost_cap_ < kNone) || (at.cost <= 0.0 && g.cost < 0.0)) g.cost = 0.0;
  if (!(aim_.delay_cap_s < kNone) || (at.delay <= 0.0 && g.delay < 0.0)) g.delay = 0.0;
  if (!(aim_.rejected_cap < kNone) || (at.rejected <= 0.0 && g.rejected < 0.0)) g.rejected = 0.0;
  for (std::size_t t = 0; t < g.late.size(); ++t)
    if (at.late[t] <= 0.0 && g.late[t] < 0.0) g.late[t] = 0.0;
  for (std::size_t p = 0; p < g.place.size(); ++p)
    if (g.place[p] < 0.0 && at.place[p] <= 0.0 &&
        state.single[z(model_.slots[z(model_.place_slot[p])].service)] == 0)
      g.place[p] = 0.0;
}

/// The direction turns by less than the gradient, against zigzags. Returns its squared length.
double Dual::deflect() {
  Direction& d = direction_;
  const Direction& g = gradient_;
  double inner = g.cost * d.cost + g.delay * d.delay + g.rejected * d.rejected;
  double square = d.cost * d.cost + d.delay * d.delay + d.rejected * d.rejected;
  const auto add = [&](const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      inner += a[i] * b[i];
      square += b[i] * b[i];
    }
  };
  add(g.place, d.place);
  add(g.count, d.count);
  add(g.late, d.late);
  const double keep = inner < 0.0 && square > 0.0 ? -kDeflection * inner / square : 0.0;
  double length = 0.0;
  const auto step = [&](double& to, double by) {
    to = by + keep * to;
    length += to * to;
  };
  for (std::size_t i = 0; i < d.place.size(); ++i) step(d.place[i], g.place[i]);
  for (std::size_t i = 0; i < d.count.size(); ++i) step(d.count[i], g.count[i]);
  for (std::size_t i = 0; i < d.late.size(); ++i) step(d.late[i], g.late[i]);
  step(d.cost, g.cost);
  step(d.delay, g.delay);
  step(d.rejected, g.rejected);
  return length;
}

void Dual::move(const State& state, Multipliers& at, double length) const {
  const Direction& d = direction_;
  for (std::size_t p = 0; p < at.place.size(); ++p) {
    if (d.place[p] == 0.0) continue;
    at.place[p] += length * d.place[p];
    if (at.place[p] < 0.0 && state.single[z(model_.slots[z(model_.place_slot[p])].service)] == 0)
      at.place[p] = 0.0;
  }
  for (std::size_t s = 0; s < at.count.size(); ++s) at.count[s] += length * d.count[s];
  for (std::size_t t = 0; t < at.late.size(); ++t) at.late[t] = std::max(0.0, at.late[t] + length * d.late[t]);
  at.cost = std::max(0.0, at.cost + length * d.cost);
  at.delay = std::max(0.0, at.delay + length * d.delay);
  at.rejected = std::max(0.0, at.rejected + length * d.rejected);
}

/// Weights of ways go to those that came last: fictitious play of who wants the longest way.
void Dual::follow_delays(const State& state, Multipliers& at, double rate) const {
  for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
    if (chosen_[t] == 0 || state.task[t] == Choice::out) continue;
    for (std::int32_t k = model_.tasks[t].first; k < model_.tasks[t].end; ++k) {
      const Slot& slot = model_.slots[z(k)];
      if (slot.end_in - slot.first_in < 2) continue;
      for (std::int32_t i = slot.first_in; i < slot.end_in; ++i)
        at.share[z(i)] += rate * ((last_way_[z(k)] == i ? 1.0 : 0.0) - at.share[z(i)]);
    }
  }
}

void Dual::take_means(double rate) {
  for (double& mean : place_mean_) mean *= 1.0 - rate;
  for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
    if (chosen_[t] == 0) continue;
    for (std::int32_t k = model_.tasks[t].first; k < model_.tasks[t].end; ++k)
      place_mean_[z(places_[z(k)])] += rate;
  }
  for (std::size_t h = 0; h < host_mean_.size(); ++h)
    host_mean_[h] += rate * (static_cast<double>(opened_[h]) - host_mean_[h]);
}

double Dual::improve(const State& state, const Times& times, Multipliers& at, double target, double enough,
                     std::int32_t steps, core::StopToken& stop) {
  Multipliers best = at;
  double bound = value(state, times, at);
  double here = bound;
  double factor = 1.0;
  std::int32_t waited = 0;
  direction_.place.assign(direction_.place.size(), 0.0);
  direction_.count.assign(direction_.count.size(), 0.0);
  direction_.late.assign(direction_.late.size(), 0.0);
  direction_.cost = direction_.delay = direction_.rejected = 0.0;
  take_means(1.0);
  const std::uint64_t work = 1 + model_.seconds.size() / 64;
  for (std::int32_t step = 0; step < steps && bound <= enough && factor > 1e-4; ++step) {
    if (stop.should_stop(work)) break;
    find_gradient(state, at);
    const double square = deflect();
    if (!(square > 1e-20)) break;  // tasks and nodes agree
    const double goal = std::max(target, bound + 1e-3 * std::abs(bound));
    move(state, at, factor * (goal - here) / square);
    follow_delays(state, at, 0.5 / (2.0 + 0.2 * static_cast<double>(step)));
    here = value(state, times, at);
    if (!(here < kNone)) {
      bound = here;
      best = at;
      break;
    }
    take_means(std::max(kMeanRate, 1.0 / (2.0 + static_cast<double>(step))));
    if (here > bound) {
      if (here > bound + 1e-5 * std::abs(bound)) waited = 0;
      bound = here;
      best = at;
    }
    if (++waited >= kPatience) {
      waited = 0;
      factor *= 0.7;
      at = best;
      here = value(state, times, at);
      direction_.place.assign(direction_.place.size(), 0.0);
    }
  }
  at = std::move(best);
  return bound;
}

std::int32_t Dual::fix(State& state, const Times& times, const Multipliers& at, double upper) {
  const double bound = value(state, times, at);
  const double limit = upper + kRounding * magnitude_;
  if (bound > limit) return -1;
  std::int32_t fixed = 0;
  std::fill(through_.begin(), through_.end(), 0.0);
  for (std::int32_t t = 0; z(t) < model_.tasks.size(); ++t) {
    if (state.task[z(t)] == Choice::out) continue;
    const PathPrices prices{at.place.data(), at.share.data(), seconds_price(at, t)};
    const double late = model_.problem.deadline_limit_s(t) < kNone ? at.late[z(t)] : 0.0;
    paths_.solve(state, times, t, prices);
    paths_.through(t, prices, through_);
    for (std::int32_t k = model_.tasks[z(t)].first; k < model_.tasks[z(t)].end; ++k)
      for (std::int32_t p = model_.slots[z(k)].first; p < model_.slots[z(k)].end; ++p)
        through_[z(p)] = std::max(0.0, through_[z(p)] - late - task_value_[z(t)]);
  }
  const Packing::Prices prices{at.place.data(), host_price_.data()};
  for (std::size_t h = 0; h < model_.hosts.size(); ++h) {
    const Host& host = model_.hosts[h];
    if (state.host[h] == Choice::out) continue;
    double loss = 0.0;
    if (state.host[h] == Choice::open) {
      const double with = packing_.best_with(state, prices, host.node, static_cast<std::int32_t>(h), true);
      loss = std::max(0.0, node_value_[z(host.node)] - with);
    }
    bool left = false;
    for (std::int32_t i = host.first; i < host.end; ++i) {
      const std::int32_t p = model_.host_places[z(i)];
      if (state.alive[z(p)] == 0) continue;
      if (bound + loss + through_[z(p)] > limit) {
        state.alive[z(p)] = 0;
        ++fixed;
      } else {
        left = true;
      }
    }
    if (left) {
      if (state.host[h] != Choice::open) continue;
      const double without = packing_.best_with(state, prices, host.node, static_cast<std::int32_t>(h), false);
      if (bound + node_value_[z(host.node)] - without > limit) {
        state.host[h] = Choice::in;
        ++fixed;
      }
    } else if (state.host[h] == Choice::in) {
      return -1;
    } else {
      state.host[h] = Choice::out;
      ++fixed;
    }
  }
  return fixed;
}

}  // namespace constellm::services::exact
