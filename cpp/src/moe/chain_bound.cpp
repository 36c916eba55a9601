#include "constellm/moe/chain_bound.hpp"

#include <algorithm>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

std::vector<std::int32_t> nearest_satellites(const Chain& chain) {
  const std::size_t satellites = chain.satellites();
  std::vector<std::int32_t> nearest(satellites * satellites);
  std::vector<double> away_s(satellites);
  for (std::size_t a = 0; a < satellites; ++a) {
    std::int32_t* const row = &nearest[a * satellites];
    std::iota(row, row + satellites, 0);
    for (std::size_t b = 0; b < satellites; ++b)
      away_s[b] = chain.nearer_s(static_cast<std::int32_t>(a), static_cast<std::int32_t>(b));
    std::sort(row, row + satellites, [&](std::int32_t b, std::int32_t c) {
      return away_s[z(b)] < away_s[z(c)] || (away_s[z(b)] == away_s[z(c)] && b < c);
    });
  }
  return nearest;
}

ChainBound::ChainBound(const Chain& chain) : chain_(chain), first_{0} {
  const std::size_t experts = chain.experts();
  for (std::size_t e = 0; e < experts; ++e) {
    std::size_t partners = 0;
    for (const Chain::Side& side : chain.sides_of(static_cast<std::int32_t>(e)))
      partners += side.affinity.size();
    first_.push_back(first_.back() + partners);
    most_partners_ = std::max(most_partners_, partners);
  }
  for (std::int32_t e = 0; z(e) < experts; ++e) {
    const std::size_t in_layer = z(e - chain.first(chain.layer_of(e)));
    for (const Chain::Side& side : chain.sides_of(e)) {
      for (std::size_t j = 0; j < side.affinity.size(); ++j) {
        // Partners of the next layer come first; this layer is the next one of those before.
        const std::int32_t partner = side.first + static_cast<std::int32_t>(j);
        const Chain::Sides its = chain.sides_of(partner);
        const std::size_t skipped = side.onward && its.count == 2 ? its.side[0].affinity.size() : 0;
        partners_.push_back({partner, first_[z(partner)] + skipped + in_layer, side.affinity[j]});
        charge_.push_back(0.5 * side.affinity[j]);
      }
    }
  }
  order_.resize(partners_.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  away_s_.resize(partners_.size());

  const std::size_t satellites = chain.satellites();
  const std::vector<std::int32_t> nearest = nearest_satellites(chain);
  const std::size_t of_place = partners_of_place(chain);
  near_s_.reserve(satellites * most_partners_);
  for (std::int32_t a = 0; z(a) < satellites; ++a) {
    const std::size_t end = near_s_.size() + most_partners_;
    for (std::size_t n = 0; n < satellites && near_s_.size() < end; ++n) {
      const std::int32_t b = nearest[z(a) * satellites + n];
      const std::size_t places = z(std::max(chain.places()[z(b)] - (b == a ? 1 : 0), 0)) * of_place;
      near_s_.insert(near_s_.end(), std::min(places, end - near_s_.size()), chain.nearer_s(a, b));
    }
  }
}

void ChainBound::fill_costs(core::StopToken& stop) {
  const std::size_t satellites = chain_.satellites();
  cost_s_.resize(chain_.experts() * satellites);
  for (std::int32_t e = 0; z(e) < chain_.experts(); ++e) {
    const std::size_t first = first_[z(e)];
    const std::size_t end = first_[z(e) + 1];
    const auto at = [&](std::size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::sort(at(first), at(end), [&](std::size_t p, std::size_t q) {
      return charge_[p] > charge_[q] || (charge_[p] == charge_[q] && p < q);
    });
    thread_local std::vector<double> falling;
    falling.clear();
    for (std::size_t k = first; k < end && charge_[order_[k]] > 0.0; ++k)
      falling.push_back(charge_[order_[k]]);
    if (stop.should_stop(falling.size() * satellites / 64 + 1)) throw core::Stopped();
    for (std::size_t a = 0; a < satellites; ++a) {
      const double* const near_s = &near_s_[a * most_partners_];
      double sum[4] = {};
      std::size_t k = 0;
      for (; k + 4 <= falling.size(); k += 4)
        for (std::size_t u = 0; u < 4; ++u) sum[u] += falling[k + u] * near_s[k + u];
      for (; k < falling.size(); ++k) sum[0] += falling[k] * near_s[k];
      cost_s_[z(e) * satellites + a] =
          chain_.compute_s(e, static_cast<std::int32_t>(a)) + ((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
  }
}

/// What the charges give at the prices of the first assignment, each expert where it costs least.
double ChainBound::value_at_prices() {
  const std::size_t satellites = chain_.satellites();
  const std::span<const double> price_s = transport_.column_prices();
  double value_s = 0.0;
  for (std::size_t s = 0; s < satellites; ++s) value_s += chain_.places()[s] * price_s[s];
  for (std::size_t e = 0; e < cheapest_.size(); ++e) {
    const double* const cost_s = &cost_s_[e * satellites];
    std::size_t least = 0;
    for (std::size_t s = 1; s < satellites; ++s)
      if (cost_s[s] - price_s[s] < cost_s[least] - price_s[least]) least = s;
    value_s += cost_s[least] - price_s[least];
    cheapest_[e] = static_cast<std::int32_t>(least);
  }
  return value_s;
}

/// Charges go towards the end at which the other is farther; false where every pair is as far from both.
bool ChainBound::step(double length_s) {
  for (std::size_t e = 0; e < chain_.experts(); ++e) {
    const double* const near_s = &near_s_[z(cheapest_[e]) * most_partners_];
    for (std::size_t k = first_[e]; k < first_[e + 1]; ++k) away_s_[order_[k]] = near_s[k - first_[e]];
  }
  double squares = 0.0;
  for (std::size_t p = 0; p < partners_.size(); ++p) {
    const double slope_s = away_s_[p] - away_s_[partners_[p].mirror];
    const bool stuck = slope_s > 0.0 ? charge_[p] >= partners_[p].affinity : charge_[p] <= 0.0;
    if (!stuck) squares += 0.5 * slope_s * slope_s;
  }
  if (squares == 0.0) return false;
  for (std::size_t p = 0; p < partners_.size(); ++p) {
    const std::size_t mirror = partners_[p].mirror;
    if (mirror < p) continue;
    const double affinity = partners_[p].affinity;
    charge_[p] = std::clamp(charge_[p] + length_s / squares * (away_s_[p] - away_s_[mirror]), 0.0, affinity);
    charge_[mirror] = affinity - charge_[p];
  }
  return true;
}

void ChainBound::start(core::StopToken& stop) {
  try {
    fill_costs(stop);
    transport_.solve(chain_.experts(), chain_.places(), cost_s_, stop);
  } catch (const core::Stopped&) {
    return;
  }
  hosts_.assign(transport_.column_of_row().begin(), transport_.column_of_row().end());
  cheapest_ = hosts_;
  bound_s_ = transport_.value();
}

void ChainBound::raise(int steps, double best_s, core::StopToken& stop) {
  if (hosts_.empty()) return;
  constexpr int kPatience = 3;
  double part = 0.2;  // of what is left to the placement: how much a step aims to close
  int idle = 0;
  std::vector<double> best_charge = charge_;
  try {
    for (int i = 0; i < steps && bound_s_ < best_s; ++i) {
      if (!step(part * (best_s - bound_s_))) break;
      fill_costs(stop);
      if (const double value_s = value_at_prices(); value_s > bound_s_) {
        bound_s_ = value_s;
        best_charge = charge_;
        idle = 0;
      } else if (++idle == kPatience) {  // too far: less far from the best again
        part *= 0.5;
        idle = 0;
        charge_ = best_charge;
        fill_costs(stop);
        value_at_prices();
      }
    }
    charge_ = best_charge;
    fill_costs(stop);
    transport_.solve(chain_.experts(), chain_.places(), cost_s_, stop);
    bound_s_ = std::max(bound_s_, transport_.value());
  } catch (const core::Stopped&) {
    charge_ = best_charge;
  }
}

std::vector<std::vector<ChainBound::Charge>> ChainBound::charges() const {
  std::vector<std::vector<Charge>> found(chain_.experts());
  for (std::size_t e = 0; e < found.size(); ++e) {
    for (std::size_t p = first_[e]; p < first_[e + 1]; ++p)
      if (charge_[p] > 0.0) found[e].push_back({partners_[p].expert, charge_[p]});
    std::stable_sort(found[e].begin(), found[e].end(),
                     [](const Charge& a, const Charge& b) { return a.affinity > b.affinity; });
  }
  return found;
}

}  // namespace constellm::moe
