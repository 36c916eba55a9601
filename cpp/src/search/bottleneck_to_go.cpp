#include "constellm/search/bottleneck_to_go.hpp"

#include <algorithm>

#include "constellm/core/simd.hpp"

namespace constellm::search {
namespace {

using core::z;

// The kernels run over the rows of several levels in one call; a row is `stride` numbers.

/// best[i] = min(best[i], max(time[i], onward[i]))
CONSTELLM_SIMD void relax(std::size_t n, const double* time, const double* onward, double* best) {
  for (std::size_t i = 0; i < n; ++i) {
    const double value = time[i] < onward[i] ? onward[i] : time[i];
    best[i] = value < best[i] ? value : best[i];
  }
}

/// least[row] = min over k of values[row][k]
CONSTELLM_SIMD void least_of_rows(std::size_t rows, std::size_t stride, const double* values, double* least) {
  for (std::size_t r = 0; r < rows; ++r, values += stride) {
    double low = values[0];
    for (std::size_t k = 1; k < stride; ++k) low = values[k] < low ? values[k] : low;
    least[r] = low;
  }
}

/// arrive[row][k] = min(pass_on[row][k], stage[row])
CONSTELLM_SIMD void arrive_rows(std::size_t rows, std::size_t stride, const double* pass_on,
                                const double* stage, double* arrive) {
  for (std::size_t r = 0; r < rows; ++r, pass_on += stride, arrive += stride) {
    for (std::size_t k = 0; k < stride; ++k) arrive[k] = stage[r] < pass_on[k] ? stage[r] : pass_on[k];
  }
}

/// Without cycles vertex by vertex from the last, each over all its levels; with them level by level
/// from the last.
///
/// From a level, a stage takes longer the later it ends, so that of two ends the later is of use
/// only if what follows it has the lower bottleneck. The ends of use are kept by vertex: later ones
/// have ever lower bottlenecks after them, and the best is where the time of the stage overtakes them.
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
    table_.pass_on.resize(vertices * graph_.rows() * stride_);
    table_.stage.resize(vertices * graph_.rows());
    scratch_.arrive.resize(vertices * graph_.rows() * stride_);
    scratch_.after.resize(vertices * graph_.rows());
    scratch_.ends.resize(vertices * graph_.rows());
    scratch_.first.assign(vertices, graph_.levels + 1);
    scratch_.last.assign(vertices, graph_.levels + 1);
    overtaken_.assign(vertices, graph_.levels + 1);
    if (graph_.acyclic) {
      for (std::int32_t vertex = graph_.vertices(); vertex-- > 0;) {
        if (stop_.should_stop(graph_.rows() * stride_ / 64 + 1)) return;
        settle(vertex);
      }
    } else {
      std::fill(table_.pass_on.begin(), table_.pass_on.end(), kInfinity);
      std::fill(table_.stage.begin(), table_.stage.end(), kInfinity);
      table_.pass_on[graph_.at(graph_.sink, graph_.levels, 0)] = 0.0;
      for (std::int32_t level = graph_.levels; level >= 0; --level) {
        if (!settle_cycles(level)) return;
      }
    }
    table_.total =
        reach_.arrives(graph_.source, 0) ? scratch_.arrive[graph_.at(graph_.source, 0, 0)] : kInfinity;
  }

 private:
  /// All levels of a vertex whose followers are settled, within the reach.
  void settle(std::int32_t vertex) {
    const std::int32_t leave_lo = reach_.leave_lo[z(vertex)];
    const std::int32_t leave_hi = reach_.leave_hi[z(vertex)];
    const std::int32_t arrive_lo = reach_.arrive_lo[z(vertex)];
    const std::int32_t arrive_hi = reach_.arrive_hi[z(vertex)];
    if (leave_lo <= leave_hi) leave(vertex, leave_lo, leave_hi);
    if (arrive_lo > arrive_hi) return;
    double* stage = &table_.stage[graph_.at(vertex, 0)];
    std::fill(stage + arrive_lo, stage + arrive_hi + 1, kInfinity);
    if (graph_.hosts(vertex)) {
      for (std::int32_t level = std::max(leave_hi, arrive_hi); level >= arrive_lo; --level) {
        begin_stage(vertex, level);
        if (reach_.leaves(vertex, level)) add_end(vertex, level);
      }
    }
    double* arrive = &scratch_.arrive[graph_.at(vertex, 0, 0)];
    for (std::int32_t level = arrive_lo; level <= std::min(arrive_hi, leave_lo - 1); ++level)
      std::fill_n(arrive + z(level) * stride_, stride_, stage[level]);  // what comes must begin a stage
    const std::int32_t lo = std::max(arrive_lo, leave_lo);
    const std::int32_t hi = std::min(arrive_hi, leave_hi);
    if (lo > hi) return;
    arrive_rows(z(hi - lo + 1), stride_, &table_.pass_on[graph_.at(vertex, lo, 0)], stage + lo,
                arrive + z(lo) * stride_);
  }

