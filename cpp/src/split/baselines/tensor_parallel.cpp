#include "constellm/split/baselines/tensor_parallel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "constellm/core/index.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/split/baselines/shortest_routes.hpp"

namespace constellm::split {
namespace {

using core::z;

using Nodes = std::vector<std::int32_t>;

constexpr double kSynchronisations = 4.0;  // a layer: before and after attention, before and after the MLP

std::vector<std::int32_t> links_along(const network::Topology& t, const Nodes& path) {
  std::vector<std::int32_t> links;
  for (std::size_t i = 0; i + 1 < path.size(); ++i)
    links.push_back(network::link_between(t, path[i], path[i + 1]));
  return links;
}

double transfer_s(const Problem& problem, const std::vector<std::int32_t>& links, double bytes) {
  double total_s = 0.0;
  for (const std::int32_t l : links)
    total_s += problem.hop_s(l, bytes) + problem.graph().columns().latency_s[z(l)];
  return total_s;
}

/// Shares proportional to speed below caps; empty where the caps sum up to less than one.
std::vector<double> capped_shares(const std::vector<double>& seconds, const std::vector<double>& caps) {
  const std::size_t n = seconds.size();
  std::vector<double> share(n, 0.0);
  std::vector<bool> full(n, false);
  double left = 1.0;
  while (true) {
    double speed = 0.0;
    for (std::size_t d = 0; d < n; ++d) speed += full[d] ? 0.0 : 1.0 / seconds[d];
    if (speed == 0.0) return left <= 0.0 ? share : std::vector<double>{};
    bool found = false;
    for (std::size_t d = 0; d < n; ++d) {
      if (full[d]) continue;
      share[d] = left / seconds[d] / speed;
      found = found || share[d] > caps[d];
    }
    if (!found) return share;
    double taken = 0.0;
    for (std::size_t d = 0; d < n; ++d) {
      if (full[d] || share[d] <= caps[d]) continue;
      share[d] = caps[d];
      taken += caps[d];
      full[d] = true;
    }
    left -= taken;
  }
}

/// Links from each host to the next, and from the last one back to the first.
std::vector<std::vector<std::int32_t>> ring_of(const network::Topology& t, const Nodes& path,
                                               const Nodes& hosts) {
  std::vector<std::vector<std::int32_t>> ring;
  for (std::size_t d = 0; d + 1 < hosts.size(); ++d) {
    const auto from = std::find(path.begin(), path.end(), hosts[d]);
    const auto to = std::find(from, path.end(), hosts[d + 1]);
    ring.push_back(links_along(t, Nodes(from, to + 1)));
  }
  ring.push_back(links_along(t, network::fewest_hops(t, hosts.back(), hosts.front())));
  return ring;
}

std::optional<TensorParallel> on_route(const Problem& problem, const Nodes& path) {
  const ProblemSpec& spec = problem.spec();
  const network::Topology& t = problem.topology();
  TensorParallel result;
  result.path = path;
  std::vector<double> seconds;
  std::vector<double> caps;
  double model_bytes = 0.0;
  for (const model::Layer& layer : spec.layers) model_bytes += layer.memory_bytes;
  for (const std::int32_t v : path) {
    if (!spec.network.nodes[z(v)].can_host()) continue;
    // Behind a one-way link to the ground there is no ring.
    if (!result.hosts.empty() && network::hops(t.in, result.hosts.front())[z(v)] < 0) continue;
    double model_s = 0.0;
    for (std::int32_t l = 0; l < problem.layer_count(); ++l) model_s += problem.layer_s(v, l);
    // A host that takes no time at all is as good as one that takes hardly any.
    seconds.push_back(std::max(model_s, 1e-30));
    caps.push_back(model_bytes > 0.0 ? problem.memory_limit_with_room(v) / model_bytes : 1.0);
    result.hosts.push_back(v);
  }
  if (result.hosts.empty()) return std::nullopt;
  result.share = capped_shares(seconds, caps);
  if (result.share.empty()) return std::nullopt;

  const auto devices = static_cast<double>(result.hosts.size());
  std::vector<std::vector<std::int32_t>> ring;
  if (result.hosts.size() > 1) ring = ring_of(t, path, result.hosts);
  double ring_links = 0.0;
  for (const auto& links : ring) ring_links += static_cast<double>(links.size());

  double bytes = 0.0;
  for (std::int32_t l = 0; l < problem.layer_count(); ++l) {
    double layer_s = 0.0;
    for (std::size_t d = 0; d < result.hosts.size(); ++d) {
      layer_s = std::max(layer_s, result.share[d] * problem.layer_s(result.hosts[d], l));
    }
    double activation = spec.layers[z(l)].output_bytes;
    if (l > 0) activation = std::max(activation, spec.layers[z(l) - 1].output_bytes);
    double step_s = 0.0;
    for (const auto& links : ring)
      step_s = std::max(step_s, transfer_s(problem, links, activation / devices));
    const double tile_s = layer_s / kSynchronisations / devices;
    result.compute_s += layer_s;
    result.group_s += kSynchronisations * (tile_s + (devices - 1.0) * std::max(tile_s, step_s));
    bytes += kSynchronisations * (devices - 1.0) * activation / devices * ring_links;
  }
  double overhead_s = 0.0;
  for (const std::int32_t v : result.hosts)
    overhead_s = std::max(overhead_s, spec.network.nodes[z(v)].overhead_s);
  result.group_s += overhead_s;

  const std::vector<std::int32_t> links = links_along(t, path);
  const auto input_hops = std::find(path.begin(), path.end(), result.hosts.back()) - path.begin();
  result.bottleneck_s = result.group_s;
  result.delay_s = result.group_s;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const bool input = static_cast<std::ptrdiff_t>(i) < input_hops;
    const double crossing = input ? spec.input_bytes : spec.layers.back().output_bytes;
    const double hop_s = problem.hop_s(links[i], crossing);
    result.delay_s += hop_s + problem.graph().columns().latency_s[z(links[i])];
    result.bottleneck_s = std::max(result.bottleneck_s, hop_s);
    bytes += crossing;
  }
  const auto micro_batches = static_cast<double>(spec.micro_batches);
  result.delay_s += (micro_batches - 1.0) * result.bottleneck_s;
  result.bytes = micro_batches * bytes;
  return result;
}

}  // namespace

std::optional<TensorParallel> tensor_parallel(const Problem& problem) {
  std::optional<TensorParallel> best;
  for (const Nodes& route : shortest_routes(problem)) {
    std::optional<TensorParallel> found = on_route(problem, route);
    if (found && (!best || found->delay_s < best->delay_s)) best = std::move(found);
  }
  return best;
}

}  // namespace constellm::split
