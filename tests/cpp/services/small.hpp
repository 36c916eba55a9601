#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "constellm/services/evaluate.hpp"
#include "constellm/services/problem.hpp"
#include "constellm/services/routes.hpp"

namespace constellm::tests {

struct Arc {
  std::int32_t from;
  std::int32_t to;
  double rate_bps;
  double latency_s;
};

/// Nodes n0, n1, … of one speed and memory each.
inline network::Graph graph_of(const std::vector<double>& flop_per_s, const std::vector<Arc>& arcs,
                               double memory_bytes = 1e9) {
  std::vector<network::Node> nodes(flop_per_s.size());
  for (std::size_t v = 0; v < nodes.size(); ++v) {
    nodes[v].id = "n" + std::to_string(v);
    nodes[v].flop_per_s = flop_per_s[v];
    nodes[v].memory_bytes = memory_bytes;
  }
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
  network::LinkColumns columns;
  for (const Arc& arc : arcs) {
    from.push_back(arc.from);
    to.push_back(arc.to);
    columns.rate_bps.push_back(arc.rate_bps);
    columns.latency_s.push_back(arc.latency_s);
    columns.overhead_s.push_back(0.0);
  }
  return {std::make_shared<const network::NodeTable>(std::move(nodes)), from, to, columns};
}

inline std::vector<std::int32_t> all(std::int32_t nodes) {
  std::vector<std::int32_t> hosts;
  for (std::int32_t v = 0; v < nodes; ++v) hosts.push_back(v);
  return hosts;
}

/// A rectangle of nodes with equal links both ways between neighbours.
inline network::Graph grid(std::int32_t rows, std::int32_t columns) {
  std::vector<Arc> arcs;
  for (std::int32_t r = 0; r < rows; ++r) {
    for (std::int32_t c = 0; c < columns; ++c) {
      const std::int32_t v = r * columns + c;
      for (const std::int32_t w : {c + 1 < columns ? v + 1 : -1, r + 1 < rows ? v + columns : -1}) {
        if (w < 0) continue;
        arcs.push_back({v, w, 1e9, 0.01});
        arcs.push_back({w, v, 1e9, 0.01});
      }
    }
  }
  return graph_of(std::vector<double>(static_cast<std::size_t>(rows * columns), 1e12), arcs);
}

/// One task through services in a row, each fed by the one before it.
inline services::Task chain(std::int32_t source, std::int32_t sink, const std::vector<std::int32_t>& services,
                            double bytes) {
  services::Task task{.name = "t", .rate_per_s = 2.0, .source = source, .sink = sink, .stages = {}};
  for (const std::int32_t service : services) {
    const auto before = static_cast<std::int32_t>(task.stages.size()) - 1;
    task.stages.push_back({.service = service, .inputs = {{.from = before, .bytes = bytes}}});
  }
  return task;
}

inline services::Routes routes_of(const services::Problem& problem) {
  core::StopToken stop;
  return {problem, stop};
}

}  // namespace constellm::tests
