#include "constellm/search/reach.hpp"

#include <algorithm>

#include "constellm/search/tolerance.hpp"

namespace constellm::search {

using core::z;

void Reach::set(const LayeredGraph& graph, double cap, core::StopToken& stop) {
  cap_s = cap;
  set_stages(graph, stop);
  const auto vertices = z(graph.vertices());
  if (graph.acyclic) {
    set_levels(graph);
    return;
  }
  arrive_lo.assign(vertices, 0);
  leave_lo.assign(vertices, 0);
  arrive_hi.assign(vertices, graph.levels);
  leave_hi.assign(vertices, graph.levels);
}

/// How far a stage reaches from every level: the cap and the graph's own limits.
void Reach::set_stages(const LayeredGraph& graph, core::StopToken& stop) {
  const double room = with_room(cap_s);
  furthest.resize(graph.furthest.size());
  for (std::int32_t node = 0; node < graph.nodes(); ++node) {
    if (stop.should_stop(graph.rows() / 16)) {
      furthest = graph.furthest;
      return;
    }
    if (graph.can_host[z(node)] == 0) continue;
    const double fixed = graph.stage_fixed_s[z(node)];
    const std::size_t row = graph.at(node, 0);
    const double* work_s = &graph.work_s[row];
    const double* work_low_s = &graph.work_low_s[row];
    const std::int32_t* most = &graph.furthest[row];
    std::int32_t* reached = &furthest[row];
    std::int32_t last = graph.levels;
    for (std::int32_t level = graph.levels; level >= 0; --level) {
      if (level < graph.levels && !graph.allows(node, level)) last = level;
      last = std::min(last, most[level]);
      const auto stage_s = [&](std::int32_t end) {
        return fixed + ((work_s[end] - work_s[level]) + (work_low_s[end] - work_low_s[level]));
      };
      while (last > level && stage_s(last) > room) --last;
      reached[level] = last;
    }
  }
}

/// The levels of every vertex, from the source on and from the sink back.
void Reach::set_levels(const LayeredGraph& graph) {
  const auto vertices = z(graph.vertices());
  arrive_hi.assign(vertices, -1);
  leave_hi.assign(vertices, -1);
  arrive_hi[z(graph.source)] = 0;
  for (std::int32_t vertex = 0; vertex < graph.vertices(); ++vertex) {
    const std::int32_t latest = arrive_hi[z(vertex)];
    if (latest < 0) continue;
    leave_hi[z(vertex)] = graph.hosts(vertex) ? furthest[graph.at(graph.node[z(vertex)], latest)] : latest;
    for (auto a = graph.arc_begin[z(vertex)]; a < graph.arc_begin[z(vertex) + 1]; ++a) {
      auto& hi = arrive_hi[z(graph.arc_to[z(a)])];
      hi = std::max(hi, leave_hi[z(vertex)]);
    }
  }
  arrive_lo.assign(vertices, graph.levels + 1);
  leave_lo.assign(vertices, graph.levels + 1);
  leave_lo[z(graph.sink)] = graph.levels;
  for (std::int32_t vertex = graph.vertices(); vertex-- > 0;) {
    for (auto a = graph.arc_begin[z(vertex)]; a < graph.arc_begin[z(vertex) + 1]; ++a)
      leave_lo[z(vertex)] = std::min(leave_lo[z(vertex)], arrive_lo[z(graph.arc_to[z(a)])]);
    auto& lo = arrive_lo[z(vertex)];
    lo = leave_lo[z(vertex)];
    if (lo > graph.levels || !graph.hosts(vertex)) continue;
    while (lo > 0 && furthest[graph.at(graph.node[z(vertex)], lo - 1)] >= leave_lo[z(vertex)]) --lo;
  }
}

}  // namespace constellm::search
