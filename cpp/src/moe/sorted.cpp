#include "constellm/moe/sorted.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

std::vector<double> means_s(const Problem& problem, const Layer& layer) {
  std::vector<double> mean_s(problem.satellites().size(), 0.0);
  for (std::int32_t t = 0; t < problem.slots(); ++t)
    for (const std::int32_t s : layer.usable) mean_s[z(s)] += problem.latency_s(layer, t, s);
  for (double& value : mean_s) value /= problem.slots();
  return mean_s;
}

std::optional<Placement> sorted_placement(const Problem& problem, std::span<const std::size_t> layers) {
  std::vector<char> used(problem.satellites().size(), 0);
  Placement placement;
  for (const std::size_t l : layers) {
    const Layer& layer = problem.layers()[l];
    const std::vector<double> mean_s = means_s(problem, layer);
    std::vector<std::int32_t> near;
    for (const std::int32_t s : layer.usable)
      if (used[z(s)] == 0) near.push_back(s);
    std::stable_sort(near.begin(), near.end(),
                     [&](std::int32_t a, std::int32_t b) { return mean_s[z(a)] < mean_s[z(b)]; });
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

double mean_bound_s(const Problem& problem, const Layer& layer) {
  const std::vector<double> mean_s = means_s(problem, layer);
  std::vector<double> nearest;
  for (const std::int32_t s : layer.usable) nearest.push_back(mean_s[z(s)]);
  std::sort(nearest.begin(), nearest.end());
  const std::vector<std::int32_t> order = layer.picks.heaviest_first();
  std::vector<double> farthest(order.size());
  layer.picks.farthest(order, farthest);
  double bound_s = 0.0;
  for (std::size_t j = 0; j < order.size(); ++j) bound_s += farthest[j] * nearest[j];
  return bound_s;
}

}  // namespace constellm::moe
