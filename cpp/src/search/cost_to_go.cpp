#include "constellm/search/cost_to_go.hpp"

#include <algorithm>
#include <limits>

#include "constellm/core/index.hpp"
#include "constellm/core/simd.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::search {
namespace {

using core::z;

// The kernels run over the rows of several levels in one call; a row is `stride` numbers.

/// best[i] = min(best[i], fixed + rate * time[i] + onward[i]) where time[i] <= cap.
CONSTELLM_SIMD void relax(std::size_t n, double fixed, double rate, const double* time, double cap,
                          const double* onward, double* best) {
  for (std::size_t i = 0; i < n; ++i) {
    const double value = fixed + rate * time[i] + onward[i];
    const double allowed = time[i] <= cap ? value : kInfinity;
    best[i] = allowed < best[i] ? allowed : best[i];
  }
}

/// The same with something added for every entry.
CONSTELLM_SIMD void relax_with(std::size_t n, double fixed, double rate, const double* time, double cap,
                               double added_rate, const double* added, const double* onward, double* best) {
  for (std::size_t i = 0; i < n; ++i) {
    const double value = fixed + rate * time[i] + added_rate * added[i] + onward[i];
    const double allowed = time[i] <= cap ? value : kInfinity;
    best[i] = allowed < best[i] ? allowed : best[i];
  }
}

/// arrive[row][k] = min(pass_on[row][k], rate * enter[row][k] + stage[row])
CONSTELLM_SIMD void arrive_rows(std::int32_t rows, std::int32_t stride, const double* pass_on, double rate,
                                const double* enter, const double* stage, double* arrive) {
  for (std::int32_t r = 0; r < rows; ++r) {
    for (std::int32_t k = 0; k < stride; ++k) {
      const double hosted = rate * enter[k] + stage[r];
      arrive[k] = hosted < pass_on[k] ? hosted : pass_on[k];
    }
    pass_on += stride;
    enter += stride;
    arrive += stride;
  }
}

/// arrive[row][k] = rate * enter[row][k] + stage[row], where nothing can be passed on.
CONSTELLM_SIMD void begin_rows(std::int32_t rows, std::int32_t stride, double rate, const double* enter,
                               const double* stage, double* arrive) {
  for (std::int32_t r = 0; r < rows; ++r) {
    for (std::int32_t k = 0; k < stride; ++k) arrive[k] = rate * enter[k] + stage[r];
    enter += stride;
    arrive += stride;
  }
}

/// least[row] = min over k of rate * leave[row][k] + choice[row][k] + pass_on[row][k]. Four running
/// minima, so that a row needs no shuffles.
CONSTELLM_SIMD void least_of_rows(std::int32_t rows, std::int32_t stride, double rate, const double* leave,
                                  const double* choice, const double* pass_on, double* least) {
  for (std::int32_t r = 0; r < rows; ++r) {
    double lane[4] = {kInfinity, kInfinity, kInfinity, kInfinity};
    for (std::int32_t k = 0; k < stride; k += 4) {
      for (std::int32_t i = 0; i < 4; ++i) {
        const double value = rate * leave[k + i] + choice[k + i] + pass_on[k + i];
        lane[i] = value < lane[i] ? value : lane[i];
      }
    }
    const double low = lane[0] < lane[1] ? lane[0] : lane[1];
    const double high = lane[2] < lane[3] ? lane[2] : lane[3];
    least[r] = low < high ? low : high;
    leave += stride;
    choice += stride;
    pass_on += stride;
  }
}

/// One pass. Without cycles vertex by vertex from the last, each over all its levels; with
/// them level by level from the last, each until nothing changes.
class CostPass {
 public:
  CostPass(const LayeredGraph& graph, const Reach& reach, core::StopToken& stop, CostPassScratch& scratch,
           CostToGo& table)
      : graph_(graph),
        reach_(reach),
        stop_(stop),
        scratch_(scratch),
        table_(table),
        extension_(graph, table.resource),
        stride_(z(graph.stride)),
        cap_(std::min(with_room(reach.cap_s), std::numeric_limits<double>::max())) {}

