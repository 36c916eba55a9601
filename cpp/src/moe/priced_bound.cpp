#include "constellm/moe/priced_bound.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
/// The part of a price that the pairs carry.
constexpr double kByPairs = 0.4;

}  // namespace

PricedBound::PricedBound(std::span<const PairLayer> layers, std::size_t satellites)
    : layers_(layers), price_s_(satellites, 0.0), used_(price_s_.size()), best_price_s_(price_s_) {
  for (const PairLayer& layer : layers_) {
    const auto n = static_cast<std::int32_t>(layer.size());
    std::vector<double> least_s(layer.size());
    for (std::int32_t a = 0; a < n; ++a) least_s[z(a)] = layer.mean_s(a, n > 1 ? *layer.nearest_to(a) : a);
    LayerTable& table = tables_.emplace_back();
    table.order.resize(layer.size());
    std::iota(table.order.begin(), table.order.end(), 0);
    std::stable_sort(table.order.begin(), table.order.end(),
                     [&](std::int32_t a, std::int32_t b) { return least_s[z(a)] < least_s[z(b)]; });
    for (const std::int32_t a : table.order) table.least_s.push_back(least_s[z(a)]);
    const std::vector<std::int32_t>& heaviest = layer.heaviest_first();
    table.farthest.resize(heaviest.size());
    layer.picks().farthest(heaviest, table.farthest);
    table.remaining = table.farthest;
    for (std::size_t j = table.remaining.size() - 1; j-- > 0;) table.remaining[j] += table.remaining[j + 1];
    table.least_pair = layer.pair(heaviest.back(), heaviest[heaviest.size() - 2]);
  }
}

/// Into near_s_: what the pairs of the at-th satellite with those before it cost beyond its least, the
/// smallest of them ascending.
void PricedBound::fill_near(std::size_t l, std::size_t at) {
  const PairLayer& layer = layers_[l];
  const LayerTable& table = tables_[l];
  const std::size_t others = table.farthest.size() - 1;
  const double share = kByPairs / static_cast<double>(others);
  const double* const mean_s = layer.mean_row_s(table.order[at]);
  near_s_.clear();
  for (std::size_t b = 0; b < at; ++b) {
    const std::int32_t place = table.order[b];
    near_s_.push_back(table.least_pair * (mean_s[place] - table.least_s[at]) +
                      share * price_s_[z(layer.satellites()[z(place)])]);
  }
  if (near_s_.size() > others) {
    std::nth_element(near_s_.begin(), near_s_.begin() + static_cast<std::ptrdiff_t>(others - 1),
                     near_s_.end());
    near_s_.resize(others);
  }
  std::sort(near_s_.begin(), near_s_.end());
}

/// The least that a layer costs for itself, prices paid; adds who is used to used_.
double PricedBound::cheapest(std::size_t l) {
  const LayerTable& table = tables_[l];
  const std::size_t experts = table.farthest.size();
  cost_s_.assign(experts + 1, kNever);
  cost_s_[0] = 0.0;
  taken_.clear();
  for (std::size_t at = 0; at < table.order.size(); ++at) {
    const double least_s = table.least_s[at];
    // A set with this or a later satellite costs at least what stands before it and, for the rest, this
    // least.
    bool done = cost_s_[experts] < kNever;
    for (std::size_t j = 0; done && j < experts; ++j)
      done = cost_s_[experts] <= cost_s_[j] + table.remaining[j] * least_s;
    if (done) break;
    const double price_s = price_s_[z(layers_[l].satellites()[z(table.order[at])])];
    fill_near(l, at);
    taken_.resize(taken_.size() + experts + 1, 0);
    char* const taken = &taken_[at * (experts + 1)];
    const std::size_t most = std::min(at + 1, experts);
    double near_s = 0.0;
    for (std::size_t m = 0; m + 1 < most; ++m) near_s += near_s_[m];
    for (std::size_t j = most; j > 0; --j) {
      const double in_pairs = static_cast<double>(j - 1) / static_cast<double>(experts - 1);
      const double own = price_s * (1.0 - kByPairs + kByPairs * in_pairs);
      const double here_s = cost_s_[j - 1] + table.farthest[j - 1] * least_s + own + near_s;
      if (here_s < cost_s_[j]) {
        cost_s_[j] = here_s;
        taken[j] = 1;
      }
      if (j > 1) near_s -= near_s_[j - 2];
    }
  }
  std::size_t j = experts;
  for (std::size_t at = taken_.size() / (experts + 1); at-- > 0 && j > 0;) {
    if (taken_[at * (experts + 1) + j] == 0) continue;
    ++used_[z(layers_[l].satellites()[z(table.order[at])])];
    --j;
  }
  return cost_s_[experts];
}

double PricedBound::raise(int steps, double best_s, core::StopToken& stop) {
  constexpr int kPatience = 20;
  double length = 1.0;
  int without = 0;
  for (int step = 0; step < steps; ++step) {
    if (stop.should_stop(1024 * layers_.size())) break;
    std::fill(used_.begin(), used_.end(), 0);
    double value_s = -std::accumulate(price_s_.begin(), price_s_.end(), 0.0);
    for (std::size_t l = 0; l < layers_.size(); ++l) value_s += cheapest(l);
    if (value_s > bound_s_) {
      bound_s_ = value_s;
      best_price_s_ = price_s_;
      without = 0;
    } else if (++without == kPatience) {
      without = 0;
      length *= 0.7;
      price_s_ = best_price_s_;
      continue;
    }
    double square = 0.0;
    for (std::size_t s = 0; s < used_.size(); ++s) {
      --used_[s];  // how many too many want it
      if (used_[s] > 0 || price_s_[s] > 0.0) square += used_[s] * used_[s];
    }
    if (square == 0.0) break;  // nobody wants what another has: the layers for themselves
    const double stride = length * std::max(best_s - value_s, 0.0) / square;
    for (std::size_t s = 0; s < used_.size(); ++s)
      price_s_[s] = std::max(0.0, price_s_[s] + stride * used_[s]);
  }
  return bound_s_;
}

}  // namespace constellm::moe
