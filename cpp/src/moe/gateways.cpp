#include "constellm/moe/gateways.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/core/simd.hpp"
#include "constellm/moe/assignment.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/pair_bound.hpp"
#include "constellm/moe/pair_exchange.hpp"
#include "constellm/moe/pair_layer.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

/// Latencies of the satellites that may host an expert between two gateways.
struct Between {
  std::vector<std::int32_t> satellites;
  std::vector<double> latency_s;  ///< [satellites][slots]
};

Between between(const OpenLayer& layer, std::int32_t gateway, std::int32_t next) {
  Between found;
  const auto row = [&](std::span<const double> way_s, std::int32_t slot, std::int32_t gateways,
                       std::int32_t at) {
    return &way_s[(z(slot) * z(gateways) + z(at)) * z(layer.satellites)];
  };
  for (std::int32_t s = 0; s < layer.satellites; ++s) {
    if (s == layer.own[z(gateway)]) continue;
    const std::size_t begin = found.latency_s.size();
    for (std::int32_t t = 0; t < layer.slots; ++t) {
      double way_s =
          row(layer.from_s, t, layer.gateways, gateway)[s] + row(layer.to_s, t, layer.next, next)[s];
      if (way_s == kNever && layer.unreachable_s) way_s = *layer.unreachable_s;
      found.latency_s.push_back(way_s);
      if (way_s == kNever) break;
    }
    if (found.latency_s.back() == kNever)
      found.latency_s.resize(begin);
    else
      found.satellites.push_back(s);
  }
  return found;
}

double value_s(const Between& way, const Picks& picks, std::size_t slots,
               const std::vector<std::int32_t>& places) {
  std::vector<double> latency_s(places.size());
  double sum_s = 0.0;
  for (std::size_t t = 0; t < slots; ++t) {
    for (std::size_t e = 0; e < places.size(); ++e) latency_s[e] = way.latency_s[z(places[e]) * slots + t];
    sum_s += expected_latency_s(picks, latency_s);
  }
  return sum_s / static_cast<double>(slots);
}

/// Of one pick: what each expert costs on each place.
std::vector<double> mean_costs_s(const PairLayer& pairs) {
  std::vector<double> cost_s;
  for (const double weight : pairs.picks().weights())
    for (std::int32_t a = 0; a < static_cast<std::int32_t>(pairs.size()); ++a)
      cost_s.push_back(weight * pairs.mean_s(a, a));
  return cost_s;
}

/// Value and bound of one layer between two gateways.
std::pair<double, double> placed(const OpenLayer& layer, std::span<const double> shares, const Between& way,
                                 core::StopToken& stop) {
  const auto experts = z(layer.picks.experts());
  const std::size_t n = way.satellites.size();
  if (n < experts) return {kNever, kNever};
  const PairLayer pairs(layer.picks, way.satellites, z(layer.satellites), way.latency_s, stop);
  const std::vector<double> cost_s =
      layer.picks.top_k() == 1 ? mean_costs_s(pairs) : pair_bound_s(pairs, shares, {}, stop);
  Assignment assignment;
  assignment.solve(experts, n, cost_s);
  const std::vector<std::int32_t> assigned(assignment.column_of_row().begin(),
                                           assignment.column_of_row().end());
  std::vector<std::int32_t> sorted(experts);
  const std::vector<std::int32_t> near = pairs.by_mean();
  for (std::size_t j = 0; j < experts; ++j) sorted[z(pairs.heaviest_first()[j])] = near[j];
  const auto slots = z(layer.slots);
  std::vector<std::int32_t> best = assigned;
  double best_s = value_s(way, layer.picks, slots, assigned);
  if (const double sorted_s = value_s(way, layer.picks, slots, sorted); sorted_s < best_s) {
    best = sorted;
    best_s = sorted_s;
  }
  if (layer.picks.top_k() == 2) {
    for (std::int32_t& place : best) place = way.satellites[z(place)];
    PairExchange search(std::span(&pairs, 1), z(layer.satellites), {best});
    search.descend(stop);
    for (std::size_t e = 0; e < experts; ++e) best[e] = pairs.place_of(search.placement()[0][e]);
    best_s = std::min(best_s, value_s(way, layer.picks, slots, best));
  }
  return {best_s, std::min(assignment.value(), best_s)};
}

}  // namespace

GatewayCosts gateway_costs(const OpenLayer& layer, int threads, core::StopToken& stop) {
  const std::size_t pairs = z(layer.gateways) * z(layer.next);
  GatewayCosts found{std::vector<double>(pairs, kNever), std::vector<double>(pairs, kNever)};
  std::vector<double> shares;
  if (layer.picks.top_k() > 1) shares = shares_beside_one(layer.picks, stop);
  const bool done = core::parallel_for(
      pairs, threads,
      [&] {
        return [&, never = core::StopToken()](std::size_t i) mutable {
          const auto gateway = static_cast<std::int32_t>(i) / layer.next;
          const auto next = static_cast<std::int32_t>(i) % layer.next;
          std::tie(found.value_s[i], found.bound_s[i]) =
              placed(layer, shares, between(layer, gateway, next), never);
        };
      },
      [&] { return stop.should_stop(1024); });
  if (!done) throw core::Stopped();
  return found;
}

namespace {

/// From layer to layer: the least of `here` and the cost between, for each next gateway.
CONSTELLM_SIMD void step(const std::vector<double>& here_s, const std::vector<double>& cost_s,
                         std::vector<double>& there_s) {
  const std::size_t next = there_s.size();
  double* const there = there_s.data();
  std::fill_n(there, next, kNever);
  for (std::size_t g = 0; g < here_s.size(); ++g) {
    const double start_s = here_s[g];
    const double* const between = &cost_s[g * next];
    for (std::size_t h = 0; h < next; ++h) {
      const double way_s = start_s + between[h];
      there[h] = way_s < there[h] ? way_s : there[h];
    }
  }
}

}  // namespace

CheapestRing cheapest_ring(std::span<const std::vector<double>> cost_s,
                           std::span<const std::int32_t> gateways) {
  const std::size_t layers = gateways.size();
  CheapestRing best{{}, kNever};
  std::vector<std::vector<double>> least_s(layers +
                                           1);  // from the start to each gateway; the last is the first
  for (std::size_t l = 0; l <= layers; ++l) least_s[l].resize(z(gateways[l % layers]));
  for (std::int32_t start = 0; start < gateways[0]; ++start) {
    std::ranges::fill(least_s[0], kNever);
    least_s[0][z(start)] = 0.0;
    for (std::size_t l = 0; l < layers; ++l) step(least_s[l], cost_s[l], least_s[l + 1]);
    if (least_s[layers][z(start)] >= best.cost_s) continue;
    best.cost_s = least_s[layers][z(start)];
    best.gateways.assign(layers, start);
    for (std::size_t l = layers; l-- > 1;) {
      const std::size_t after = z(best.gateways[(l + 1) % layers]);
      const double wanted_s = least_s[l + 1][after];
      std::size_t g = 0;  // the first that the least came from
      while (least_s[l][g] + cost_s[l][g * least_s[l + 1].size() + after] != wanted_s) ++g;
      best.gateways[l] = static_cast<std::int32_t>(g);
    }
  }
  return best;
}

}  // namespace constellm::moe
