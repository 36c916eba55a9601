#pragma once
#include "constellm/split/problem.hpp"

/// Two layers on two satellites with a ground that only relays the result.
inline constellm::split::ProblemSpec sweep_problem() {
  using namespace constellm;
  split::ProblemSpec spec;
  spec.name = "sweep";
  spec.layers = {{"l0", 1e9, 10.0, 1e6, 1.0, {}}, {"l1", 2e9, 10.0, 1e3, 1.0, "head"}};
  spec.input_bytes = 1e6;
  network::Node s0{
      .id = "s0", .flop_per_s = 1e9, .memory_bytes = 100.0, .layer_time_s = {}, .group = "satellite"};
  network::Node s1 = s0;
  s1.id = "s1";
  s1.layer_time_s = {1.0, 2.0};
  spec.network.nodes = {s0, s1, {.id = "ground", .layer_time_s = {}, .group = "ground"}};
  spec.network.links = {{"s0", "s1", 1e6, 0.0, 0.0, "isl"},
                        {"s1", "s0", 2e6, 0.0, 0.0, "isl"},
                        {"s1", "ground", 4e6, 0.0, 0.0, "s2g"}};
  spec.source = "s0";
  spec.sink = "ground";
  spec.micro_batches = 4;
  spec.codecs = {
      {.name = "none", .layer_ratio = {}, .layer_error = {}, .group = {}},
      {.name = "a.b[c]", .ratio = 8.0, .error = 0.2, .layer_ratio = {}, .layer_error = {}, .group = "lossy"}};
  spec.limits.max_error = 0.5;
  return spec;
}
