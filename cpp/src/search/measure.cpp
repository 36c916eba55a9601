#include "constellm/search/measure.hpp"

#include <algorithm>

namespace constellm::search {

using core::z;

void measure(const LayeredGraph& graph, const Goal& goal, const Walk& walk, Consumption& out) {
  out.cost = 0.0;
  out.bottleneck = 0.0;
  out.used.assign(goal.resources.size(), 0.0);
  const auto each_resource = [&](auto&& added) {
    out.cost += added(ResourceExtension(graph, goal.objective));
    for (std::size_t r = 0; r < goal.resources.size(); ++r)
      out.used[r] += added(ResourceExtension(graph, goal.resources[r]));
  };
  std::int32_t level = 0;
  std::int32_t choice = 0;
  std::size_t next_stage = 0;
  for (std::size_t i = 0; i < walk.vertices.size(); ++i) {
    const std::int32_t vertex = walk.vertices[i];
    const std::int32_t node = graph.node[z(vertex)];
    if (next_stage < walk.stages.size() && walk.stages[next_stage].vertex == vertex &&
        walk.stages[next_stage].first == level) {
      const Stage& stage = walk.stages[next_stage++];
      double stage_s = graph.stage_fixed_s[z(node)] + graph.work_time_s(node, stage.first, stage.last);
      if (stage.last < graph.levels) stage_s += graph.leave_time_s(node, stage.last, stage.choice);
      out.bottleneck = std::max(out.bottleneck, graph.enter_time_s(node, level, choice) + stage_s);
      each_resource([&](const ResourceExtension& r) {
        return r.enter(node, level, choice) + r.stage(node, stage_s, stage.first, stage.last) +
               r.end(node, stage.last, stage.choice);
      });
      level = stage.last;
      choice = stage.choice;
    }
    if (i + 1 == walk.vertices.size()) break;
    for (auto a = graph.arc_begin[z(vertex)]; a < graph.arc_begin[z(vertex) + 1]; ++a) {
      if (graph.arc_to[z(a)] != walk.vertices[i + 1]) continue;
      const double hop_s = graph.hop_time_s(a, level, choice);
      out.bottleneck = std::max(out.bottleneck, hop_s);
      each_resource([&](const ResourceExtension& r) { return r.hop(a, level, choice, hop_s); });
      break;
    }
  }
}

}  // namespace constellm::search
