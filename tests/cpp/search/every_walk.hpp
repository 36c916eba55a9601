#pragma once
#include <algorithm>
#include <vector>

#include "constellm/search/goal.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::tests {

/// Sums over a part of a walk.
struct Sums {
  double cost = 0.0;
  double bottleneck = 0.0;       ///< longest stage or hop
  double bare_bottleneck = 0.0;  ///< the same without entering and leaving times, as BottleneckToGo has it
  std::vector<double> used;      ///< [resources]; empty: none of any yet
};

/// Every way to complete a walk, by the definitions of `LayeredGraph` and `Resource` alone. `visit` is called
/// with the sums; `walk()` is what was walked since the start. No stage without its entering and leaving
/// times, and no hop, is longer than `cap`.
class EveryWalk {
 public:
  EveryWalk(const search::LayeredGraph& graph, const search::Goal& goal, double cap = search::kInfinity)
      : graph_(graph), goal_(goal), cap_(search::with_room(cap)), visited_(z(graph.nodes()), false) {}

  [[nodiscard]] const search::Walk& walk() const { return walk_; }

  /// Forgets what was walked, and stands at a vertex.
  void stand_at(std::int32_t vertex) {
    visited_.assign(visited_.size(), false);
    visit(vertex);
  }
  void visit(std::int32_t vertex) { visited_[z(graph_.node[z(vertex)])] = true; }

  template <class Visit>
  void from_source(Visit&& visit) {
    arrive(graph_.source, 0, 0, {}, visit);
  }

  /// From the arrival at a vertex with `level` units done, in `choice`.
  template <class Visit>
  void arrive(std::int32_t vertex, std::int32_t level, std::int32_t choice, const Sums& sums, Visit&& visit) {
    const std::int32_t node = graph_.node[z(vertex)];
    visited_[z(node)] = true;
    walk_.vertices.push_back(vertex);
    if (vertex == graph_.sink && level == graph_.levels) {
      visit(sums);
    } else {
      leave(vertex, level, choice, sums, visit);
      if (graph_.can_host[z(node)] != 0) {
        const double enter_s = graph_.choice_scale[z(node)] * graph_.enter_s[graph_.at(0, level, choice)];
        Sums next = sums;
        add(next, [&](const search::Resource& m) {
          return at(m.stage_rate, z(node)) * enter_s + at(m.enter_extra, graph_.at(node, level, choice));
        });
        stage(vertex, level, enter_s, next, visit);
      }
    }
    walk_.vertices.pop_back();
    visited_[z(node)] = false;
  }

  /// From the beginning of a stage whose entering time is in `sums` already.
  template <class Visit>
  void stage(std::int32_t vertex, std::int32_t level, double enter_s, const Sums& sums, Visit&& visit) {
    const std::int32_t node = graph_.node[z(vertex)];
    const double* work = &graph_.work_s[graph_.at(node, 0)];
    for (std::int32_t end = level + 1; end <= graph_.furthest[graph_.at(node, level)]; ++end) {
      if (!graph_.allows(node, end - 1)) break;
      const double work_s = graph_.stage_fixed_s[z(node)] + (work[end] - work[level]);
      if (work_s > cap_) continue;
      for (std::int32_t k = 0; k < (end == graph_.levels ? 1 : graph_.choices); ++k) {
        const auto choice = graph_.at(0, end, k);
        const bool last = end == graph_.levels;
        const double leave_s = last ? 0.0 : graph_.choice_scale[z(node)] * graph_.leave_s[choice];
        Sums next = sums;
        next.bottleneck = std::max(next.bottleneck, enter_s + work_s + leave_s);
        next.bare_bottleneck = std::max(next.bare_bottleneck, work_s);
        add(next, [&](const search::Resource& m) {
          const double ending = last ? at(m.final_extra, z(node))
                                     : at(m.choice, choice) + at(m.leave_extra, graph_.at(node, end, k));
          return at(m.stage_rate, z(node)) * (work_s + leave_s) + at(m.work_extra, graph_.at(node, end)) -
                 at(m.work_extra, graph_.at(node, level)) + ending;
        });
        walk_.stages.push_back({vertex, level, end, k});
        leave(vertex, end, k, next, visit);
        walk_.stages.pop_back();
      }
    }
  }

  /// From leaving a vertex in `choice`.
  template <class Visit>
  void leave(std::int32_t vertex, std::int32_t level, std::int32_t choice, const Sums& sums, Visit&& visit) {
    if (vertex == graph_.sink) {
      if (level == graph_.levels) visit(sums);
      return;
    }
    for (auto a = graph_.arc_begin[z(vertex)]; a < graph_.arc_begin[z(vertex) + 1]; ++a) {
      const std::int32_t to = graph_.arc_to[z(a)];
      const double hop_s = graph_.hop_s[graph_.at(graph_.arc_row[z(a)], level, choice)];
      if (visited_[z(graph_.node[z(to)])] || !(hop_s <= cap_)) continue;
      Sums next = sums;
      next.bottleneck = std::max(next.bottleneck, hop_s);
      next.bare_bottleneck = std::max(next.bare_bottleneck, hop_s);
      add(next, [&](const search::Resource& m) {
        return at(m.hop_fixed, z(a)) + at(m.hop_rate, z(a)) * hop_s +
               m.amount_rate * graph_.amount[graph_.at(0, level, choice)] +
               at(m.hop_extra, graph_.at(a, level, choice));
      });
      arrive(to, level, choice, next, visit);
    }
  }

 private:
  static std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }
  static double at(const std::vector<double>& values, std::size_t i) {
    return values.empty() ? 0.0 : values[i];
  }

  template <class Share>
  void add(Sums& sums, Share share) const {
    sums.cost += share(goal_.objective);
    sums.used.resize(goal_.resources.size());
    for (std::size_t r = 0; r < goal_.resources.size(); ++r) sums.used[r] += share(goal_.resources[r]);
  }

  const search::LayeredGraph& graph_;
  const search::Goal& goal_;
  double cap_;
  std::vector<bool> visited_;  ///< [nodes]
  search::Walk walk_;
};

/// Whether the limits of the goal are kept.
inline bool keeps_limits(const search::Goal& goal, const Sums& sums) {
  for (std::size_t r = 0; r < sums.used.size(); ++r) {
    if (sums.used[r] > goal.limits[r]) return false;
  }
  return true;
}

}  // namespace constellm::tests
