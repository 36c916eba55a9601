#include <algorithm>
#include <limits>

#include "constellm/search/cost_to_go.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::search {

using core::z;

void trace(const LayeredGraph& graph, const Reach& reach, const CostToGo& table, Walk& walk) {
  walk.vertices.clear();
  walk.stages.clear();
  const ResourceExtension extension(graph, table.resource);
  const double cap = std::min(with_room(reach.cap_s), std::numeric_limits<double>::max());
  const auto hosted = [&](std::int32_t vertex, std::int32_t level, std::int32_t choice) {
    const std::int32_t node = graph.node[z(vertex)];
    if (level == graph.levels || !graph.hosts(vertex)) return kInfinity;
    return extension.enter(node, level, choice) + table.stage[graph.at(vertex, level)];
  };
  const auto passed_on = [&](std::int32_t vertex, std::int32_t level, std::int32_t choice) {
    return reach.leaves(vertex, level) ? table.pass_on[graph.at(vertex, level, choice)] : kInfinity;
  };

  std::int32_t vertex = graph.source;
  std::int32_t level = 0;
  std::int32_t choice = 0;
  // A relaxed walk over a graph with cycles is no longer than this.
  const std::size_t longest = z(graph.vertices()) * graph.rows() + 1;
  while (walk.vertices.size() < longest) {
    walk.vertices.push_back(vertex);
    if (hosted(vertex, level, choice) <= passed_on(vertex, level, choice)) {
      const std::int32_t node = graph.node[z(vertex)];
      std::int32_t end = -1;
      double best = kInfinity;
      for (std::int32_t e = level + 1; e <= reach.furthest[graph.at(node, level)]; ++e) {
        if (!reach.leaves(vertex, e)) continue;
        const double value = table.stage_end[graph.at(vertex, e)] +
                             extension.stage(node, graph.work_time_s(node, level, e), level, e);
        if (value < best) {
          best = value;
          end = e;
        }
      }
      if (end < 0) return;  // no walk: the caller looked at `total` first
      choice = 0;
      if (end < graph.levels) {
        double least = kInfinity;
        for (std::int32_t k = 0; k < graph.choices; ++k) {
          const double leave_s = graph.leave_time_s(node, end, k);
          const double value = extension.stage_rate(node) * leave_s + extension.end(node, end, k) +
                               table.pass_on[graph.at(vertex, end, k)];
          if (value < least) {
            least = value;
            choice = k;
          }
        }
      }
      walk.stages.push_back({vertex, level, end, choice});
      level = end;
    }
    if (vertex == graph.sink) return;
    std::int32_t next = -1;
    double best = kInfinity;
    for (auto a = graph.arc_begin[z(vertex)]; a < graph.arc_begin[z(vertex) + 1]; ++a) {
      const std::int32_t to = graph.arc_to[z(a)];
      const double hop_s = graph.hop_time_s(a, level, choice);
      if (!reach.arrives(to, level) || !(hop_s <= cap)) continue;
      double onward = std::min(hosted(to, level, choice), passed_on(to, level, choice));
      if (level == graph.levels && to == graph.sink) onward = 0.0;
      const double value = extension.hop(a, level, choice, hop_s) + onward;
      if (value < best) {
        best = value;
        next = to;
      }
    }
    if (next < 0) return;
    vertex = next;
  }
}

}  // namespace constellm::search
