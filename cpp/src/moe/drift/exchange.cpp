#include "constellm/moe/drift/exchange.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::int32_t kNobody = -1;

}  // namespace

DriftExchange::DriftExchange(const DriftCosts& costs, HostsOverTime hosts)
    : costs_(&costs),
      hosts_(std::move(hosts)),
      guest_(costs.windows(), std::vector<std::int32_t>(costs.places(), kNobody)),
      layer_s_(costs.windows(), std::vector<double>(costs.layers())),
      least_(1e-12 * costs.cost_s(hosts_)),
      change_s_(costs.windows()),
      from_changed_(2 * costs.windows()) {
  for (std::size_t w = 0; w < costs_->windows(); ++w) {
    for (std::size_t i = 0; i < hosts_[w].size(); ++i)
      guest_[w][z(hosts_[w][i])] = static_cast<std::int32_t>(i);
    for (std::size_t l = 0; l < costs_->layers(); ++l) layer_s_[w][l] = costs_->layer_s(w, l, hosts_[w]);
  }
}

/// Where the expert may be, the cheapest ones by its linear costs.
std::vector<std::int32_t> DriftExchange::near_places(std::size_t expert) const {
  constexpr std::size_t kNear = 64;
  std::vector<double> least_s(costs_->places(), kNever);
  for (std::size_t w = 0; w < costs_->windows(); ++w)
    for (std::size_t a = 0; a < least_s.size(); ++a)
      least_s[a] = std::min(least_s[a], costs_->linear_s(w)[expert * least_s.size() + a]);
  std::vector<std::int32_t> places(least_s.size());
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(),
                   [&](std::int32_t a, std::int32_t b) { return least_s[z(a)] < least_s[z(b)]; });
  std::size_t count = std::min(places.size(), std::max(kNear, 2 * hosts_[0].size() / costs_->layers()));
  while (count > 0 && !std::isfinite(least_s[z(places[count - 1])])) --count;
  places.resize(count);
  return places;
}

/// Into the state in which the expert is in the place and whoever was there in its old one.
void DriftExchange::apply(std::size_t w, std::size_t expert, std::int32_t place) {
  const std::int32_t from = hosts_[w][expert];
  const std::int32_t other = guest_[w][z(place)];
  hosts_[w][expert] = place;
  if (other != kNobody) hosts_[w][z(other)] = from;
  guest_[w][z(from)] = other;
  guest_[w][z(place)] = static_cast<std::int32_t>(expert);
}

/// What the window costs more then.
double DriftExchange::change_s(std::size_t w, std::size_t expert, std::int32_t place) {
  const std::int32_t from = hosts_[w][expert];
  if (from == place) return 0.0;
  const std::size_t places = costs_->places();
  const std::vector<double>& linear_s = costs_->linear_s(w);
  const std::int32_t other = guest_[w][z(place)];
  if (!std::isfinite(linear_s[expert * places + z(place)])) return kNever;
  if (other != kNobody && !std::isfinite(linear_s[z(other) * places + z(from)])) return kNever;
  hosts_[w][expert] = place;
  if (other != kNobody) hosts_[w][z(other)] = from;
  const std::size_t l = costs_->layer_of(expert);
  double more_s = costs_->layer_s(w, l, hosts_[w]) - layer_s_[w][l];
  if (other != kNobody && costs_->layer_of(z(other)) != l) {
    const std::size_t k = costs_->layer_of(z(other));
    more_s += costs_->layer_s(w, k, hosts_[w]) - layer_s_[w][k];
  }
  hosts_[w][expert] = from;
  if (other != kNobody) hosts_[w][z(other)] = place;
  return more_s;
}

std::int32_t DriftExchange::place_of(std::size_t w, std::int32_t expert, std::size_t changed,
                                     std::int32_t place, bool is_changed) const {
  const std::int32_t now = hosts_[w][z(expert)];
  if (!is_changed) return now;
  if (z(expert) == changed) return place;
  return now == place ? hosts_[w][changed] : now;
}

/// What moving into window w costs those that the change concerns, by whether it is made before and there.
double DriftExchange::moves_s(std::size_t w, std::size_t expert, std::int32_t place, bool before,
                              bool here) const {
  const auto own = static_cast<std::int32_t>(expert);
  const std::int32_t earlier = w > 0 ? guest_[w - 1][z(place)] : kNobody;
  const std::int32_t later = guest_[w][z(place)];
  const std::array<std::int32_t, 3> concerned{own, earlier == own ? kNobody : earlier,
                                              later == own || later == earlier ? kNobody : later};
  double sum_s = 0.0;
  for (const std::int32_t e : concerned) {
    if (e == kNobody) continue;
    const std::int32_t to = place_of(w, e, expert, place, here);
    sum_s += w == 0 ? costs_->first_move_s(z(e), to)
                    : costs_->move_s(place_of(w - 1, e, expert, place, before), to);
  }
  return sum_s;
}

bool DriftExchange::try_change(std::size_t expert, std::int32_t place) {
  const std::size_t windows = costs_->windows();
  bool any = false;
  for (std::size_t w = 0; w < windows; ++w) {
    change_s_[w] = change_s(w, expert, place);
    any = any || (hosts_[w][expert] != place && std::isfinite(change_s_[w]));
  }
  if (!any) return false;
  // Costs up to a window that ends unchanged and changed, and of no change at all.
  std::array<double, 2> cost_s{};
  double now_s = 0.0;
  for (std::size_t w = 0; w < windows; ++w) {
    std::array<double, 2> next_s{};
    for (const bool here : {false, true}) {
      double least = kNever;
      for (const bool before : {false, true}) {
        if (w == 0 && before) continue;
        const double via = cost_s[before ? 1 : 0] + moves_s(w, expert, place, before, here);
        if (before && !(via < least)) continue;
        least = via;
        from_changed_[2 * w + (here ? 1 : 0)] = before ? 1 : 0;
      }
      next_s[here ? 1 : 0] = least + (here ? change_s_[w] : 0.0);
    }
    now_s += moves_s(w, expert, place, false, false);
    cost_s = next_s;
  }
  bool changed = cost_s[1] < cost_s[0];
  if (!(std::min(cost_s[0], cost_s[1]) < now_s - least_)) return false;
  for (std::size_t w = windows; w-- > 0;) {
    const bool before = from_changed_[2 * w + (changed ? 1 : 0)] != 0;
    if (changed && hosts_[w][expert] != place) {
      apply(w, expert, place);
      for (std::size_t l = 0; l < costs_->layers(); ++l) layer_s_[w][l] = costs_->layer_s(w, l, hosts_[w]);
    }
    changed = before;
  }
  return true;
}

void DriftExchange::descend(core::StopToken& stop) {
  std::vector<std::vector<std::int32_t>> places;
  for (std::size_t i = 0; i < costs_->experts(); ++i) places.push_back(near_places(i));
  bool found = true;
  while (found) {
    found = false;
    const double before_s = costs_->cost_s(hosts_);
    for (std::size_t i = 0; i < costs_->experts(); ++i) {
      for (const std::int32_t a : places[i]) {
        if (stop.should_stop(costs_->windows())) return;
        found = try_change(i, a) || found;
      }
    }
    found = found && costs_->cost_s(hosts_) < before_s - least_;  // what gains is no rounding
  }
}

}  // namespace constellm::moe
