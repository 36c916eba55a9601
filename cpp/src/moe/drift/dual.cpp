#include "constellm/moe/drift/dual.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

DriftDual::DriftDual(const DriftCosts& costs)
    : costs_(&costs),
      charge_s_(costs.windows() * costs.experts() * costs.places(), 0.0),
      best_charge_s_(charge_s_),
      bound_s_(-kNever),
      window_bound_s_(costs.windows(), 0.0),
      arrived_s_(costs.places()),
      placed_(costs.windows(), Hosts(costs.experts())),
      walked_(placed_) {
  reached_s_.resize(costs.windows() * costs.places());
}

std::vector<double> DriftDual::charges_s(std::size_t w) const {
  const auto begin = best_charge_s_.begin() + static_cast<std::ptrdiff_t>(at(w, 0));
  return {begin, begin + static_cast<std::ptrdiff_t>(costs_->experts() * costs_->places())};
}

std::vector<double> DriftDual::detours_s() {
  const std::size_t places = costs_->places();
  const std::size_t windows = costs_->windows();
  std::vector<double> detour_s = best_charge_s_;
  std::vector<double> rest_s(places);
  std::vector<double> next_s(places);
  for (std::size_t i = 0; i < costs_->experts(); ++i) {
    const double least_s = walk(i, best_charge_s_);
    std::fill(rest_s.begin(), rest_s.end(), 0.0);  // what comes after a window, from each place
    for (std::size_t w = windows; w-- > 0;) {
      for (std::size_t a = 0; a < places; ++a) {
        const double through_s = reached_s_[w * places + a] + rest_s[a];
        detour_s[at(w, i) + a] += std::max(through_s - least_s, 0.0);
        const bool can = std::isfinite(costs_->linear_s(w)[i * places + a]);
        next_s[a] = can ? rest_s[a] - best_charge_s_[at(w, i) + a] : kNever;
      }
      costs_->cheapest_moves(next_s, rest_s, true);
    }
  }
  return detour_s;
}

/// The charges under which every window costs what the mean of those around it does: a guess to start from,
/// the better the less may move.
void DriftDual::level(std::size_t reach) {
  const std::size_t size = costs_->experts() * costs_->places();
  std::fill(charge_s_.begin(), charge_s_.end(), 0.0);
  for (std::size_t begin = 0; begin < costs_->windows(); begin += reach) {
    const std::size_t end = std::min(begin + reach, costs_->windows());
    for (std::size_t c = 0; c < size; ++c) {
      double sum = 0.0;
      for (std::size_t w = begin; w < end; ++w) sum += costs_->linear_s(w)[c];
      const double mean = sum / static_cast<double>(end - begin);
      if (!std::isfinite(mean)) continue;
      for (std::size_t w = begin; w < end; ++w) charge_s_[w * size + c] = mean - costs_->linear_s(w)[c];
    }
  }
}

/// The cheapest of one expert; leaves it in walked_ and what the places are reached for in reached_s_.
double DriftDual::walk(std::size_t expert, const std::vector<double>& charge_s) {
  const std::size_t places = costs_->places();
  const std::size_t windows = costs_->windows();
  for (std::size_t w = 0; w < windows; ++w) {
    double* const reached = &reached_s_[w * places];
    if (w > 0) costs_->cheapest_moves(std::span(reached_s_).subspan((w - 1) * places, places), arrived_s_);
    for (std::size_t a = 0; a < places; ++a) {
      const bool can = std::isfinite(costs_->linear_s(w)[expert * places + a]);
      const double from = w > 0 ? arrived_s_[a] : costs_->first_move_s(expert, static_cast<std::int32_t>(a));
      reached[a] = can ? from - charge_s[at(w, expert) + a] : kNever;
    }
  }
  const double* const last = &reached_s_[(windows - 1) * places];
  auto here = static_cast<std::int32_t>(std::min_element(last, last + places) - last);
  const double cost_s = last[here];
  walked_[windows - 1][expert] = here;
  for (std::size_t w = windows - 1; w-- > 0;) {
    const double* const reached = &reached_s_[w * places];
    std::int32_t from = here;
    double least = reached[here];
    for (std::size_t a = 0; a < places; ++a) {
      const double via = reached[a] + costs_->move_s(static_cast<std::int32_t>(a), here);
      if (via < least) {
        least = via;
        from = static_cast<std::int32_t>(a);
      }
    }
    here = walked_[w][expert] = from;
  }
  return cost_s;
}

