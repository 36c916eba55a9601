#include "constellm/services/exact/counts.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// Relative: sums in another order differ by less.
constexpr double kRounding = 1e-9;

/// Of one service the slots that must be served, and where each can be.
struct Served {
  std::vector<std::int32_t> slots;
  std::vector<std::vector<std::int32_t>> nodes;  // ascending
};

Served served(const Model& model, const State& state, std::int32_t service) {
  Served found;
  for (const std::int32_t k : model.service_slots[z(service)]) {
    if (state.task[z(model.slots[z(k)].task)] != Choice::in) continue;
    std::vector<std::int32_t> nodes;
    for (std::int32_t p = model.slots[z(k)].first; p < model.slots[z(k)].end; ++p)
      if (state.alive[z(p)] != 0) nodes.push_back(model.place_node[z(p)]);
    found.slots.push_back(k);
    found.nodes.push_back(std::move(nodes));
  }
  return found;
}

/// Slots with the fewest nodes first, each that meets none of those taken.
double disjoint(const Model& model, const Served& of) {
  std::vector<std::size_t> order(of.slots.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return of.nodes[a].size() != of.nodes[b].size() ? of.nodes[a].size() < of.nodes[b].size() : a < b;
  });
  std::vector<std::uint8_t> used(z(model.node_count()), 0);
  double count = 0.0;
  for (const std::size_t i : order) {
    if (std::any_of(of.nodes[i].begin(), of.nodes[i].end(), [&](std::int32_t v) { return used[z(v)] != 0; }))
      continue;
    for (const std::int32_t v : of.nodes[i]) used[z(v)] = 1;
    count += 1.0;
  }
  return count;
}

/// Whether some node can serve all of them by itself.
bool one_is_enough(const Model& model, const Served& of) {
  const Problem& problem = model.problem;
  std::vector<std::int32_t> common = of.nodes.front();
  for (const std::vector<std::int32_t>& nodes : of.nodes) {
    std::vector<std::int32_t> both;
    std::set_intersection(common.begin(), common.end(), nodes.begin(), nodes.end(), std::back_inserter(both));
    common = std::move(both);
  }
  if (common.empty()) return false;
  double capacity = 0.0;
  for (const std::int32_t v : common) capacity = std::max(capacity, problem.node_capacity_flop_per_s(v));
  if (problem.samples()) return true;
  std::vector<double> flop(model.tasks.size(), 0.0);
  for (const std::int32_t k : of.slots)
    flop[z(model.slots[z(k)].task)] += problem.services()[z(model.slots[z(k)].service)].flop;
  std::vector<double> raise;
  double load = 0.0;
  for (std::size_t t = 0; t < flop.size(); ++t) {
    load += problem.tasks()[t].rate_per_s * flop[t];
    raise.push_back(problem.tasks()[t].deviation_per_s * flop[t]);
  }
  return worst_load(load, raise, problem.limits().budget) <= capacity * (1.0 + kRounding);
}

double by_load(const Model& model, const Served& of) {
  double load = 0.0;
  double capacity = 0.0;
  for (std::size_t i = 0; i < of.slots.size(); ++i) {
    load += model.slots[z(of.slots[i])].load_flop_per_s;
    for (const std::int32_t v : of.nodes[i])
      capacity = std::max(capacity, model.problem.node_capacity_flop_per_s(v));
  }
  return capacity > 0.0 ? std::ceil(load / capacity * (1.0 - kRounding)) : 1.0;
}

}  // namespace

void raise_counts(const Model& model, State& state) {
  for (std::int32_t s = 0; s < model.service_count(); ++s) {
    const Served of = served(model, state, s);
    if (of.slots.empty()) continue;
    double& least = state.least[z(s)];
    least = std::max({least, 1.0, disjoint(model, of), by_load(model, of)});
    if (least < 2.0 && !one_is_enough(model, of)) least = 2.0;
  }
}

}  // namespace constellm::services::exact
