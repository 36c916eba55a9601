#include "constellm/moe/host_bound.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/moe/assignment.hpp"
#include "constellm/moe/pair_bound.hpp"
#include "constellm/moe/pair_layer.hpp"
#include "constellm/moe/pair_search.hpp"
#include "constellm/moe/sorted.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

/// Whether a satellite may host experts of the layer: as of Problem's usable.
std::vector<char> usable_of(const Layer& layer, std::size_t satellites) {
  std::vector<char> usable(satellites, 0);
  for (const std::int32_t s : layer.usable) usable[z(s)] = 1;
  return usable;
}

/// How many of the layer's experts may have their only copy there: it serves in every slot in which it lives.
std::int32_t most_alone(const Hosting& hosting, std::size_t l, std::int32_t satellite) {
  const Problem& problem = hosting.problem();
  const Layer& layer = problem.layers()[l];
  std::int32_t most = layer.picks.experts();
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    if (!std::isnan(layer.latency_s[z(t) * problem.satellites().size() + z(satellite)]))
      most = std::min(most, hosting.most_served(l, t, satellite));
  }
  return most;
}

/// Of each satellite so many places as experts might have.
std::vector<std::int32_t> hosts_of_places(const Hosting& hosting) {
  const Problem& problem = hosting.problem();
  std::vector<std::int32_t> wanted(problem.satellites().size(), 0);
  for (std::size_t l = 0; l < problem.layers().size(); ++l) {
    const Layer& layer = problem.layers()[l];
    for (const std::int32_t s : layer.usable)
      wanted[z(s)] += hosting.copied() ? layer.picks.experts() : most_alone(hosting, l, s);
  }
  std::vector<std::int32_t> hosts;
  for (std::int32_t s = 0; s < problem.satellite_count(); ++s)
    hosts.insert(hosts.end(), z(std::min(wanted[z(s)], hosting.places(s))), s);
  return hosts;
}

bool fits(const Hosting& hosting, const std::vector<std::int32_t>& hosts) {
  constexpr double kMostBytes = 1e9;
  const Problem& problem = hosting.problem();
  double bytes = 0.0;
  for (const Layer& layer : problem.layers()) {
    const std::vector<char> usable = usable_of(layer, problem.satellites().size());
    double n = 0.0;
    for (const std::int32_t s : hosts) n += usable[z(s)];
    bytes += static_cast<double>(sizeof(double) * z(problem.slots()) * hosts.size());
    if (problem.top_k() > 1) bytes += (sizeof(double) + sizeof(std::int32_t)) * n * n;
  }
  return bytes <= kMostBytes;
}

}  // namespace

std::optional<PlacesProblem> places_of(const Hosting& hosting) {
  const Problem& problem = hosting.problem();
  std::vector<std::int32_t> hosts = hosts_of_places(hosting);
  if (hosts.empty() || !fits(hosting, hosts)) return std::nullopt;
  const std::size_t satellites = problem.satellites().size();
  std::vector<std::string> ids;
  for (std::size_t p = 0; p < hosts.size(); ++p) ids.push_back(std::to_string(p));
  const auto spread = [&](auto of) {  // [slots][places]
    std::vector<double> values;
    values.reserve(z(problem.slots()) * hosts.size());
    for (std::int32_t t = 0; t < problem.slots(); ++t)
      for (const std::int32_t s : hosts) values.push_back(of(t, s));
    return values;
  };
  std::vector<LayerFields> layers;
  for (const Layer& layer : problem.layers()) {
    const std::span<const double> weights = layer.picks.weights();
    layers.push_back(
        {{weights.begin(), weights.end()},
         spread([&](std::int32_t t, std::int32_t s) { return layer.latency_s[z(t) * satellites + z(s)]; }),
         layer.base_s});
  }
  std::optional<Sharing> sharing;
  if (hosting.queues()) {
    sharing = Sharing{hosts, spread([&](std::int32_t t, std::int32_t s) { return hosting.service_s(t, s); })};
  }
  return PlacesProblem{{"places", problem.top_k(), std::move(ids), problem.unreachable_s(), problem.slots(),
                        std::move(layers), std::move(sharing)},
                       std::move(hosts)};
}

