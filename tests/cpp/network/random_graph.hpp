#pragma once
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "constellm/network/graph.hpp"

namespace constellm::tests {

/// A few nodes, each pair linked with the same chance; figures of few values, so that there are ties.
inline network::Network random_network(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  network::Network network;
  const std::uint64_t nodes = 1 + below(9);
  for (std::uint64_t v = 0; v < nodes; ++v) {
    network.nodes.push_back({.id = "n" + std::to_string(v), .layer_time_s = {}, .group = {}});
  }
  const std::uint64_t density = 1 + below(9);
  for (std::uint64_t a = 0; a < nodes; ++a) {
    for (std::uint64_t b = 0; b < nodes; ++b) {
      if (a == b || below(10) >= density) continue;
      network.links.push_back({network.nodes[a].id,
                               network.nodes[b].id,
                               1e6 * static_cast<double>(1 + below(3)),
                               1e-3 * static_cast<double>(below(4)),
                               0.0,
                               {}});
      if (below(2) == 0) network.links.back().group = "g" + std::to_string(below(3));
    }
  }
  // Rows must not lean on an order of the links.
  for (std::size_t i = network.links.size(); i > 1; --i)
    std::swap(network.links[i - 1], network.links[below(i)]);
  return network;
}

}  // namespace constellm::tests
