#include "constellm/services/exact/dual.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// Relative to the sum of all terms: what rounding can make of a bound.
constexpr double kRounding = 1e-12;

// The volume algorithm (Barahona and Anbil, 2000).
constexpr double kFirstLength = 0.5;   // of a step, relative to Polyak's
constexpr double kLeastLength = 0.02;  // where steps go on
constexpr double kLonger = 1.1;        // after a better bound whose gradient agrees with the direction
constexpr double kShorter = 0.66;      // after kPatience steps without a better bound
constexpr std::int32_t kPatience = 20;
constexpr double kMostMixed = 0.2;  // of the newest gradient in the direction
constexpr std::int32_t kCheckEvery = 100;
constexpr double kLittleGain = 1e-3;       // of the bound between checks: then half of kMostMixed
constexpr std::int32_t kSharpenings = 12;  // of a task's bounds with each of its places

double unit(double cap) { return cap > 0.0 ? cap : 1.0; }

}  // namespace

Dual::Dual(const Model& model, const Aim& aim)
    : model_(model),
      aim_(aim),
      paths_(model),
      labels_(model),
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
  late_.assign(model.tasks.size(), 0.0);
  for (Direction* d : {&gradient_, &direction_}) {
    d->place.assign(model.place_node.size(), 0.0);
    d->count.assign(model.service_hosts.size(), 0.0);
  }
}

Multipliers Dual::start(const State& state) const {
  Multipliers at;
  at.place.assign(model_.place_node.size(), 0.0);
  at.count.assign(model_.service_hosts.size(), 0.0);
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

bool Dual::is_single(const State& state, std::size_t place) const {
  return state.single[z(model_.slots[z(model_.place_slot[place])].service)] != 0;
}

void Dual::find_gradient(const State& state, const Multipliers& at) {
  Direction& g = gradient_;
  for (std::size_t p = 0; p < g.place.size(); ++p) g.place[p] = served_[p] != 0 ? -1.0 : 0.0;
  g.cost = cost_cap_ < kNone ? -cost_cap_ / unit(cost_cap_) : 0.0;
  g.delay = aim_.delay_cap_s < kNone ? -aim_.delay_cap_s / unit(aim_.delay_cap_s) : 0.0;
  g.rejected = aim_.rejected_cap < kNone ? -aim_.rejected_cap / unit(aim_.rejected_cap) : 0.0;
  for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
    if (chosen_[t] == 0) {
      if (aim_.rejected_cap < kNone) g.rejected += model_.problem.tasks()[t].weight / unit(aim_.rejected_cap);
      continue;
    }
    if (aim_.delay_cap_s < kNone) g.delay += model_.task_share[t] * delay_s_[t] / unit(aim_.delay_cap_s);
    for (std::int32_t k = model_.tasks[t].first; k < model_.tasks[t].end; ++k)
      g.place[z(places_[z(k)])] += 1.0;
  }
  for (std::size_t s = 0; s < g.count.size(); ++s) {
    double open = 0.0;
    for (const std::int32_t h : model_.service_hosts[s]) open += opened_[z(h)];
    if (cost_cap_ < kNone) g.cost += model_.problem.services()[s].cost * open / unit(cost_cap_);
    const double up = state.least[s] - open;
    const double down = state.most[s] - open;
    g.count[s] = at.count[s] > 0.0 ? up : at.count[s] < 0.0 ? down : up > 0.0 ? up : std::min(down, 0.0);
  }
}