  void run() {
    table_.total = -kInfinity;  // what a stopped pass bounds
    const auto vertices = z(graph_.vertices());
    table_.pass_on.resize(vertices * graph_.rows() * stride_);
    table_.stage.resize(vertices * graph_.rows());
    table_.stage_end.resize(vertices * graph_.rows());
    scratch_.arrive.resize(vertices * graph_.rows() * stride_);
    scratch_.key.resize(vertices * graph_.rows());
    scratch_.queue.resize(vertices * graph_.rows());
    scratch_.queue_head.assign(vertices, 0);
    scratch_.queue_tail.assign(vertices, 0);
    if (table_.resource.choice.empty()) table_.resource.choice.assign(graph_.rows() * stride_, 0.0);

    if (graph_.acyclic) {
      for (std::int32_t vertex = graph_.vertices(); vertex-- > 0;) {
        if (stop_.should_stop(work_of(graph_.rows()))) return;
        const Span left{reach_.leave_lo[z(vertex)], reach_.leave_hi[z(vertex)]};
        const Span come{reach_.arrive_lo[z(vertex)], reach_.arrive_hi[z(vertex)]};
        if (!left.empty()) {
          clear(vertex, left);
          relax_arcs(vertex, left);
          end_stages(vertex, left);
        }
        if (!come.empty() && graph_.hosts(vertex)) {
          begin_stages(vertex, come, left);
          arrive(vertex, come, left);
        }
      }
    } else {
      settle_cycles();
    }
    if (stop_.reason() != core::StopReason::none) return;
    table_.total = reach_.arrives(graph_.source, 0) ? *arrived(graph_.source, 0) : kInfinity;
  }

 private:
  /// Levels lo..hi, both included.
  struct Span {
    std::int32_t lo;
    std::int32_t hi;
    [[nodiscard]] bool empty() const { return lo > hi; }
    [[nodiscard]] std::int32_t rows() const { return hi - lo + 1; }
  };

  /// Units for the stop token of some levels of a vertex: four entries take about one.
  [[nodiscard]] std::uint64_t work_of(std::size_t rows) const { return rows * stride_ / 64 + 1; }
  [[nodiscard]] double choice_rate(std::int32_t node) const {
    return extension_.stage_rate(node) * graph_.choice_scale[z(node)];
  }

  /// What is to go on arrival in each choice. Relays only pass on.
  [[nodiscard]] const double* arrived(std::int32_t vertex, std::int32_t level) const {
    const std::vector<double>& row = graph_.hosts(vertex) ? scratch_.arrive : table_.pass_on;
    return &row[graph_.at(vertex, level, 0)];
  }

  void clear(std::int32_t vertex, Span levels) {
    double* best = &table_.pass_on[graph_.at(vertex, levels.lo, 0)];
    std::fill(best, best + z(levels.rows()) * stride_, kInfinity);
    if (vertex == graph_.sink && levels.hi == graph_.levels)
      table_.pass_on[graph_.at(vertex, graph_.levels, 0)] = 0.0;
  }

  /// pass_on[vertex, levels, .] over all arcs.
  void relax_arcs(std::int32_t vertex, Span levels) {
    for (auto a = graph_.arc_begin[z(vertex)]; a < graph_.arc_begin[z(vertex) + 1]; ++a)
      relax_arc(vertex, a, levels);
  }