/// What the window costs at least, charges paid; leaves a placement.
double DriftDual::place(std::size_t w, const std::vector<double>& charge_s) {
  const std::size_t size = costs_->experts() * costs_->places();
  const std::span<const double> charge = std::span(charge_s).subspan(w * size, size);
  if (search_) return search_(w, charge, placed_[w]);
  const std::vector<double>& linear_s = costs_->linear_s(w);
  priced_s_.resize(size);
  for (std::size_t c = 0; c < size; ++c) priced_s_[c] = linear_s[c] + charge[c];
  if (!assignment_.solve(costs_->experts(), costs_->places(), priced_s_)) return kNever;
  const std::span<const std::int32_t> found = assignment_.column_of_row();
  std::copy(found.begin(), found.end(), placed_[w].begin());
  return assignment_.value();
}

/// Of the charges at hand; kept where it is the best. Returns it.
double DriftDual::evaluate() {
  std::vector<double> windows_s;
  for (std::size_t w = 0; w < costs_->windows(); ++w) windows_s.push_back(place(w, charge_s_));
  double walks_s = 0.0;
  for (std::size_t i = 0; i < costs_->experts(); ++i) walks_s += walk(i, charge_s_);
  const double sum_s = std::accumulate(windows_s.begin(), windows_s.end(), walks_s);
  if (sum_s <= bound_s_) return sum_s;
  bound_s_ = sum_s;
  window_bound_s_ = std::move(windows_s);
  walks_s_ = walks_s;
  best_charge_s_ = charge_s_;
  return sum_s;
}

/// Of one evaluation, in the units of stop tokens.
std::uint64_t DriftDual::work() const {
  const std::size_t of_a_place = costs_->moves_alike() ? 1 : costs_->places() / 8 + 1;
  return costs_->windows() * costs_->experts() * (costs_->places() * of_a_place / 16 + 1);
}

void DriftDual::guess(core::StopToken& stop, const Offer& offer) {
  for (std::size_t reach = 1; reach < 2 * costs_->windows(); reach *= 2) {
    if (reach > 1 && stop.should_stop(work())) return;
    level(reach);
    evaluate();
    offer(placed_);
  }
}

/// Charges those who are where their walk is not, and pays the walk; the steps before go on for a part
/// (Camerini, Fratta and Maffioli, 1975). Returns whether there is anybody.
bool DriftDual::step(double missing_s) {
  constexpr double kGoOn = 0.8;
  std::size_t apart = 0;
  for (double& way : direction_) way *= kGoOn;
  for (std::size_t w = 0; w < costs_->windows(); ++w) {
    for (std::size_t i = 0; i < costs_->experts(); ++i) {
      if (placed_[w][i] == walked_[w][i]) continue;
      ++apart;
      direction_[at(w, i) + z(placed_[w][i])] += 1.0;
      direction_[at(w, i) + z(walked_[w][i])] -= 1.0;
    }
  }
  if (apart == 0) return false;
  double square = 0.0;
  for (const double way : direction_) square += way * way;
  const double stride_s = missing_s / square;
  for (std::size_t c = 0; c < direction_.size(); ++c) charge_s_[c] += stride_s * direction_[c];
  return true;
}

void DriftDual::raise(int steps, double best_s, core::StopToken& stop, const Offer& offer) {
  constexpr int kPatience = 20;
  constexpr double kEnough = 1e-12;
  constexpr double kShort = 0.01;  // steps that lead nowhere any more
  charge_s_ = best_charge_s_;
  direction_.assign(charge_s_.size(), 0.0);
  double length = 1.0;
  int without = 0;
  for (int i = 0; i < steps && length > kShort && bound_s_ < best_s * (1.0 - kEnough); ++i) {
    if (stop.should_stop(work())) return;
    const double before_s = bound_s_;
    const double sum_s = evaluate();
    best_s = offer(placed_);
    if (bound_s_ > before_s) {
      without = 0;
    } else if (++without == kPatience) {
      without = 0;
      length *= 0.7;
      charge_s_ = best_charge_s_;
      std::fill(direction_.begin(), direction_.end(), 0.0);
      continue;
    }
    if (!step(length * std::max(best_s - sum_s, 0.0))) return;
  }
}

}  // namespace constellm::moe
