#include "constellm/moe/drift/costs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "constellm/core/index.hpp"
#include "constellm/moe/evaluate.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

DriftCosts::DriftCosts(const Drift& drift, std::span<const Group> windows)
    : drift_(&drift), windows_(windows), first_{0} {
  for (std::size_t l = 0; l < windows_[0].layers().size(); ++l) {
    const std::size_t experts = windows_[0].best()[l].size();
    first_.push_back(first_.back() + experts);
    layer_of_.insert(layer_of_.end(), experts, l);
  }
  gather_places();
  fill_linear();
  fill_moves();
}

void DriftCosts::gather_places() {
  place_of_.assign(drift_->windows[0]->satellites().size(), -1);
  for (std::size_t w = 0; w < windows(); ++w)
    for (const std::size_t l : windows_[w].layers())
      for (const std::int32_t s : drift_->windows[w]->layers()[l].usable) place_of_[z(s)] = 0;
  for (std::size_t s = 0; s < place_of_.size(); ++s) {
    if (place_of_[s] < 0) continue;
    place_of_[s] = static_cast<std::int32_t>(satellites_.size());
    satellites_.push_back(static_cast<std::int32_t>(s));
  }
}

void DriftCosts::fill_linear() {
  for (std::size_t w = 0; w < windows(); ++w) {
    std::vector<double>& linear_s = linear_s_.emplace_back(experts() * places(), kNever);
    for (std::size_t l = 0; l < layers(); ++l) {
      const Group::Costs& costs = windows_[w].costs()[l];
      const std::size_t n = costs.satellites.size();
      for (std::size_t i = 0; i < first_[l + 1] - first_[l]; ++i)
        for (std::size_t a = 0; a < n; ++a)
          linear_s[(first_[l] + i) * places() + z(place_of_[z(costs.satellites[a])])] =
              tokens(w) * costs.cost_s[i * n + a];
    }
  }
}

void DriftCosts::fill_moves() {
  if (drift_->moves.uniform()) {
    any_move_s_ = drift_->moves.any_s();
  } else {
    for (const std::int32_t from : satellites_)
      for (const std::int32_t to : satellites_) moves_s_.push_back(drift_->moves.between_s(from, to));
  }
  if (!drift_->start) return;
  for (const std::size_t l : windows_[0].layers())
    for (const std::int32_t from : (*drift_->start)[l])
      for (const std::int32_t to : satellites_) start_s_.push_back(drift_->moves.between_s(from, to));
}

bool DriftCosts::still() const { return moves_alike() && !std::isfinite(any_move_s_); }

double DriftCosts::layer_s(std::size_t w, std::size_t l, const Hosts& hosts) const {
  const std::size_t begin = first_[l];
  const std::size_t end = first_[l + 1];
  const std::int32_t top_k = drift_->windows[w]->top_k();
  double cost_s = 0.0;
  if (top_k == 1) {
    for (std::size_t i = begin; i < end; ++i) cost_s += linear_s_[w][i * places() + z(hosts[i])];
    return cost_s;
  }
  if (top_k == 2) {
    const PairLayer& pairs = windows_[w].pairs()[l];
    for (std::size_t i = begin; i < end; ++i) {
      const double* const mean_s = pairs.mean_row_s(pairs.place_of(satellites_[z(hosts[i])]));
      const double* const pair = pairs.pair_row(static_cast<std::int32_t>(i - begin));
      for (std::size_t j = begin; j < i; ++j)
        cost_s += pair[j - begin] * mean_s[pairs.place_of(satellites_[z(hosts[j])])];
    }
    return tokens(w) * cost_s;
  }
  thread_local std::vector<std::int32_t> satellites;
  satellites.clear();
  for (std::size_t i = begin; i < end; ++i) satellites.push_back(satellites_[z(hosts[i])]);
  return tokens(w) * layer_latency_s(*drift_->windows[w], windows_[w].layers()[l], satellites);
}

double DriftCosts::window_s(std::size_t w, const Hosts& hosts) const {
  double cost_s = 0.0;
  for (std::size_t l = 0; l < layers(); ++l) cost_s += layer_s(w, l, hosts);
  return cost_s;
}

bool DriftCosts::possible(std::size_t w, const Hosts& hosts) const {
  for (std::size_t i = 0; i < hosts.size(); ++i)
    if (!std::isfinite(linear_s_[w][i * places() + z(hosts[i])])) return false;
  return true;
}

double DriftCosts::cost_s(const HostsOverTime& hosts) const {
  double cost = 0.0;
  for (std::size_t w = 0; w < windows(); ++w) {
    if (!possible(w, hosts[w])) return kNever;
    cost += window_s(w, hosts[w]);
    for (std::size_t i = 0; i < experts(); ++i)
      cost += w == 0 ? first_move_s(i, hosts[0][i]) : move_s(hosts[w - 1][i], hosts[w][i]);
  }
  return cost;
}

void DriftCosts::cheapest_moves(std::span<const double> before_s, std::span<double> after_s,
                                bool backwards) const {
  if (moves_alike()) {
    const double least = *std::min_element(before_s.begin(), before_s.end()) + any_move_s_;
    for (std::size_t a = 0; a < before_s.size(); ++a) after_s[a] = std::min(before_s[a], least);
    return;
  }
  const std::size_t n = places();
  std::copy(before_s.begin(), before_s.end(), after_s.begin());
  for (std::size_t a = 0; a < n; ++a) {
    if (!std::isfinite(before_s[a])) continue;
    for (std::size_t b = 0; b < n; ++b)
      after_s[b] =
          std::min(after_s[b], before_s[a] + (backwards ? moves_s_[b * n + a] : moves_s_[a * n + b]));
  }
}

Hosts DriftCosts::hosts_of(const Placement& placement) const {
  Hosts hosts;
  for (const std::vector<std::int32_t>& layer : placement)
    for (const std::int32_t s : layer) hosts.push_back(place_of_[z(s)]);
  return hosts;
}

Placement DriftCosts::placement_of(const Hosts& hosts) const {
  Placement placement(layers());
  for (std::size_t i = 0; i < hosts.size(); ++i) placement[layer_of_[i]].push_back(satellites_[z(hosts[i])]);
  return placement;
}

}  // namespace constellm::moe
