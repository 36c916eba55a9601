#include "constellm/moe/sorted.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

std::optional<Placement> sorted_placement(const Problem& problem, std::span<const std::size_t> layers) {
  std::vector<char> used(problem.satellites().size(), 0);
  std::vector<double> sum_s(used.size());
  Placement placement;
  for (const std::size_t l : layers) {
    const Layer& layer = problem.layers()[l];
    std::vector<std::int32_t> near;
    for (const std::int32_t s : layer.usable) {
      if (used[z(s)] != 0) continue;
      sum_s[z(s)] = 0.0;
      for (std::int32_t t = 0; t < problem.slots(); ++t) sum_s[z(s)] += problem.latency_s(layer, t, s);
      near.push_back(s);
    }
    std::stable_sort(near.begin(), near.end(),
                     [&](std::int32_t a, std::int32_t b) { return sum_s[z(a)] < sum_s[z(b)]; });
    const std::vector<std::int32_t> order = layer.picks.heaviest_first();
    if (near.size() < order.size()) return std::nullopt;
    placement.emplace_back(order.size(), -1);
    for (std::size_t j = 0; j < order.size(); ++j) {
      placement.back()[z(order[j])] = near[j];
      used[z(near[j])] = 1;
    }
  }
  return placement;
}

}  // namespace constellm::moe