namespace {

/// A satellite in a slot.
struct Near {
  double latency_s;
  double service_s;
  std::int32_t places;
};

/// The nearest satellites of a slot, one for each expert. None beyond them is needed: where one is used,
/// one of these is not, and an expert that goes there alone is served no later. Who serves nobody in time
/// waits for nobody.
std::vector<Near> nearest(const Hosting& hosting, std::size_t l, std::int32_t slot) {
  const Problem& problem = hosting.problem();
  const Layer& layer = problem.layers()[l];
  const std::int32_t experts = layer.picks.experts();
  std::vector<Near> near;
  for (std::int32_t s = 0; s < problem.satellite_count(); ++s) {
    const double latency_s = layer.latency_s[z(slot) * problem.satellites().size() + z(s)];
    const std::int32_t places = hosting.most_served(l, slot, s);
    if (std::isnan(latency_s) || places == 0) continue;
    near.push_back({latency_s, hosting.service_s(slot, s), std::min(places, experts)});
  }
  if (problem.unreachable_s()) near.push_back({*problem.unreachable_s(), 0.0, experts});
  std::stable_sort(near.begin(), near.end(),
                   [](const Near& a, const Near& b) { return a.latency_s < b.latency_s; });
  if (near.size() > z(experts)) near.resize(z(experts));
  return near;
}

/// The experts heaviest first on the nearest places, queues left out; infinite where places are too few.
double sorted_s(const Picks& picks, std::span<const double> latency_s) {
  const std::vector<std::int32_t> order = picks.heaviest_first();
  if (latency_s.size() < order.size()) return kNever;
  std::vector<double> farthest(order.size());
  picks.farthest(order, farthest);
  double sum = 0.0;
  for (std::size_t j = 0; j < order.size(); ++j) sum += farthest[j] * latency_s[j];
  return sum;
}

/// Two picks: a programme over how many experts each satellite has, nearest first. For given counts the
/// latencies cost no less than with heavy experts on near satellites, and the waiting no less than with the
/// lightest experts on every satellite.
double counted_s(const PairLayer& pairs, std::span<const Near> near) {
  const std::vector<std::int32_t>& order = pairs.heaviest_first();
  std::vector<double> farthest(order.size());
  pairs.picks().farthest(order, farthest);
  std::vector<double> least_s(order.size() + 1, kNever);  // of the k heaviest on the satellites so far
  least_s[0] = 0.0;
  std::int32_t place = 0;
  for (const Near& satellite : near) {
    for (std::size_t k = order.size(); k-- > 0;) {
      double cost_s = least_s[k];
      for (std::size_t n = 0; n < z(satellite.places) && k + n < order.size(); ++n) {
        cost_s += farthest[k + n] * satellite.latency_s + pairs.charge_s(place, n);
        least_s[k + n + 1] = std::min(least_s[k + n + 1], cost_s);
      }
    }
    place += satellite.places;
  }
  return least_s.back();
}

/// Two picks: the search, which ends soon or gives the bound that it has.
double searched_s(const PairLayer& pairs, core::StopToken& stop) {
  constexpr std::uint64_t kMostWork = 100'000;
  const std::vector<PairLayer> layers{pairs};
  Placement placement(1, std::vector<std::int32_t>(z(pairs.experts())));
  for (std::size_t j = 0; j < placement[0].size(); ++j)
    placement[0][z(pairs.heaviest_first()[j])] = static_cast<std::int32_t>(j);
  double value_s = 0.0;
  for (std::int32_t i = 0; i < pairs.experts(); ++i)
    for (std::int32_t j = 0; j < i; ++j)
      value_s += pairs.pair(i, j) * pairs.mean_s(placement[0][z(i)], placement[0][z(j)]);
  PairSearch search(layers, std::vector<char>(pairs.size(), 1), placement, value_s, 1e-12 * value_s);
  const double bound_s = search.run(stop, kMostWork);
  if (stop.should_stop(0)) throw core::Stopped();
  return std::min(bound_s, search.best_s());
}

double least_assignment_s(const PairLayer& pairs, std::span<const double> shares, core::StopToken& stop) {
  Assignment assignment;
  const std::vector<double> cost_s = pair_bound_s(pairs, shares, {}, stop);
  return assignment.solve(z(pairs.experts()), pairs.size(), cost_s) ? assignment.value() : kNever;
}

}  // namespace

