#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "constellm/search/goal.hpp"
#include "random.hpp"

namespace constellm::tests {

inline std::vector<double> random_list(Random& r, std::size_t size, double low, double high) {
  std::vector<double> list(size);
  for (double& value : list) value = r.uniform(low, high);
  return list;
}

/// A graph small enough that every walk can be tried: up to 5 vertices, a node each, up to 4 units,
/// up to 3 choices. Half of them with cycles; the sink may be out of reach.
inline search::LayeredGraph random_graph(Random& r) {
  search::LayeredGraph g;
  g.levels = 1 + r.below(4);
  g.choices = 1 + r.below(3);
  g.stride = 4;
  g.acyclic = r.chance(0.5);
  const std::int32_t nodes = 2 + r.below(4);
  g.sink = nodes - 1;
  const auto cells = g.rows() * core::z(g.stride);
  for (std::int32_t v = 0; v < nodes; ++v) g.node.push_back(v);

  g.arc_begin.push_back(0);
  for (std::int32_t from = 0; from < nodes; ++from) {
    for (std::int32_t to = 1; to < nodes; ++to) {
      const bool may = from != g.sink && from != to && (!g.acyclic || from < to);
      if (!may || !r.chance(to == from + 1 ? 0.9 : 0.6)) continue;
      g.arc_row.push_back(static_cast<std::int32_t>(g.arc_to.size()));
      g.arc_to.push_back(to);
    }
    g.arc_begin.push_back(static_cast<std::int32_t>(g.arc_to.size()));
  }

  g.work_s.assign(core::z(nodes) * g.rows(), 0.0);
  g.work_low_s.assign(core::z(nodes) * g.rows(), 0.0);
  g.furthest.resize(core::z(nodes) * g.rows());
  for (std::int32_t v = 0; v < nodes; ++v) {
    g.can_host.push_back(r.chance(0.85) ? 1 : 0);
    g.coarse.push_back(r.chance(0.2) ? 1 : 0);
    g.stage_fixed_s.push_back(r.chance(0.4) ? r.uniform(0.0, 0.3) : 0.0);
    g.choice_scale.push_back(r.chance(0.3) ? r.uniform(0.0, 3.0) : 1.0);
    std::int32_t furthest = 0;
    for (std::int32_t level = 0; level <= g.levels; ++level) {
      if (level > 0) g.work_s[g.at(v, level)] = g.work_s[g.at(v, level - 1)] + r.uniform(0.0, 1.0);
      furthest = std::min(g.levels, std::max(furthest, level + r.below(4)));
      g.furthest[g.at(v, level)] = furthest;
    }
  }
  if (r.chance(0.4)) {
    for (std::int32_t i = 0; i < nodes * g.levels; ++i) g.allowed.push_back(r.chance(0.8) ? 1 : 0);
  }

  g.enter_s.assign(cells, 0.0);
  g.leave_s.assign(cells, 0.0);
  g.amount.assign(cells, search::kInfinity);
  for (std::int32_t level = 0; level <= g.levels; ++level) {
    for (std::int32_t k = 0; k < g.choices_at(level); ++k) {
      g.amount[g.at(0, level, k)] = r.uniform(0.1, 1.0);
      if (level == 0 || level == g.levels) continue;
      if (r.chance(0.5)) g.enter_s[g.at(0, level, k)] = r.uniform(0.0, 0.3);
      if (r.chance(0.5)) g.leave_s[g.at(0, level, k)] = r.uniform(0.0, 0.3);
    }
  }
  g.hop_s.resize(g.arc_to.size() * cells);
  for (std::size_t row = 0; row < g.arc_to.size(); ++row) {
    const double rate = r.uniform(0.5, 4.0);
    for (std::size_t i = 0; i < cells; ++i) g.hop_s[row * cells + i] = g.amount[i] / rate;
  }
  return g;
}

/// Any part of a resource may be there or not.
inline search::Resource random_resource(Random& r, const search::LayeredGraph& g) {
  const auto nodes = core::z(g.nodes());
  const auto arcs = g.arc_to.size();
  const auto cells = g.rows() * core::z(g.stride);
  search::Resource resource;
  if (r.chance(0.8)) resource.stage_rate = random_list(r, nodes, 0.0, 2.0);
  if (r.chance(0.8)) resource.hop_rate = random_list(r, arcs, 0.0, 2.0);
  // With cycles a walk that costs nothing could go round for ever.
  if (!g.acyclic || r.chance(0.5)) resource.hop_fixed = random_list(r, arcs, 0.1, 1.0);
  if (r.chance(0.3)) resource.amount_rate = r.uniform(0.0, 2.0);
  if (r.chance(0.5)) resource.choice = random_list(r, cells, 0.0, 1.0);
  if (r.chance(0.4)) {
    resource.work_extra = random_list(r, nodes * g.rows(), 0.0, 1.0);
    for (std::size_t v = 0; v < nodes; ++v) {  // prefix sums
      resource.work_extra[v * g.rows()] = 0.0;
      for (std::size_t l = 1; l < g.rows(); ++l)
        resource.work_extra[v * g.rows() + l] += resource.work_extra[v * g.rows() + l - 1];
    }
  }
  if (r.chance(0.4)) resource.enter_extra = random_list(r, nodes * cells, 0.0, 1.0);
  if (r.chance(0.4)) resource.leave_extra = random_list(r, nodes * cells, 0.0, 1.0);
  if (r.chance(0.4)) resource.final_extra = random_list(r, nodes, 0.0, 1.0);
  if (r.chance(0.3)) resource.hop_extra = random_list(r, arcs * cells, 0.0, 1.0);
  return resource;
}

/// So many resources under limits of which some bind.
inline search::Goal random_goal(Random& r, const search::LayeredGraph& g, std::size_t resources) {
  search::Goal goal;
  goal.objective = random_resource(r, g);
  const double rates[] = {0.0, 1.0, 7.0};
  goal.bottleneck_rate = rates[r.below(3)];
  for (std::size_t i = 0; i < resources; ++i) {
    goal.resources.push_back(random_resource(r, g));
    goal.limits.push_back(r.uniform(2.0, 12.0));
  }
  return goal;
}

}  // namespace constellm::tests
