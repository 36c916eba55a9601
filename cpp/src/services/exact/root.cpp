#include "constellm/services/exact/root.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "constellm/core/index.hpp"
#include "constellm/services/exact/counts.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

constexpr std::int32_t kStepsAtOnce = 600;
constexpr std::int32_t kRoundings = 4;
constexpr double kShrunk = 0.8;       // so much is left: the tables are made anew
constexpr double kLittleGain = 2e-4;  // of the bound in a round
constexpr double kAhead = 1.2;        // of the bound: what steps aim at without a plan

/// The greatest common divisor of whole numbers of quarters; 0 where one is none.
double common_divisor(const std::vector<double>& values) {
  std::int64_t divisor = 0;
  for (const double value : values) {
    const double quarters = value * 4.0;
    if (!(quarters < 1e15) || quarters != std::floor(quarters)) return 0.0;
    divisor = std::gcd(divisor, static_cast<std::int64_t>(quarters));
  }
  return static_cast<double>(divisor) / 4.0;
}

}  // namespace

double grain(const Problem& problem, const Aim& aim) {
  std::vector<double> values;
  if (aim.counts_cost())
    for (const Service& service : problem.services()) values.push_back(service.cost);
  if (aim.counts_rejected())
    for (const Task& task : problem.tasks()) values.push_back(task.weight);
  return common_divisor(values);
}

Hosts hosts_of(const Model& model, const std::vector<std::uint8_t>& alive) {
  Hosts left(model.slots.size());
  for (std::size_t k = 0; k < left.size(); ++k)
    for (std::int32_t p = model.slots[k].first; p < model.slots[k].end; ++p)
      if (alive[z(p)] != 0) left[k].push_back(model.place_node[z(p)]);
  return left;
}

double lifted(double bound, double grain) {
  return grain > 0.0 ? std::max(bound, grain * std::ceil(bound / grain - 1e-6)) : bound;
}

double wanted_up_to(double value, double grain, bool strictly_better) {
  if (!(value < kNone)) return value;
  if (!strictly_better) return equal_up_to(value);
  return grain > 0.0 ? value - grain * (1.0 - 1e-6) : value - 0.9 * kOptimalGap * std::abs(value);
}

double ceiling_of(const Model& model, const Aim& aim, const State& state) {
  double most = 0.0;
  if (aim.counts_cost()) {
    for (std::size_t s = 0; s < state.most.size(); ++s)
      most += state.most[s] * model.problem.services()[s].cost;
  } else if (aim.counts_rejected()) {
    for (const Task& task : model.problem.tasks()) most += task.weight;
  } else {
    for (std::size_t t = 0; t < model.tasks.size(); ++t) {
      double longest_s = 0.0;
      const TaskSpan& span = model.tasks[t];
      for (std::int32_t k = span.first; k < span.end; ++k) {
        double compute_s = 0.0;
        for (std::int32_t p = model.slots[z(k)].first; p < model.slots[z(k)].end; ++p)
          compute_s = std::max(compute_s, model.place_compute_s[z(p)]);
        longest_s += compute_s;
      }
      const std::int32_t first = model.slots[z(span.first)].first_in;
      for (std::int32_t i = first; i <= span.sink; ++i) {
        const std::size_t end =
            z(i) + 1 < model.ways.size() ? model.ways[z(i) + 1].seconds : model.seconds.size();
        double way_s = 0.0;
        for (std::size_t j = model.ways[z(i)].seconds; j < end; ++j)
          if (model.seconds[j] < kNone) way_s = std::max(way_s, model.seconds[j]);
        longest_s += way_s;
      }
      most += model.task_share[t] *
              std::min(longest_s, model.problem.deadline_limit_s(static_cast<std::int32_t>(t)));
    }
  }
  return equal_up_to(most);
}

