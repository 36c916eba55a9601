#pragma once
#include <cstdint>
#include <string>

#include "constellm/split/problem.hpp"
#include "random.hpp"

namespace constellm::tests {

/// A problem small enough that every walk can be tried: up to 5 nodes, 4 layers, 3 codecs.
inline split::ProblemSpec random_spec(std::uint64_t seed) {
  Random r(seed);
  split::ProblemSpec spec;
  spec.name = "random-" + std::to_string(seed);
  const std::int32_t layers = 1 + r.below(4);
  const std::int32_t nodes = 1 + r.below(5);
  const std::int32_t codecs = 1 + r.below(3);
  const double relays = r.chance(0.4) ? 0.3 : 0.0;
  for (std::int32_t l = 0; l < layers; ++l) {
    model::Layer layer;
    layer.name = "l" + std::to_string(l);
    layer.flop = r.chance(0.05) ? 0.0 : r.uniform(0.1, 2.0);
    layer.memory_bytes = r.uniform(1.0, 10.0);
    layer.output_bytes = r.chance(0.05) ? 0.0 : r.uniform(0.01, 0.2);
    layer.error_gain = r.uniform(0.3, 2.0);
    spec.layers.push_back(layer);
  }
  spec.input_bytes = r.uniform(0.0, 0.1);
  for (std::int32_t v = 0; v < nodes; ++v) {
    network::Node node;
    node.id = "n" + std::to_string(v);
    node.flop_per_s = r.chance(relays) ? 0.0 : r.uniform(0.5, 3.0);
    node.memory_bytes = r.uniform(3.0, 9.0 * layers);
    node.power_w = r.uniform(1.0, 10.0);
    node.tx_power_w = r.uniform(0.0, 3.0);
    if (r.chance(0.4)) node.overhead_s = r.uniform(0.0, 0.3);
    if (r.chance(0.3)) node.codec_time_scale = r.uniform(0.0, 3.0);
    if (r.chance(0.15)) {
      node.layer_time_s.emplace();
      for (std::int32_t l = 0; l < layers; ++l) node.layer_time_s->push_back(r.uniform(0.0, 2.0));
    }
    spec.network.nodes.push_back(node);
  }
  const double density = r.chance(0.5) ? 0.8 : 0.5;
  for (std::int32_t a = 0; a < nodes; ++a) {
    for (std::int32_t b = 0; b < nodes; ++b) {
      if (a == b || !r.chance(b == a + 1 ? 0.9 : density)) continue;
      network::Link link;
      link.from = spec.network.nodes[static_cast<std::size_t>(a)].id;
      link.to = spec.network.nodes[static_cast<std::size_t>(b)].id;
      link.rate_bps = r.uniform(0.5, 8.0);
      link.latency_s = r.uniform(0.0, 0.2);
      if (r.chance(0.3)) link.overhead_s = r.uniform(0.0, 0.1);
      spec.network.links.push_back(link);
    }
  }
  spec.source = spec.network.nodes.front().id;
  spec.sink = (r.chance(0.05) ? spec.network.nodes.front() : spec.network.nodes.back()).id;
  const std::int64_t counts[] = {1, 2, 3, 8, 50};
  spec.micro_batches = counts[r.below(5)];
  for (std::int32_t k = 0; k < codecs; ++k) {
    codec::Codec codec;
    codec.name = "c" + std::to_string(k);
    codec.ratio = k == 0 ? 1.0 : r.uniform(0.8, 8.0);
    codec.error = k == 0 ? 0.0 : r.uniform(0.0, 0.05);
    if (k > 0 && r.chance(0.6)) codec.encode_s_per_byte = r.uniform(0.0, 3.0);
    if (k > 0 && r.chance(0.6)) codec.decode_s_per_byte = r.uniform(0.0, 3.0);
    if (r.chance(0.15)) {
      codec.layer_ratio.emplace();
      for (std::int32_t l = 0; l < layers; ++l) codec.layer_ratio->push_back(r.uniform(0.8, 8.0));
    }
    if (r.chance(0.15)) {
      codec.layer_error.emplace();
      for (std::int32_t l = 0; l < layers; ++l) codec.layer_error->push_back(r.uniform(0.0, 0.1));
    }
    spec.codecs.push_back(codec);
  }
  if (r.chance(0.5)) spec.limits.max_error = r.uniform(0.0, 0.1);
  if (r.chance(0.4))
    spec.limits.max_energy_j = static_cast<double>(spec.micro_batches) * r.uniform(2.0, 40.0);
  if (r.chance(0.4)) spec.limits.error_rule = codec::ErrorRule::root_sum_square;
  if (r.chance(0.25)) spec.objective = split::Objective::throughput;
  return spec;
}

inline split::Problem random_problem(std::uint64_t seed) { return split::Problem(random_spec(seed)); }

}  // namespace constellm::tests