void Dual::move(const State& state, Multipliers& at, double length) const {
  const Direction& d = direction_;
  for (std::size_t p = 0; p < at.place.size(); ++p) {
    if (d.place[p] == 0.0) continue;
    at.place[p] += length * d.place[p];
    if (at.place[p] < 0.0 && !is_single(state, p)) at.place[p] = 0.0;
  }
  for (std::size_t s = 0; s < at.count.size(); ++s) at.count[s] += length * d.count[s];
  at.cost = std::max(0.0, at.cost + length * d.cost);
  at.delay = std::max(0.0, at.delay + length * d.delay);
  at.rejected = std::max(0.0, at.rejected + length * d.rejected);
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

/// The squared length of what of the direction can be gone.
double Dual::free_square(const State& state, const Multipliers& at) const {
  const Direction& d = direction_;
  double square = d.cost * d.cost + d.delay * d.delay + d.rejected * d.rejected;
  for (std::size_t p = 0; p < d.place.size(); ++p)
    if (d.place[p] > 0.0 || at.place[p] > 0.0 || is_single(state, p)) square += d.place[p] * d.place[p];
  for (const double x : d.count) square += x * x;
  return square;
}

/// Turns the direction towards the new gradient, by the share that makes it shortest; returns the share,
/// negative where gradient and direction disagree.
double Dual::mix(double most) {
  double gg = 0.0;
  double gd = 0.0;
  double dd = 0.0;
  const auto add = [&](const std::vector<double>& g, const std::vector<double>& d) {
    for (std::size_t i = 0; i < g.size(); ++i) {
      gg += g[i] * g[i];
      gd += g[i] * d[i];
      dd += d[i] * d[i];
    }
  };
  add(gradient_.place, direction_.place);
  add(gradient_.count, direction_.count);
  const double square = gg - 2.0 * gd + dd;
  const double share = std::clamp(square > 0.0 ? (dd - gd) / square : most, 0.1 * most, most);
  const auto turn = [&](double& d, double g) { d = share * g + (1.0 - share) * d; };
  for (std::size_t i = 0; i < direction_.place.size(); ++i) turn(direction_.place[i], gradient_.place[i]);
  for (std::size_t i = 0; i < direction_.count.size(); ++i) turn(direction_.count[i], gradient_.count[i]);
  turn(direction_.cost, gradient_.cost);
  turn(direction_.delay, gradient_.delay);
  turn(direction_.rejected, gradient_.rejected);
  return gd > 0.0 ? share : -share;
}

double Dual::improve(const State& state, const Times& times, Multipliers& at, double target, double enough,
                     std::int32_t steps, core::StopToken& stop) {
  double bound = value(state, times, at);
  double checked = bound;
  const bool goes_on = at.length > 0.0;
  double length = goes_on ? std::max(at.length, kLeastLength) : kFirstLength;
  double most_mixed = kMostMixed;
  std::int32_t waited = 0;
  take_means(1.0);
  find_gradient(state, at);
  direction_ = goes_on ? at.toward : gradient_;
  for (std::size_t p = 0; p < direction_.place.size(); ++p)
    if (state.alive[p] == 0) direction_.place[p] = 0.0;
  if (goes_on) mix(kMostMixed);
  at.toward = {};
  const std::uint64_t work = 1 + model_.seconds.size() / 64;
  for (std::int32_t step = 1; step <= steps && bound <= enough; ++step) {
    if (stop.should_stop(work)) break;
    const double square = free_square(state, at);
    if (!(square > 1e-20)) break;  // tasks and nodes agree
    const double goal = std::max(target, bound + 1e-3 * std::abs(bound));
    trial_ = at;
    move(state, trial_, length * (goal - bound) / square);
    follow_delays(trial_);
    const double here = value(state, times, trial_);
    if (!(here < kNone)) {
      std::swap(at, trial_);
      bound = here;
      break;
    }
    find_gradient(state, trial_);
    const double share = mix(most_mixed);
    take_means(std::abs(share));
    if (here > bound) {
      bound = here;
      std::swap(at, trial_);
      waited = 0;
      if (share > 0.0) length = std::min(2.0, kLonger * length);
    } else if (++waited >= kPatience) {
      waited = 0;
      length *= kShorter;
    }
    if (step % kCheckEvery == 0) {
      if (bound < checked + kLittleGain * std::abs(checked)) most_mixed = std::max(1e-4, 0.5 * most_mixed);
      checked = bound;
    }
  }
  at.toward = direction_;
  at.length = length;
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
    const double late = sharpen(state, times, at, t, task_value_[z(t)], kSharpenings).late;
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
      const double without =
          packing_.best_with(state, prices, host.node, static_cast<std::int32_t>(h), false);
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