  void relax_arc(std::int32_t vertex, std::int32_t a, Span levels) {
    const Resource& resource = table_.resource;
    const std::int32_t to = graph_.arc_to[z(a)];
    const Span both{std::max(levels.lo, reach_.arrive_lo[z(to)]),
                    std::min(levels.hi, reach_.arrive_hi[z(to)])};
    if (both.empty()) return;
    const std::size_t n = z(both.rows()) * stride_;
    const double* time = &graph_.hop_s[graph_.at(graph_.arc_row[z(a)], both.lo, 0)];
    const double* onward = arrived(to, both.lo);
    double* best = &table_.pass_on[graph_.at(vertex, both.lo, 0)];
    if (!resource.hop_extra.empty()) {
      const double* extra = &resource.hop_extra[graph_.at(a, both.lo, 0)];
      if (resource.amount_rate != 0.0) {
        // An amount is infinite only where there is no such choice, and so is the hop's time.
        const double* amount = &graph_.amount[graph_.at(0, both.lo, 0)];
        added_.resize(n);
        for (std::size_t i = 0; i < n; ++i) added_[i] = extra[i] + resource.amount_rate * amount[i];
        extra = added_.data();
      }
      relax_with(n, extension_.hop_fixed(a), extension_.hop_rate(a), time, cap_, 1.0, extra, onward, best);
    } else if (resource.amount_rate != 0.0) {
      relax_with(n, extension_.hop_fixed(a), extension_.hop_rate(a), time, cap_, resource.amount_rate,
                 &graph_.amount[graph_.at(0, both.lo, 0)], onward, best);
    } else {
      relax(n, extension_.hop_fixed(a), extension_.hop_rate(a), time, cap_, onward, best);
    }
  }

  /// stage_end[vertex, levels]: the best choice to end a stage in.
  void end_stages(std::int32_t vertex, Span levels) {
    if (!graph_.hosts(vertex)) return;
    const std::int32_t node = graph_.node[z(vertex)];
    double* least = &table_.stage_end[graph_.at(vertex, levels.lo)];
    const double* pass_on = &table_.pass_on[graph_.at(vertex, levels.lo, 0)];
    if (table_.resource.leave_extra.empty()) {
      least_of_rows(levels.rows(), graph_.stride, choice_rate(node),
                    &graph_.leave_s[graph_.at(0, levels.lo, 0)],
                    &table_.resource.choice[graph_.at(0, levels.lo, 0)], pass_on, least);
    } else {
      for (std::int32_t level = levels.lo; level <= levels.hi; ++level, ++least, pass_on += stride_) {
        *least = kInfinity;
        for (std::int32_t k = 0; k < graph_.choices_at(level) && level < graph_.levels; ++k) {
          const double leave_s = graph_.leave_time_s(node, level, k);
          *least = std::min(
              *least, extension_.stage_rate(node) * leave_s + extension_.end(node, level, k) + pass_on[k]);
        }
      }
    }
    if (levels.hi == graph_.levels) {
      table_.stage_end[graph_.at(vertex, graph_.levels)] =
          table_.pass_on[graph_.at(vertex, graph_.levels, 0)] + extension_.end(node, graph_.levels, 0);
    }
  }

  /// Where stages at a vertex may well end, a monotone queue: each by what is to go from there and all work
  /// before it. Its ends are kept in the scratch, its numbers at hand.
  struct Ends {
    const double* stage_end;
    const double* work_s;
    const double* work_extra;  // or null
    double rate;
    double* key;
    std::int32_t* queue;
    std::int32_t head;
    std::int32_t tail;

    [[nodiscard]] double work_before(std::int32_t level) const {
      return work_extra == nullptr ? rate * work_s[level] : rate * work_s[level] + work_extra[level];
    }
    void enter(std::int32_t level) {
      if (level == 0 || stage_end[level] == kInfinity) return;
      const double cost = stage_end[level] + work_before(level);
      key[level] = cost;
      while (tail > head && key[queue[tail - 1]] >= cost) --tail;
      queue[tail++] = level;
    }
    /// The best end in (level, furthest], without the work before `level`; levels fall from call to call.
    [[nodiscard]] double best(std::int32_t level, std::int32_t furthest) {
      while (head < tail && queue[head] > furthest) ++head;
      return head == tail ? kInfinity : key[queue[head]] - work_before(level);
    }
  };