  /// pass_on[vertex, leave_lo..leave_hi, .] over all arcs, and the least of each row.
  void leave(std::int32_t vertex, std::int32_t leave_lo, std::int32_t leave_hi) {
    double* best = &table_.pass_on[graph_.at(vertex, leave_lo, 0)];
    const std::size_t rows = z(leave_hi - leave_lo + 1);
    std::fill_n(best, rows * stride_, kInfinity);
    if (vertex == graph_.sink) table_.pass_on[graph_.at(vertex, graph_.levels, 0)] = 0.0;
    for (auto a = graph_.arc_begin[z(vertex)]; a < graph_.arc_begin[z(vertex) + 1]; ++a) {
      const std::int32_t to = graph_.arc_to[z(a)];
      const std::int32_t lo = std::max(leave_lo, reach_.arrive_lo[z(to)]);
      const std::int32_t hi = std::min(leave_hi, reach_.arrive_hi[z(to)]);
      if (lo > hi) continue;
      relax(z(hi - lo + 1) * stride_, &graph_.hop_s[graph_.at(graph_.arc_row[z(a)], lo, 0)],
            &scratch_.arrive[graph_.at(to, lo, 0)], &table_.pass_on[graph_.at(vertex, lo, 0)]);
    }
    if (graph_.hosts(vertex))
      least_of_rows(rows, stride_, best, &scratch_.after[graph_.at(vertex, leave_lo)]);
  }

  /// One level of all vertices, those above being settled. False when it was stopped.
  bool settle_cycles(std::int32_t level) {
    for (std::int32_t vertex = 0; vertex < graph_.vertices(); ++vertex) {
      begin_stage(vertex, level);
      arrive_rows(1, stride_, &table_.pass_on[graph_.at(vertex, level, 0)],
                  &table_.stage[graph_.at(vertex, level)], &scratch_.arrive[graph_.at(vertex, level, 0)]);
    }
    do {
      if (stop_.should_stop(graph_.arc_to.size() * stride_ / 64 + 1)) return false;
    } while (relax_arcs(level));
    for (std::int32_t vertex = 0; vertex < graph_.vertices(); ++vertex) {
      const auto row = graph_.at(vertex, level);
      least_of_rows(1, stride_, &table_.pass_on[graph_.at(vertex, level, 0)], &scratch_.after[row]);
      add_end(vertex, level);
    }
    return true;
  }

  void begin_stage(std::int32_t vertex, std::int32_t level) {
    if (level == graph_.levels || !graph_.hosts(vertex) || !reach_.arrives(vertex, level)) return;
    const std::int32_t node = graph_.node[z(vertex)];
    const std::int32_t first = scratch_.first[z(vertex)];
    auto& last = scratch_.last[z(vertex)];
    const std::int32_t furthest = reach_.furthest[graph_.at(node, level)];  // falls with the level
    while (last > first && scratch_.ends[graph_.at(vertex, last - 1)] > furthest) --last;
    const std::int32_t* ends = &scratch_.ends[graph_.at(vertex, 0)];
    const auto stage_s = [&](std::int32_t at) {
      return graph_.stage_fixed_s[z(node)] + graph_.work_time_s(node, level, at);
    };
    const auto after = [&](std::int32_t at) { return scratch_.after[graph_.at(vertex, at)]; };
    // A stage to the same end takes longer from ever lower levels: what has been overtaken stays so.
    auto& overtaken = overtaken_[z(vertex)];
    overtaken = std::clamp(overtaken, first, last);
    while (overtaken > first && !(stage_s(ends[overtaken - 1]) < after(ends[overtaken - 1]))) --overtaken;
    double best = kInfinity;
    if (overtaken < last) best = stage_s(ends[overtaken]);
    if (overtaken > first) best = std::min(best, after(ends[overtaken - 1]));
    table_.stage[graph_.at(vertex, level)] = best;
  }

  /// Once over all arcs; whether what arrives somewhere has changed.
  bool relax_arcs(std::int32_t level) {
    bool changed = false;
    for (std::int32_t vertex = graph_.vertices(); vertex-- > 0;) {
      double* best = &table_.pass_on[graph_.at(vertex, level, 0)];
      double* arrive = &scratch_.arrive[graph_.at(vertex, level, 0)];
      for (auto a = graph_.arc_begin[z(vertex)]; a < graph_.arc_begin[z(vertex) + 1]; ++a) {
        const double* time = &graph_.hop_s[graph_.at(graph_.arc_row[z(a)], level, 0)];
        const double* onward = &scratch_.arrive[graph_.at(graph_.arc_to[z(a)], level, 0)];
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
    const double after = scratch_.after[graph_.at(vertex, level)];
    if (after == kInfinity) return;
    auto& first = scratch_.first[z(vertex)];
    while (first < scratch_.last[z(vertex)] &&
           scratch_.after[graph_.at(vertex, scratch_.ends[graph_.at(vertex, first)])] >= after)
      ++first;
    auto& overtaken = overtaken_[z(vertex)];
    overtaken = std::max(overtaken, first);  // this end is not, for all we know
    scratch_.ends[graph_.at(vertex, --first)] = level;
  }

  const LayeredGraph& graph_;
  const Reach& reach_;
  core::StopToken& stop_;
  BottleneckPassScratch& scratch_;
  BottleneckToGo& table_;
  std::size_t stride_;
  // [vertices] the first of the ends that its stage takes longer than
  std::vector<std::int32_t> overtaken_;
};

}  // namespace

void bottleneck_pass(const LayeredGraph& graph, const Reach& reach, core::StopToken& stop,
                     BottleneckPassScratch& scratch, BottleneckToGo& table) {
  BottleneckPass(graph, reach, stop, scratch, table).run();
}

}  // namespace constellm::search