Root::Root(const Problem& of, const Routes& by, const Aim& with, Hosts hosts)
    : problem(of), routes(by), aim(with), grain(exact::grain(of, with)) {
  build(hosts);
  at = dual->start(state);
}

void Root::build(const Hosts& hosts) {
  rounding.reset();
  propagation.reset();
  if (dual) bounds_ += dual->bounds();
  dual.reset();
  model = std::make_unique<Model>(problem, routes, hosts);
  dual = std::make_unique<Dual>(*model, aim);
  propagation = std::make_unique<Propagation>(*model, aim);
  rounding = std::make_unique<Rounding>(*model, aim);
  state = root_state(*model);
}

Hosts Root::hosts() const { return hosts_of(*model, state.alive); }

void Root::shrink() {
  const State old = state;
  const Multipliers before = std::move(at);
  std::vector<std::int32_t> kept;
  for (std::size_t p = 0; p < old.alive.size(); ++p)
    if (old.alive[p] != 0) kept.push_back(static_cast<std::int32_t>(p));
  std::vector<std::pair<std::int32_t, std::int32_t>> in;
  for (std::size_t h = 0; h < old.host.size(); ++h)
    if (old.host[h] == Choice::in) in.emplace_back(model->hosts[h].service, model->hosts[h].node);
  build(hosts());
  at = before;
  at.place.clear();
  at.toward.place.clear();
  for (const std::int32_t p : kept) {
    at.place.push_back(before.place[z(p)]);
    at.toward.place.push_back(before.toward.place[z(p)]);
  }
  state.task = old.task;
  state.single = old.single;
  state.least = old.least;
  for (const auto& [service, node] : in)
    for (const std::int32_t h : model->service_hosts[z(service)])
      if (model->hosts[z(h)].node == node) state.host[z(h)] = Choice::in;
}

bool Root::conclude(double upper) {
  if (!propagation->run(state, upper)) return false;
  raise_counts(*model, state);
  return propagation->run(state, upper);
}

double Root::upper(const Incumbent& incumbent, bool strictly_better) const {
  const double wanted = std::min(wanted_up_to(incumbent.of(aim), grain, strictly_better), equal_up_to(known));
  return wanted < kNone ? wanted : ceiling_of(*model, aim, state);
}

bool Root::tighten(std::int32_t steps, Incumbent& incumbent, bool strictly_better, core::StopToken& stop) {
  if (!conclude(std::min(wanted_up_to(incumbent.of(aim), grain, strictly_better), equal_up_to(known))))
    return false;
  if (!aim.counts_delay() && bounds_ == 0 && dual->bounds() == 0) at = dual->start(state);
  while (true) {
    const double limit = upper(incumbent, strictly_better);
    if (!conclude(limit)) return false;
    const double before = bound_;
    const double target = incumbent.exists() || !(bound_ > 0.0) ? limit : std::min(limit, kAhead * bound_);
    const std::int32_t now = std::min(steps, kStepsAtOnce);
    bound_ = std::max(bound_, dual->improve(state, propagation->times(), at, target, limit, now, stop));
    steps -= now;
    if (bound_ > limit) return false;
    for (std::int32_t i = 0; i < kRoundings && !stop.should_stop(model->seconds.size()); ++i)
      rounding->run(state, propagation->times(), at, random, incumbent);
    const double next = upper(incumbent, strictly_better);
    const std::int32_t fixed = dual->fix(state, propagation->times(), at, next);
    if (fixed < 0 || !conclude(next)) return false;
    std::size_t alive = 0;
    for (const std::uint8_t a : state.alive) alive += a;
    const bool smaller = static_cast<double>(alive) < kShrunk * static_cast<double>(state.alive.size());
    if (smaller) {
      shrink();
      if (!conclude(next)) return false;
    }
    if (stop.should_stop(model->seconds.size()) || steps <= 0) break;
    if (!smaller && bound_ < before + kLittleGain * std::abs(bound_)) break;
  }
  return true;
}

}  // namespace constellm::services::exact
