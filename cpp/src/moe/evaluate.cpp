#include "constellm/moe/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

double expected_latency_s(const Picks& picks, std::span<const double> latency_s) {
  thread_local std::vector<std::int32_t> order;
  thread_local std::vector<double> farthest;
  order.resize(latency_s.size());
  farthest.resize(latency_s.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::int32_t a, std::int32_t b) { return latency_s[z(a)] < latency_s[z(b)]; });
  picks.farthest(order, farthest);
  double expected = 0.0;
  for (std::size_t j = 0; j < order.size(); ++j) expected += farthest[j] * latency_s[z(order[j])];
  return expected;
}

namespace {

/// What two picks add that share a satellite, in a slot.
double queue_s(const Problem& problem, const Layer& of, std::int32_t slot,
               std::span<const std::int32_t> satellites) {
  const Sharing& sharing = *problem.sharing();
  const std::size_t row = z(slot) * problem.satellites().size();
  double sum = 0.0;
  for (std::size_t i = 0; i < satellites.size(); ++i) {
    if (std::isnan(of.latency_s[row + z(satellites[i])])) continue;
    double both = 0.0;
    for (std::size_t j = 0; j < i; ++j) {
      if (sharing.host[z(satellites[j])] == sharing.host[z(satellites[i])])
        both += of.picks.pairs_of(static_cast<std::int32_t>(i))[j];
    }
    sum += both * sharing.service_s[row + z(satellites[i])];
  }
  return sum;
}

}  // namespace

double layer_latency_s(const Problem& problem, std::size_t layer, std::span<const std::int32_t> satellites,
                       std::span<double> slot_s) {
  const Layer& of = problem.layers()[layer];
  thread_local std::vector<double> latency_s;
  latency_s.resize(satellites.size());
  double sum = 0.0;
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    for (std::size_t e = 0; e < satellites.size(); ++e)
      latency_s[e] = problem.latency_s(of, t, satellites[e]);
    double expected = expected_latency_s(of.picks, latency_s);
    if (problem.sharing() && problem.top_k() == 2) expected += queue_s(problem, of, t, satellites);
    if (!slot_s.empty()) slot_s[z(t)] = expected;
    sum += expected;
  }
  return sum / problem.slots();
}

Evaluation evaluate(const Problem& problem, const Placement& placement) {
  problem.require(placement);
  Evaluation found;
  const std::size_t slots = z(problem.slots());
  found.slot_latency_s.resize(placement.size() * slots);
  for (std::size_t l = 0; l < placement.size(); ++l) {
    const std::span<double> slot_s = std::span(found.slot_latency_s).subspan(l * slots, slots);
    const double base_s = problem.layers()[l].base_s;
    const double mean_s = layer_latency_s(problem, l, placement[l], slot_s);
    for (double& value : slot_s) value += base_s;
    found.layer_latency_s.push_back(base_s + mean_s);
    found.token_latency_s += found.layer_latency_s.back();
  }
  return found;
}

}  // namespace constellm::moe
