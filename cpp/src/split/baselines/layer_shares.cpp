#include "constellm/split/baselines/layer_shares.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "constellm/core/index.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/split/baselines/shortest_routes.hpp"
#include "constellm/split/evaluate.hpp"
#include "constellm/split/solve.hpp"

namespace constellm::split {
namespace {

using core::z;

using Nodes = std::vector<std::int32_t>;
using Weights = std::vector<double> (*)(const Problem& problem, const Nodes& hosts);

std::vector<double> equal_weights(const Problem&, const Nodes& hosts) {
  return std::vector<double>(hosts.size(), 1.0);
}

/// Models a second.
std::vector<double> speeds(const Problem& problem, const Nodes& hosts) {
  std::vector<double> speed;
  for (const std::int32_t v : hosts) {
    double model_s = 0.0;
    for (std::int32_t l = 0; l < problem.layer_count(); ++l) model_s += problem.layer_s(v, l);
    speed.push_back(1.0 / model_s);
  }
  return speed;
}

template <class T>
void pick_layers(std::optional<std::vector<T>>& values, const std::vector<StageChoice>& blocks) {
  if (!values) return;
  std::vector<T> picked;
  for (const StageChoice& b : blocks) picked.push_back((*values)[z(b.last_layer)]);
  values = std::move(picked);
}

/// What a problem has beside layers, nodes and links. A network of thousands is copied once for all routes.
ProblemSpec without_lists(const Problem& problem) {
  ProblemSpec spec = problem.spec();
  spec.layers.clear();
  spec.network.nodes.clear();
  spec.network.links.clear();
  return spec;
}

/// The problem in which only codecs are to be chosen: the route's nodes, and a layer for each block.
Problem codec_question(const Problem& problem, const ProblemSpec& beside, const Nodes& route,
                       const std::vector<StageChoice>& blocks) {
  const ProblemSpec& whole = problem.spec();
  ProblemSpec spec = beside;
  for (const StageChoice& b : blocks) {
    model::Layer layer = whole.layers[z(b.last_layer)];
    layer.memory_bytes = 0.0;  // the blocks fit
    spec.layers.push_back(std::move(layer));
  }
  for (std::size_t i = 0; i < route.size(); ++i) {
    network::Node node = whole.network.nodes[z(route[i])];
    const auto hosted =
        std::find_if(blocks.begin(), blocks.end(), [&](const StageChoice& b) { return b.node == route[i]; });
    node.flop_per_s = 0.0;
    node.layer_time_s.reset();
    if (hosted != blocks.end()) {
      double block_s = 0.0;
      for (std::int32_t l = hosted->first_layer; l <= hosted->last_layer; ++l)
        block_s += problem.layer_s(route[i], l);
      node.layer_time_s = std::vector<double>(blocks.size(), block_s);
    }
    spec.network.nodes.push_back(std::move(node));
    if (i == 0) continue;
    const std::int32_t link = network::link_between(problem.topology(), route[i - 1], route[i]);
    spec.network.links.push_back(whole.network.links[z(link)]);
  }
  for (codec::Codec& codec : spec.codecs) {
    pick_layers(codec.layer_ratio, blocks);
    pick_layers(codec.layer_error, blocks);
  }
  return Problem(std::move(spec));
}

/// Block i, a layer of the question, runs at its own host only.
HostMask own_hosts(const Nodes& route, const std::vector<StageChoice>& blocks) {
  HostMask allowed(route.size() * blocks.size(), 0);
  for (std::size_t v = 0; v < route.size(); ++v) {
    for (std::size_t i = 0; i < blocks.size(); ++i)
      allowed[v * blocks.size() + i] = blocks[i].node == route[v] ? 1 : 0;
  }
  return allowed;
}

/// The best codecs for blocks that stand, within all limits.
std::optional<Assignment> with_best_codecs(const Problem& problem, const ProblemSpec& beside,
                                           const Nodes& route, std::vector<StageChoice> blocks,
                                           core::StopToken& stop, search::Workspace& workspace) {
  SolveOptions options;
  options.compile.allowed = own_hosts(route, blocks);
  const Plan plan = solve(codec_question(problem, beside, route, blocks), options, stop, workspace);
  if (!plan.assignment) return std::nullopt;
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].codec = plan.assignment->stages[i].codec;
  return Assignment{route, std::move(blocks)};
}

std::optional<Assignment> by_weight(const Problem& problem, Weights weights, core::StopToken& stop,
                                    search::Workspace& workspace) {
  std::optional<Assignment> best;
  double least_s = std::numeric_limits<double>::infinity();
  Evaluation evaluation;
  const ProblemSpec beside = without_lists(problem);
  for (const Nodes& route : shortest_routes(problem)) {
    Nodes hosts;
    for (const std::int32_t v : route) {
      if (problem.spec().network.nodes[z(v)].can_host()) hosts.push_back(v);
    }
    if (hosts.empty()) continue;
    const std::vector<std::int32_t> sizes =
        nearest_sizes(problem, hosts, shared_out(problem.layer_count(), weights(problem, hosts)), stop);
    if (sizes.empty()) continue;
    std::vector<StageChoice> blocks;
    std::int32_t done = 0;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      if (sizes[i] > 0) blocks.push_back({hosts[i], done, done + sizes[i] - 1, kNoCodec});
      done += sizes[i];
    }
    std::optional<Assignment> plan =
        with_best_codecs(problem, beside, route, std::move(blocks), stop, workspace);
    if (!plan) continue;
    evaluate_into(problem, *plan, evaluation);
    const double value_s = objective_s(problem, evaluation);
    if (value_s < least_s) {
      least_s = value_s;
      best = std::move(plan);
    }
  }
  return best;
}

}  // namespace