  [[nodiscard]] Ends ends_of(std::int32_t vertex, std::int32_t node) {
    const std::vector<double>& extra = table_.resource.work_extra;
    const std::size_t row = graph_.at(vertex, 0);
    return {&table_.stage_end[row],
            &graph_.work_s[graph_.at(node, 0)],
            extra.empty() ? nullptr : &extra[graph_.at(node, 0)],
            extension_.stage_rate(node),
            &scratch_.key[row],
            &scratch_.queue[row],
            scratch_.queue_head[z(vertex)],
            scratch_.queue_tail[z(vertex)]};
  }

  void keep(const Ends& ends, std::int32_t vertex) {
    scratch_.queue_head[z(vertex)] = ends.head;
    scratch_.queue_tail[z(vertex)] = ends.tail;
  }

  /// stage[vertex, levels]: the best end in (level, reach]. Ends enter the queue as the levels fall;
  /// `left` is where stages can end.
  void begin_stages(std::int32_t vertex, Span levels, Span left) {
    const std::int32_t node = graph_.node[z(vertex)];
    const double fixed = extension_.stage_rate(node) * graph_.stage_fixed_s[z(node)];
    const std::int32_t* furthest = &reach_.furthest[graph_.at(node, 0)];
    double* stage = &table_.stage[graph_.at(vertex, 0)];
    if (graph_.coarse[z(node)] != 0) {
      for (std::int32_t level = levels.hi; level >= levels.lo; --level) {
        if (stop_.should_stop(graph_.rows() / 16)) return;
        stage[level] = fixed + best_end_by_sum(vertex, node, level);
      }
      return;
    }
    Ends ends = ends_of(vertex, node);
    std::int32_t next = left.hi;  // the next end to enter
    for (std::int32_t level = levels.hi; level >= levels.lo; --level) {
      for (; next > level && next >= left.lo; --next) ends.enter(next);
      stage[level] = fixed + ends.best(level, furthest[level]);
    }
    keep(ends, vertex);
  }

  [[nodiscard]] double best_end_by_sum(std::int32_t vertex, std::int32_t node, std::int32_t level) const {
    double best = kInfinity;
    for (std::int32_t end = level + 1; end <= reach_.furthest[graph_.at(node, level)]; ++end) {
      if (!reach_.leaves(vertex, end)) continue;
      best = std::min(best, table_.stage_end[graph_.at(vertex, end)] +
                                extension_.stage(node, graph_.work_time_s(node, level, end), level, end));
    }
    return best;
  }

  /// arrive[vertex, levels, .]: begin a stage, or pass on what came.
  void arrive(std::int32_t vertex, Span levels, Span left) {
    const std::int32_t node = graph_.node[z(vertex)];
    if (!table_.resource.enter_extra.empty()) {
      for (std::int32_t level = levels.lo; level <= levels.hi; ++level)
        arrive_row(vertex, node, level, left.lo <= level && level <= left.hi);
      return;
    }
    // What comes at levels below those that can leave must begin a stage.
    const Span must{levels.lo, left.empty() ? levels.hi : std::min(levels.hi, left.lo - 1)};
    if (!must.empty()) {
      begin_rows(must.rows(), graph_.stride, choice_rate(node), &graph_.enter_s[graph_.at(0, must.lo, 0)],
                 &table_.stage[graph_.at(vertex, must.lo)], &scratch_.arrive[graph_.at(vertex, must.lo, 0)]);
    }
    const Span may{must.hi + 1, std::min(levels.hi, left.hi)};
    if (!may.empty()) {
      arrive_rows(may.rows(), graph_.stride, &table_.pass_on[graph_.at(vertex, may.lo, 0)], choice_rate(node),
                  &graph_.enter_s[graph_.at(0, may.lo, 0)], &table_.stage[graph_.at(vertex, may.lo)],
                  &scratch_.arrive[graph_.at(vertex, may.lo, 0)]);
    }
  }

