#pragma once
#include <string>
#include <tuple>
#include <vector>

#include "constellm/split/plan.hpp"

namespace constellm::split {

struct StageTerms {
  StageChoice choice;
  double overhead_s = 0.0;
  double decode_s = 0.0;
  double compute_s = 0.0;
  double encode_s = 0.0;
  double time_s = 0.0;  ///< the sum of the four, per micro-batch
  double memory_bytes = 0.0;
};

struct HopTerms {
  std::int32_t link = 0;
  double bytes = 0.0;      ///< per micro-batch
  double time_s = 0.0;     ///< occupies the link, per micro-batch
  double latency_s = 0.0;  ///< propagation
};

/// Every term of a plan's objective, error, energy and bytes, in path order.
struct Evaluation {
  std::vector<StageTerms> stages;
  std::vector<HopTerms> hops;
  double delay_s = 0.0;
  double bottleneck_s = 0.0;
  double error = 0.0;
  double energy_j = 0.0;
  double bytes = 0.0;
};

/// What is said of the figures of a plan, in every T that has them.
template <class T>
constexpr auto figures() {
  using core::kNonNegative;
  using core::required;
  return std::tuple{
      required("delay_s", &T::delay_s, "from the start until the sink has the last result", "s",
               kNonNegative),
      required("bottleneck_s", &T::bottleneck_s, "longest stage or hop per micro-batch", "s", kNonNegative),
      required("error", &T::error, "accumulated error", "", kNonNegative),
      required("energy_j", &T::energy_j, "of all micro-batches", "J", kNonNegative),
      required("bytes", &T::bytes, "over all hops and micro-batches", "B", kNonNegative)};
}

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

/// Limits that the evaluated plan breaks: memory, error, energy. Empty when it is feasible.
std::vector<std::string> broken_limits(const Problem& problem, const Evaluation& evaluation);

/// `broken_limits(...).empty()`, without the texts.
bool within_limits(const Problem& problem, const Evaluation& evaluation);

/// The objective's figure [s] of a Plan or an Evaluation: delay, or the bottleneck.
template <class T>
double objective_s(const Problem& problem, const T& figures) {
  return problem.spec().objective == Objective::delay ? figures.delay_s : figures.bottleneck_s;
}

}  // namespace constellm::split
