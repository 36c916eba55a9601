#include "constellm/moe/pair_bound.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::moe {
using core::z;

std::vector<double> shares_beside_one(const Picks& picks, core::StopToken& stop) {
  const std::vector<std::int32_t> heaviest = picks.heaviest_first();
  const std::size_t n = heaviest.size();
  std::vector<double> share(n * (n - 1));
  std::vector<std::int32_t> order(n);
  std::vector<double> with(n);
  std::vector<double> without(n);
  for (const std::int32_t i : heaviest) {
    if (stop.should_stop(64 * n)) throw core::Stopped();
    order.clear();
    for (const std::int32_t e : heaviest)
      if (e != i) order.push_back(e);
    order.push_back(i);
    picks.farthest(order, without);  // all picks among the first j others, the j-th one of them
    std::rotate(order.begin(), order.end() - 1, order.end());
    picks.farthest(order, with);  // the same, where i may be one of them
    for (std::size_t j = 0; j + 1 < n; ++j)
      share[z(i) * (n - 1) + j] = std::max(with[j + 1] - without[j], 0.0);
  }
  return share;
}

std::vector<double> best_beside_s(const Problem& problem, const Layer& layer, std::size_t others,
                                  core::StopToken& stop) {
  const std::size_t n = layer.usable.size();
  std::vector<double> best(n * others, 0.0);
  std::vector<double> latency(n);
  std::vector<std::int32_t> order(n);
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    if (stop.should_stop(n * others / 32 + 1)) throw core::Stopped();
    for (std::size_t a = 0; a < n; ++a) {
      latency[a] = problem.latency_s(layer, t, layer.usable[a]);
      order[a] = static_cast<std::int32_t>(a);
    }
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(others + 1);
    std::partial_sort(order.begin(), end, order.end(),
                      [&](std::int32_t a, std::int32_t b) { return latency[z(a)] < latency[z(b)]; });
    for (std::size_t a = 0; a < n; ++a) {
      std::size_t j = 0;
      for (auto b = order.begin(); j < others; ++b) {
        if (z(*b) == a) continue;
        best[a * others + j] += std::max(latency[a], latency[z(*b)]);
        ++j;
      }
    }
  }
  for (double& value : best) value /= problem.slots();
  return best;
}

std::vector<double> pair_bound_s(const PairLayer& pairs, std::span<const double> shares,
                                 std::span<const double> best_beside_s, core::StopToken& stop) {
  const std::size_t experts = z(pairs.experts());
  const std::size_t n = pairs.size();
  const std::int32_t top_k = pairs.picks().top_k();
  std::vector<double> cost(experts * n);
  const std::size_t others = experts - 1;
  std::vector<double> by_mean(others);
  std::size_t before = 0;  // places of the same host
  for (std::size_t a = 0; a < n; ++a) {
    if (stop.should_stop(experts * others / 32 + 1)) throw core::Stopped();
    const auto place = static_cast<std::int32_t>(a);
    const std::int32_t* const nearest = pairs.nearest_to(place);
    for (std::size_t j = 0; j < others; ++j) by_mean[j] = pairs.near_s(place, nearest[j]);
    before = a > 0 && pairs.shared(place, place - 1) ? before + 1 : 0;
    const double charge_s = before < experts ? pairs.charge_s(place, before) : 0.0;
    for (std::size_t i = 0; i < experts; ++i) {
      double first = 0.0;
      double second = 0.0;
      for (std::size_t j = 0; j < others; ++j) {
        first += shares[i * others + j] * by_mean[j];
        if (!best_beside_s.empty()) second += shares[i * others + j] * best_beside_s[a * others + j];
      }
      cost[i * n + a] = std::max(first, second) / top_k + charge_s;
    }
  }
  return cost;
}

}  // namespace constellm::moe