  void arrive_row(std::int32_t vertex, std::int32_t node, std::int32_t level, bool leaves) {
    const auto row = graph_.at(vertex, level, 0);
    for (std::int32_t k = 0; k < graph_.stride; ++k) {
      const double hosted = k < graph_.choices_at(level)
                                ? extension_.enter(node, level, k) + table_.stage[graph_.at(vertex, level)]
                                : kInfinity;
      scratch_.arrive[row + z(k)] = leaves ? std::min(table_.pass_on[row + z(k)], hosted) : hosted;
    }
  }

  /// Passing on at one level is a shortest-path problem over the vertices: sweep until nothing
  /// changes (costs are not negative, so at most `vertices` sweeps), over the arcs to where something
  /// has changed since the last sweep.
  void settle_cycles() {
    for (std::int32_t level = graph_.levels; level >= 0; --level) {
      const Span here{level, level};
      for (std::int32_t vertex = 0; vertex < graph_.vertices(); ++vertex) {
        clear(vertex, here);
        if (!graph_.hosts(vertex)) continue;
        begin_stage_here(vertex, level);
        arrive(vertex, here, here);
      }
      changed_in_.assign(z(graph_.vertices()), 0);
      bool changed = true;
      for (std::int32_t sweep = 1; changed; ++sweep) {
        if (stop_.should_stop(work_of(graph_.arc_to.size()))) return;
        changed = false;
        for (std::int32_t vertex = graph_.vertices(); vertex-- > 0;) {
          if (!settle(vertex, here, sweep)) continue;
          if (graph_.hosts(vertex)) {
            const double* now = arrived(vertex, level);
            before_.assign(now, now + stride_);
            arrive(vertex, here, here);
            if (std::equal(before_.begin(), before_.end(), now)) continue;
          }
          changed_in_[z(vertex)] = sweep;
          changed = true;
        }
      }
      for (std::int32_t vertex = 0; vertex < graph_.vertices(); ++vertex) {
        end_stages(vertex, here);
        if (graph_.hosts(vertex)) enter_end(vertex, level);
      }
    }
  }

  /// Whether passing on from a vertex has become cheaper.
  bool settle(std::int32_t vertex, Span here, std::int32_t sweep) {
    const double* best = &table_.pass_on[graph_.at(vertex, here.lo, 0)];
    before_.assign(best, best + stride_);
    for (auto a = graph_.arc_begin[z(vertex)]; a < graph_.arc_begin[z(vertex) + 1]; ++a) {
      if (changed_in_[z(graph_.arc_to[z(a)])] >= sweep - 1) relax_arc(vertex, a, here);
    }
    return !std::equal(before_.begin(), before_.end(), best);
  }

  void enter_end(std::int32_t vertex, std::int32_t level) {
    Ends ends = ends_of(vertex, graph_.node[z(vertex)]);
    ends.enter(level);
    keep(ends, vertex);
  }

  void begin_stage_here(std::int32_t vertex, std::int32_t level) {
    begin_stages(vertex, {level, level}, {level + 1, level});  // ends above are in the queue already
  }

  const LayeredGraph& graph_;
  const Reach& reach_;
  core::StopToken& stop_;
  CostPassScratch& scratch_;
  CostToGo& table_;
  ResourceExtension extension_;
  std::size_t stride_;
  double cap_;
  std::vector<double> before_;
  std::vector<std::int32_t> changed_in_;  ///< [vertices] the last sweep that changed what arrives there
  std::vector<double> added_;
};

}  // namespace

void cost_pass(const LayeredGraph& graph, const Reach& reach, core::StopToken& stop, CostPassScratch& scratch,
               CostToGo& table) {
  CostPass(graph, reach, stop, scratch, table).run();
}

}  // namespace constellm::search
