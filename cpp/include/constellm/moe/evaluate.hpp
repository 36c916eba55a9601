#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// Expected latency of the slowest pick, of experts placed at these latencies.
double expected_latency_s(const Picks& picks, std::span<const double> latency_s);

/// The same of one layer on these satellites, mean over the slots, without base_s; `slot_s`, if any, gets
/// each slot's.
double layer_latency_s(const Problem& problem, std::size_t layer, std::span<const std::int32_t> satellites,
                       std::span<double> slot_s = {});

/// What a placement costs: the one evaluator.
struct Evaluation {
  double token_latency_s = 0.0;
  std::vector<double> layer_latency_s;  ///< [layers], with base_s
  std::vector<double> slot_latency_s;   ///< [layers][slots], with base_s
};

/// Throws core::InvalidInput for what is no placement.
Evaluation evaluate(const Problem& problem, const Placement& placement);

}  // namespace constellm::moe
