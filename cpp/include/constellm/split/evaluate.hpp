#pragma once
#include <string>
#include <vector>

#include "constellm/split/plan.hpp"

namespace constellm::split {

/// What a stage takes, per micro-batch.
struct StageTerms {
  double overhead_s = 0.0;
  double decode_s = 0.0;
  double compute_s = 0.0;
  double encode_s = 0.0;
  double time_s = 0.0;
  double memory_bytes = 0.0;

  bool operator==(const StageTerms&) const = default;
};

constexpr auto fields(const StageTerms*) {
  using core::kNonNegative;
  using core::required;
  using Terms = StageTerms;
  return core::record("StageTerms", "Time and memory of a stage of a plan, per micro-batch.",
                      required("overhead_s", &Terms::overhead_s, "of its node", "s", kNonNegative),
                      required("decode_s", &Terms::decode_s, "what it received", "s", kNonNegative),
                      required("compute_s", &Terms::compute_s, "its layers", "s", kNonNegative),
                      required("encode_s", &Terms::encode_s, "what it sends on", "s", kNonNegative),
                      required("time_s", &Terms::time_s, "the sum of the four", "s", kNonNegative),
                      required("memory_bytes", &Terms::memory_bytes, "of its layers", "B", kNonNegative));
}

/// What a hop takes, per micro-batch.
struct HopTerms {
  double bytes = 0.0;
  double time_s = 0.0;
  double latency_s = 0.0;

  bool operator==(const HopTerms&) const = default;
};

constexpr auto fields(const HopTerms*) {
  using core::kNonNegative;
  using core::required;
  using Terms = HopTerms;
  return core::record("HopTerms", "Bytes and time of a hop of a plan, per micro-batch.",
                      required("bytes", &Terms::bytes, "that cross it", "B", kNonNegative),
                      required("time_s", &Terms::time_s, "occupies the link", "s", kNonNegative),
                      required("latency_s", &Terms::latency_s, "propagation", "s", kNonNegative));
}

/// Every term of a plan's worth. Where they belong, its assignment says: `stages` are the terms of its
/// stages, and `hops` those from each node of its path to the next.
struct Evaluation : Figures {
  std::vector<StageTerms> stages;
  std::vector<HopTerms> hops;
};

/// What makes `assignment` no plan at all: not a simple path of links from source to sink,
/// blocks that do not cover the layers in order, a host that only relays, a codec missing or
/// out of place. Empty for a plan.
std::vector<std::string> structural_faults(const Problem& problem, const Assignment& assignment);

/// The one place where a plan's value is computed: delay = sum of stage times + sum of
/// (hop time + latency) + (M - 1) * the largest stage or hop time, the exact makespan of a
/// flow line whose buffers do not block. Throws core::InvalidInput with the first structural
/// fault; limits are not looked at.
Evaluation evaluate(const Problem& problem, const Assignment& assignment);

/// As `evaluate`, without the checks, into `out` (no allocation once it has grown).
void evaluate_into(const Problem& problem, const Assignment& assignment, Evaluation& out);

/// Limits that the plan breaks, by its evaluation: memory, error, energy. Empty when it is feasible.
std::vector<std::string> broken_limits(const Problem& problem, const Assignment& assignment,
                                       const Evaluation& evaluation);

/// `broken_limits(...).empty()`, without the texts.
bool within_limits(const Problem& problem, const Assignment& assignment, const Evaluation& evaluation);

}  // namespace constellm::split