double anew_bound_s(const Hosting& hosting, std::size_t l, core::StopToken& stop) {
  const Problem& problem = hosting.problem();
  const Layer& layer = problem.layers()[l];
  const bool more = problem.top_k() > 2 && hosting.queues();
  const std::vector<double> shares = more ? shares_beside_one(layer.picks, stop) : std::vector<double>{};
  double sum = 0.0;
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    if (stop.should_stop(problem.satellites().size() / 8 + 1)) throw core::Stopped();
    std::vector<double> latency_s;
    std::vector<double> service_s;
    std::vector<std::int32_t> host;
    const std::vector<Near> near = nearest(hosting, l, t);
    for (std::size_t s = 0; s < near.size(); ++s) {
      latency_s.insert(latency_s.end(), z(near[s].places), near[s].latency_s);
      service_s.insert(service_s.end(), z(near[s].places), near[s].service_s);
      host.insert(host.end(), z(near[s].places), static_cast<std::int32_t>(s));
    }
    double bound_s = sorted_s(layer.picks, latency_s);
    const bool wait = std::any_of(near.begin(), near.end(),
                                  [](const Near& s) { return s.places > 1 && s.service_s > 0.0; });
    if (hosting.queues() && wait && bound_s < kNever) {
      std::vector<std::int32_t> places(host.size());
      std::iota(places.begin(), places.end(), 0);
      PairLayer pairs(layer.picks, places, places.size(), latency_s, stop);
      pairs.share(std::move(host), std::move(service_s), true, stop);
      bound_s = std::max(bound_s, more ? least_assignment_s(pairs, shares, stop)
                                       : std::max(counted_s(pairs, near), searched_s(pairs, stop)));
    }
    sum += bound_s;
  }
  return sum / problem.slots();
}

namespace {

/// The most of a token's executions that one expert may have on a satellite: the least of the slots in which
/// it would serve.
double most_of_one(const Hosting& hosting, const Layer& layer, std::int32_t satellite) {
  const Problem& problem = hosting.problem();
  double most = kNever;
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    if (!std::isnan(layer.latency_s[z(t) * problem.satellites().size() + z(satellite)]))
      most = std::min(most, hosting.most_activations(t, satellite));
  }
  return most;
}

/// Of each usable place: what each expert costs there at least.
std::vector<double> costs_of(const Hosting& hosting, const PlacesProblem& places, const Layer& layer,
                             core::StopToken& stop) {
  std::vector<double> cost_s;
  if (hosting.problem().top_k() == 1) {
    const std::vector<double> mean_s = means_s(places.problem, layer);
    for (const double weight : layer.picks.weights())
      for (const std::int32_t p : layer.usable) cost_s.push_back(weight * mean_s[z(p)]);
    return cost_s;
  }
  const PairLayer pairs(places.problem, layer, stop);
  std::vector<double> best_s;
  if (hosting.problem().top_k() > 2)
    best_s = best_beside_s(places.problem, layer, z(pairs.experts()) - 1, stop);
  return pair_bound_s(pairs, shares_beside_one(layer.picks, stop), best_s, stop);
}

}  // namespace

AssignedBound assigned_bound(const Hosting& hosting, const PlacesProblem& places, core::StopToken& stop) {
  const std::vector<Layer>& layers = places.problem.layers();
  const std::size_t columns = places.host.size();
  std::vector<double> cost_s;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::vector<std::int32_t>& usable = layers[l].usable;
    if (usable.size() < z(layers[l].picks.experts())) return {};
    const std::vector<double> own_s = costs_of(hosting, places, layers[l], stop);
    std::vector<double> most;
    for (const std::int32_t p : usable)
      most.push_back(most_of_one(hosting, hosting.problem().layers()[l], places.host[z(p)]));
    for (std::size_t e = 0; e < hosting.inclusion(l).size(); ++e) {
      cost_s.resize(cost_s.size() + columns, kNever);
      double* const row = &cost_s[cost_s.size() - columns];
      for (std::size_t a = 0; a < usable.size(); ++a)
        if (hosting.inclusion(l)[e] <= most[a]) row[usable[a]] = own_s[e * usable.size() + a];
    }
  }
  Assignment assignment;
  if (!assignment.solve(cost_s.size() / columns, columns, cost_s)) return {};
  AssignedBound found{assignment.value(), {}};
  std::size_t row = 0;
  for (const Layer& layer : layers) {
    std::vector<std::int32_t>& own = found.places.emplace_back();
    for (std::int32_t e = 0; e < layer.picks.experts(); ++e) own.push_back(assignment.column_of_row()[row++]);
  }
  return found;
}

}  // namespace constellm::moe
