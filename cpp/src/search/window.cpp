#include "constellm/search/window.hpp"

#include <algorithm>

#include "constellm/search/tolerance.hpp"

namespace constellm::search {

void Window::set(const LayeredGraph& graph, double cap) {
  cap_s = cap;
  const double room = with_room(cap);
  reach.resize(graph.reach.size());
  for (std::int32_t s = 0; s < graph.sites(); ++s) {
    if (graph.can_host[static_cast<std::size_t>(s)] == 0) continue;
    const double fixed = graph.stage_fixed_s[static_cast<std::size_t>(s)];
    std::int32_t last = graph.levels;
    for (std::int32_t j = graph.levels; j >= 0; --j) {
      last = std::min(last, graph.reach[graph.at(s, j)]);
      while (last > j && fixed + graph.work(s, j, last) > room) --last;
      reach[graph.at(s, j)] = last;
    }
  }
  const auto positions = static_cast<std::size_t>(graph.positions());
  if (!graph.acyclic) {
    arrive_lo.assign(positions, 0);
    leave_lo.assign(positions, 0);
    arrive_hi.assign(positions, graph.levels);
    leave_hi.assign(positions, graph.levels);
    return;
  }
  arrive_hi.assign(positions, -1);
  leave_hi.assign(positions, -1);
  arrive_hi[static_cast<std::size_t>(graph.source)] = 0;
  for (std::size_t p = 0; p < positions; ++p) {
    if (arrive_hi[p] < 0) continue;
    const auto site = static_cast<std::size_t>(graph.site[p]);
    leave_hi[p] = graph.can_host[site] != 0 ? reach[graph.at(graph.site[p], arrive_hi[p])] : arrive_hi[p];
    for (auto a = graph.arc_begin[p]; a < graph.arc_begin[p + 1]; ++a) {
      auto& hi = arrive_hi[static_cast<std::size_t>(graph.arc_to[static_cast<std::size_t>(a)])];
      hi = std::max(hi, leave_hi[p]);
    }
  }
  arrive_lo.assign(positions, graph.levels + 1);
  leave_lo.assign(positions, graph.levels + 1);
  leave_lo[static_cast<std::size_t>(graph.sink)] = graph.levels;
  for (std::size_t p = positions; p-- > 0;) {
    for (auto a = graph.arc_begin[p]; a < graph.arc_begin[p + 1]; ++a) {
      leave_lo[p] = std::min(leave_lo[p],
                             arrive_lo[static_cast<std::size_t>(graph.arc_to[static_cast<std::size_t>(a)])]);
    }
    arrive_lo[p] = leave_lo[p];
    if (leave_lo[p] > graph.levels || graph.can_host[static_cast<std::size_t>(graph.site[p])] == 0) continue;
    while (arrive_lo[p] > 0 && reach[graph.at(graph.site[p], arrive_lo[p] - 1)] >= leave_lo[p])
      --arrive_lo[p];
  }
}

}  // namespace constellm::search
