#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "constellm/split/problem.hpp"
#include "random.hpp"

namespace constellm::tests {

/// A +Grid: `planes` rings (or one) of `per_plane` satellites, each linked both ways with the next one of its
/// ring and of the next ring; memory forces `stages` stages or more. The source is satellite (0, 0), the
/// sink its neighbour, or the one on the far side.
struct Torus {
  std::int32_t planes = 4;
  std::int32_t per_plane = 4;
  std::int32_t layers = 48;
  std::int32_t stages = 6;
  std::int64_t micro_batches = 8;
  bool uniform = true;
  bool far = false;

  [[nodiscard]] split::Problem problem() const {
    Random r(static_cast<std::uint64_t>(planes * 100 + per_plane));
    const auto about = [&](double value, double low, double high) {
      return uniform ? value : value * r.uniform(low, high);
    };
    split::ProblemSpec spec;
    spec.name = "torus";
    for (std::int32_t l = 0; l < layers; ++l) {
      model::Layer layer;
      layer.name = "l" + std::to_string(l);
      layer.flop = 1e12 * r.uniform(0.8, 1.2);
      layer.memory_bytes = 1e9 * r.uniform(0.8, 1.2);
      layer.output_bytes = 8e6 * r.uniform(0.5, 1.5);
      spec.layers.push_back(layer);
    }
    spec.input_bytes = 6e5;
    const auto id = [&](std::int32_t plane, std::int32_t slot) {
      return "s" + std::to_string(plane % planes) + "-" + std::to_string(slot % per_plane);
    };
    for (std::int32_t plane = 0; plane < planes; ++plane) {
      for (std::int32_t slot = 0; slot < per_plane; ++slot) {
        network::Node node;
        node.id = id(plane, slot);
        node.flop_per_s = about(1e14, 0.5, 2.0);
        node.memory_bytes = about(1.15e9 * layers / stages + 1e8, 0.8, 1.6);
        spec.network.nodes.push_back(node);
        for (const std::string& to : {id(plane + 1, slot), id(plane, slot + 1)}) {
          if (to == node.id) continue;  // one ring only
          network::Link link;
          link.from = node.id;
          link.to = to;
          link.rate_bps = about(5e9, 0.4, 2.0);
          link.latency_s = 0.004;
          spec.network.links.push_back(link);
          std::swap(link.from, link.to);
          spec.network.links.push_back(link);
        }
      }
    }
    spec.source = id(0, 0);
    spec.sink = far ? id(planes / 2, per_plane / 2) : id(0, 1);
    spec.micro_batches = micro_batches;
    for (int k = 0; k < 8; ++k) {
      codec::Codec codec;
      codec.name = "c" + std::to_string(k);
      codec.ratio = 1.0 + 4.0 * k;
      codec.error = 0.02 * k;
      spec.codecs.push_back(codec);
    }
    spec.limits.max_error = 0.5;
    return split::Problem(spec);
  }
};

}  // namespace constellm::tests
