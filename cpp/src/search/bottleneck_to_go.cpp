#include "constellm/search/bottleneck_to_go.hpp"

#include <algorithm>

namespace constellm::search {
namespace {

using core::z;

/// Level by level from the last.
///
/// From a level, a stage takes longer the later it ends, so that of two ends the later is of use
/// only if what follows it has the lower bottleneck. The ends of use are kept by vertex: later ones
/// have ever lower bottlenecks after them, and the best is found by bisection where the time of
/// the stage overtakes them.
class BottleneckPass {
 public:
  BottleneckPass(const LayeredGraph& graph, const Reach& reach, core::StopToken& stop,
                 BottleneckPassScratch& scratch, BottleneckToGo& table)
      : graph_(graph),
        reach_(reach),
        stop_(stop),
        scratch_(scratch),
        table_(table),
        stride_(z(graph.stride)) {}

  void run() {
    table_.total = 0.0;  // what a stopped pass bounds
    const auto vertices = z(graph_.vertices());
    table_.pass_on.assign(vertices * graph_.rows() * stride_, kInfinity);
    table_.stage.assign(vertices * graph_.rows(), kInfinity);
    scratch_.after.resize(vertices * graph_.rows());
    scratch_.ends.resize(vertices * graph_.rows());
    scratch_.first.assign(vertices, graph_.levels + 1);
    scratch_.last.assign(vertices, graph_.levels + 1);
    for (std::int32_t level = graph_.levels; level >= 0; --level) {
      scratch_.arrive.assign(vertices * stride_, kInfinity);
      for (std::int32_t vertex = 0; vertex < graph_.vertices(); ++vertex) begin_stage(vertex, level);
      if (level == graph_.levels) {
        table_.pass_on[graph_.at(graph_.sink, level, 0)] = 0.0;
        scratch_.arrive[z(graph_.sink) * stride_] = 0.0;
      }
      do {
        if (stop_.should_stop(graph_.arc_to.size() * stride_ / 64 + 1)) return;
      } while (relax_arcs(level) && !graph_.acyclic);
      for (std::int32_t vertex = 0; vertex < graph_.vertices(); ++vertex) add_end(vertex, level);
    }
    table_.total = scratch_.arrive[z(graph_.source) * stride_];
  }

 private:
  void begin_stage(std::int32_t vertex, std::int32_t level) {
    if (level == graph_.levels || !graph_.hosts(vertex) || !reach_.arrives(vertex, level)) return;
    const std::int32_t node = graph_.node[z(vertex)];
    const auto row = static_cast<std::ptrdiff_t>(graph_.at(vertex, 0));
    auto& last = scratch_.last[z(vertex)];
    const std::int32_t furthest = reach_.furthest[graph_.at(node, level)];  // falls with the level
    while (last > scratch_.first[z(vertex)] && scratch_.ends[graph_.at(vertex, last - 1)] > furthest) --last;
    const auto begin = scratch_.ends.begin() + row + scratch_.first[z(vertex)];
    const auto end = scratch_.ends.begin() + row + last;
    const auto stage_s = [&](std::int32_t at) {
      return graph_.stage_fixed_s[z(node)] + graph_.work_time_s(node, level, at);
    };
    const auto after = [&](std::int32_t at) { return scratch_.after[graph_.at(vertex, at)]; };
    const auto overtaken =
        std::partition_point(begin, end, [&](std::int32_t at) { return stage_s(at) < after(at); });
    double best = kInfinity;
    if (overtaken != end) best = stage_s(*overtaken);
    if (overtaken != begin) best = std::min(best, after(*(overtaken - 1)));
    table_.stage[graph_.at(vertex, level)] = best;
    std::fill_n(&scratch_.arrive[z(vertex) * stride_], stride_, best);
  }

  /// Once over all arcs; whether what arrives somewhere has changed.
  bool relax_arcs(std::int32_t level) {
    bool changed = false;
    for (std::int32_t vertex = graph_.vertices(); vertex-- > 0;) {
      double* best = &table_.pass_on[graph_.at(vertex, level, 0)];
      double* arrive = &scratch_.arrive[z(vertex) * stride_];
      for (auto a = graph_.arc_begin[z(vertex)]; a < graph_.arc_begin[z(vertex) + 1]; ++a) {
        const double* time = &graph_.hop_s[graph_.at(graph_.arc_row[z(a)], level, 0)];
        const double* onward = &scratch_.arrive[z(graph_.arc_to[z(a)]) * stride_];
        for (std::size_t k = 0; k < stride_; ++k) {
          const double value = std::max(time[k], onward[k]);
          if (!(value < best[k])) continue;
          best[k] = value;
          if (!(value < arrive[k])) continue;
          arrive[k] = value;
          changed = true;
        }
      }
    }
    return changed;
  }

  void add_end(std::int32_t vertex, std::int32_t level) {
    const double* best = &table_.pass_on[graph_.at(vertex, level, 0)];
    const double after = *std::min_element(best, best + stride_);
    scratch_.after[graph_.at(vertex, level)] = after;
    if (after == kInfinity) return;
    auto& first = scratch_.first[z(vertex)];
    while (first < scratch_.last[z(vertex)] &&
           scratch_.after[graph_.at(vertex, scratch_.ends[graph_.at(vertex, first)])] >= after)
      ++first;
    scratch_.ends[graph_.at(vertex, --first)] = level;
  }

  const LayeredGraph& graph_;
  const Reach& reach_;
  core::StopToken& stop_;
  BottleneckPassScratch& scratch_;
  BottleneckToGo& table_;
  std::size_t stride_;
};

}  // namespace

void bottleneck_pass(const LayeredGraph& graph, const Reach& reach, core::StopToken& stop,
                     BottleneckPassScratch& scratch, BottleneckToGo& table) {
  BottleneckPass(graph, reach, stop, scratch, table).run();
}

}  // namespace constellm::search