std::vector<std::int32_t> shared_out(std::int32_t count, const std::vector<double>& weights) {
  std::vector<double> w = weights;
  if (std::any_of(w.begin(), w.end(), [](double x) { return std::isinf(x); })) {
    for (double& x : w) x = std::isinf(x) ? 1.0 : 0.0;
  }
  const double total = std::accumulate(w.begin(), w.end(), 0.0);
  std::vector<std::int32_t> shares;
  std::vector<double> remainder;
  std::int32_t left = count;
  for (const double x : w) {
    const double exact = static_cast<double>(count) * (x / total);
    shares.push_back(static_cast<std::int32_t>(exact));
    remainder.push_back(exact - std::floor(exact));
    left -= shares.back();
  }
  std::vector<std::size_t> order(w.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  for (std::size_t i = 0; left > 0; i = (i + 1) % order.size(), --left) ++shares[order[i]];
  return shares;
}

std::vector<std::int32_t> nearest_sizes(const Problem& problem, const std::vector<std::int32_t>& hosts,
                                        const std::vector<std::int32_t>& targets, core::StopToken& stop) {
  const std::int32_t layers = problem.layer_count();
  constexpr std::int32_t kNever = std::numeric_limits<std::int32_t>::max();
  const auto rows = z(layers) + 1;
  // least[h][j]: smallest sum of differences with layers j, j + 1, ... on hosts h, h + 1, ...
  std::vector<std::int32_t> least((hosts.size() + 1) * rows, kNever);
  std::vector<std::int32_t> size(hosts.size() * rows, 0);
  least[hosts.size() * rows + z(layers)] = 0;
  for (std::size_t h = hosts.size(); h-- > 0;) {
    const double room = problem.memory_limit_with_room(hosts[h]);
    for (std::int32_t j = 0; j <= layers; ++j) {
      if (stop.should_stop(rows / 16)) return {};
      double memory = 0.0;
      for (std::int32_t n = 0; j + n <= layers; ++n) {
        if (n > 0) memory += problem.spec().layers[z(j + n) - 1].memory_bytes;
        if (memory > room) break;
        const std::int32_t rest = least[(h + 1) * rows + z(j + n)];
        if (rest == kNever) continue;
        const std::int32_t sum = rest + std::abs(n - targets[h]);
        if (sum >= least[h * rows + z(j)]) continue;
        least[h * rows + z(j)] = sum;
        size[h * rows + z(j)] = n;
      }
    }
  }
  if (least[0] == kNever) return {};
  std::vector<std::int32_t> sizes;
  std::int32_t done = 0;
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    sizes.push_back(size[h * rows + z(done)]);
    done += sizes.back();
  }
  return sizes;
}

std::optional<Assignment> uniform(const Problem& problem, core::StopToken& stop,
                                  search::Workspace& workspace) {
  return by_weight(problem, &equal_weights, stop, workspace);
}

std::optional<Assignment> compute_proportional(const Problem& problem, core::StopToken& stop,
                                               search::Workspace& workspace) {
  return by_weight(problem, &speeds, stop, workspace);
}

}  // namespace constellm::split
