#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"
#include "constellm/services/exact/dual.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// Relative: sums in another order differ by less.
constexpr double kRounding = 1e-12;

constexpr double kShareRate = 0.02;
constexpr std::int32_t kQuickSharpenings = 5;

}  // namespace

/// What the places that the task took last cost now; infinite where they are no choice.
double Dual::known(const State& state, std::int32_t task, const PathPrices& prices) {
  const TaskSpan& span = model_.tasks[z(task)];
  double value = 0.0;
  for (std::int32_t k = span.first; k < span.end; ++k) {
    const std::int32_t p = places_[z(k)];
    if (p < 0 || state.alive[z(p)] == 0) return kNone;
    value += prices.place[p];
  }
  const double delay_s = schedule(model_, task, places_.data() + span.first, end_s_, last_way_);
  if (!(delay_s <= model_.problem.deadline_limit_s(task))) return kNone;
  return value + prices.second * delay_s;
}

/// The task's places and their value; by sums where these are right, else by labels.
double Dual::task(const State& state, const Times& times, const Multipliers& at, std::int32_t t) {
  const PathPrices prices{at.place.data(), at.share.data(), seconds_price(at, t)};
  std::int32_t* places = places_.data() + model_.tasks[z(t)].first;
  double enough = known(state, t, prices);
  const double value = paths_.solve(state, times, t, prices);
  if (!(value < kNone)) return kNone;
  before_.assign(places, places + (model_.tasks[z(t)].end - model_.tasks[z(t)].first));
  paths_.choose(t, prices, places);
  delay_s_[z(t)] = schedule(model_, t, places, end_s_, last_way_);
  if ((!labels_.joins(t) || prices.second == 0.0) && delay_s_[z(t)] <= model_.problem.deadline_limit_s(t))
    return value;
  const double goal = enough < kNone ? enough : value + 0.1 * std::abs(value);
  const Sharp sharp = sharpen(state, times, at, t, goal, kQuickSharpenings);
  const bool still_known = enough <= sharp.known;
  enough = std::min(enough, sharp.known);
  const double exact = labels_.solve(state, times, t, prices, paths_, enough, sharp.late, places);
  if (!(exact < kNone)) {  // too many labels, or rounding: then the bound by sums
    if (labels_.complete() && !(enough < kNone)) return kNone;
    if (still_known && enough < kNone) std::copy(before_.begin(), before_.end(), places);
    return std::max(value, std::min(sharp.value, enough));
  }
  delay_s_[z(t)] = schedule(model_, t, places, end_s_, last_way_);
  return exact;
}

double Dual::tasks(const State& state, const Times& times, const Multipliers& at) {
  double sum = 0.0;
  for (std::int32_t t = 0; z(t) < model_.tasks.size(); ++t) {
    const double reject = reject_price(at, t);
    chosen_[z(t)] = 0;
    delay_s_[z(t)] = 0.0;
    task_value_[z(t)] = reject;
    if (state.task[z(t)] != Choice::out) {
      const double value = task(state, times, at, t);
      if (state.task[z(t)] == Choice::in || value < reject) {
        task_value_[z(t)] = value;
        if (!(value < kNone)) return kNone;
        chosen_[z(t)] = 1;
      }
    }
    sum += task_value_[z(t)];
    magnitude_ += std::abs(task_value_[z(t)]);
  }
  return sum;
}

/// Weights of ways go to those that came last: fictitious play of who wants the longest way.
void Dual::follow_delay(std::int32_t task, std::vector<double>& share, double rate) const {
  for (std::int32_t k = model_.tasks[z(task)].first; k < model_.tasks[z(task)].end; ++k) {
    const Slot& slot = model_.slots[z(k)];
    if (slot.end_in - slot.first_in < 2) continue;
    for (std::int32_t i = slot.first_in; i < slot.end_in; ++i)
      share[z(i)] += rate * ((last_way_[z(k)] == i ? 1.0 : 0.0) - share[z(i)]);
  }
}

void Dual::follow_delays(Multipliers& at) {
  for (std::int32_t t = 0; z(t) < model_.tasks.size(); ++t) {
    if (chosen_[z(t)] == 0 || !labels_.joins(t)) continue;
    schedule(model_, t, places_.data() + model_.tasks[z(t)].first, end_s_, last_way_);
    follow_delay(t, at.share, kShareRate);
  }
}

/// The best weights of ways and price of lateness that some steps find, towards a value that is aimed at.
/// Leaves the bounds with each place by them in `paths_` and `through_`, from which the price of lateness is
/// to be taken.
Dual::Sharp Dual::sharpen(const State& state, const Times& times, const Multipliers& at, std::int32_t t,
                          double goal, std::int32_t steps) {
  const TaskSpan& span = model_.tasks[z(t)];
  const double deadline_s = model_.problem.deadline_limit_s(t);
  const bool limited = deadline_s < kNone;
  const double second = seconds_price(at, t);
  share_ = at.share;
  best_share_ = at.share;
  Sharp best;
  best.value = -kNone;
  double late = limited ? late_[z(t)] : 0.0;
  sharp_.assign(z(span.end - span.first), -1);
  for (std::int32_t i = 0; i < steps; ++i) {
    const PathPrices prices{at.place.data(), share_.data(), second + (limited ? late / deadline_s : 0.0)};
    const double value = paths_.solve(state, times, t, prices) - late;
    if (value > best.value) {
      best.value = value;
      best.late = late;
      best_share_ = share_;
    }
    if (!(value < kNone) || value >= goal - kRounding * std::abs(goal)) break;
    paths_.choose(t, prices, sharp_.data());
    const double delay_s = schedule(model_, t, sharp_.data(), end_s_, last_way_);
    if (delay_s <= deadline_s && delay_s < kNone) {
      double sum = second * delay_s;
      for (const std::int32_t p : sharp_) sum += at.place[z(p)];
      best.known = std::min(best.known, sum);
    }
    follow_delay(t, share_, 1.0 / (2.0 + static_cast<double>(i)));
    if (!limited && !labels_.joins(t)) break;
    const double excess = limited && delay_s < kNone ? delay_s / deadline_s - 1.0 : 0.0;
    if (std::abs(excess) > 1e-9) late = std::max(0.0, late + (std::min(goal, best.known) - value) / excess);
  }
  late_[z(t)] = best.late;
  const PathPrices prices{at.place.data(), best_share_.data(),
                          second + (limited ? best.late / deadline_s : 0.0)};
  paths_.solve(state, times, t, prices);
  paths_.through(t, prices, through_);
  return best;
}

}  // namespace constellm::services::exact
