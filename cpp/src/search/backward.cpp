#include "constellm/search/backward.hpp"

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

/// least[row] = min over k of rate * leave[row][k] + option[row][k] + pass_on[row][k]. Four running
/// minima, so that a row needs no shuffles.
CONSTELLM_SIMD void least_of_rows(std::int32_t rows, std::int32_t stride, double rate, const double* leave,
                                  const double* option, const double* pass_on, double* least) {
  for (std::int32_t r = 0; r < rows; ++r) {
    double lane[4] = {kInfinity, kInfinity, kInfinity, kInfinity};
    for (std::int32_t k = 0; k < stride; k += 4) {
      for (std::int32_t i = 0; i < 4; ++i) {
        const double value = rate * leave[k + i] + option[k + i] + pass_on[k + i];
        lane[i] = value < lane[i] ? value : lane[i];
      }
    }
    const double low = lane[0] < lane[1] ? lane[0] : lane[1];
    const double high = lane[2] < lane[3] ? lane[2] : lane[3];
    least[r] = low < high ? low : high;
    leave += stride;
    option += stride;
    pass_on += stride;
  }
}

/// One pass. Without cycles position by position from the last, each over all its levels; with
/// them level by level from the last, each until nothing changes.
class Pass {
 public:
  Pass(const LayeredGraph& graph, const Window& window, PassScratch& scratch, CostToGo& table)
      : g_(graph),
        w_(window),
        s_(scratch),
        t_(table),
        view_(graph, table.meter),
        stride_(z(graph.stride)),
        cap_(std::min(with_room(window.cap_s), std::numeric_limits<double>::max())) {}

  void run() {
    const auto positions = z(g_.positions());
    t_.pass_on.resize(positions * g_.rows() * stride_);
    t_.stage.resize(positions * g_.rows());
    t_.stage_end.resize(positions * g_.rows());
    s_.arrive.resize(positions * g_.rows() * stride_);
    s_.key.resize(positions * g_.rows());
    s_.queue.resize(positions * g_.rows());
    s_.queue_head.assign(positions, 0);
    s_.queue_tail.assign(positions, 0);
    if (t_.meter.option.empty()) t_.meter.option.assign(g_.rows() * stride_, 0.0);

    if (g_.acyclic) {
      for (std::int32_t p = g_.positions(); p-- > 0;) {
        const Span left{w_.leave_lo[z(p)], w_.leave_hi[z(p)]};
        const Span come{w_.arrive_lo[z(p)], w_.arrive_hi[z(p)]};
        if (!left.empty()) {
          clear(p, left);
          relax_arcs(p, left);
          end_stages(p, left);
        }
        if (!come.empty()) {
          begin_stages(p, come, left);
          arrive(p, come, left);
        }
      }
    } else {
      settle_cycles();
    }
    t_.total = w_.arrives(g_.source, 0) ? s_.arrive[g_.options_at(g_.source, 0)] : kInfinity;
  }

 private:
  /// Levels lo..hi, both included.
  struct Span {
    std::int32_t lo;
    std::int32_t hi;
    [[nodiscard]] bool empty() const { return lo > hi; }
    [[nodiscard]] std::int32_t rows() const { return hi - lo + 1; }
  };

  [[nodiscard]] bool hosts(std::int32_t p) const { return g_.can_host[z(g_.site[z(p)])] != 0; }
  [[nodiscard]] double form_rate(std::int32_t site) const {
    return view_.stage_rate(site) * g_.form_scale[z(site)];
  }

  [[nodiscard]] double work_prefix(std::int32_t site, std::int32_t level) const {
    double total = view_.stage_rate(site) * g_.work_s[g_.at(site, level)];
    if (!t_.meter.work_extra.empty()) total += t_.meter.work_extra[g_.at(site, level)];
    return total;
  }

  void clear(std::int32_t p, Span levels) {
    double* best = &t_.pass_on[g_.options_at(p, levels.lo)];
    std::fill(best, best + z(levels.rows()) * stride_, kInfinity);
    if (p == g_.sink && levels.hi == g_.levels) t_.pass_on[g_.options_at(p, g_.levels)] = 0.0;
  }

  /// pass_on[p, levels, .] over all arcs.
  void relax_arcs(std::int32_t p, Span levels) {
    const Meter& meter = t_.meter;
    for (auto a = g_.arc_begin[z(p)]; a < g_.arc_begin[z(p) + 1]; ++a) {
      const std::int32_t to = g_.arc_to[z(a)];
      const Span both{std::max(levels.lo, w_.arrive_lo[z(to)]), std::min(levels.hi, w_.arrive_hi[z(to)])};
      if (both.empty()) continue;
      const std::size_t n = z(both.rows()) * stride_;
      const double* time = &g_.hop_s[g_.options_at(g_.arc_line[z(a)], both.lo)];
      const double* onward = &s_.arrive[g_.options_at(to, both.lo)];
      double* best = &t_.pass_on[g_.options_at(p, both.lo)];
      if (!meter.hop_extra.empty()) {
        relax_with(n, view_.hop_fixed(a), view_.hop_rate(a), time, cap_, 1.0,
                   &meter.hop_extra[g_.options_at(a, both.lo)], onward, best);
      } else if (meter.amount_rate != 0.0) {
        relax_with(n, view_.hop_fixed(a), view_.hop_rate(a), time, cap_, meter.amount_rate,
                   &g_.amount[g_.options_at(0, both.lo)], onward, best);
      } else {
        relax(n, view_.hop_fixed(a), view_.hop_rate(a), time, cap_, onward, best);
      }
    }
  }

  /// stage_end[p, levels]: the best form to end a stage in.
  void end_stages(std::int32_t p, Span levels) {
    if (!hosts(p)) return;
    const std::int32_t site = g_.site[z(p)];
    double* least = &t_.stage_end[g_.at(p, levels.lo)];
    const double* pass_on = &t_.pass_on[g_.options_at(p, levels.lo)];
    if (t_.meter.leave_extra.empty()) {
      least_of_rows(levels.rows(), g_.stride, form_rate(site), &g_.leave_s[g_.options_at(0, levels.lo)],
                    &t_.meter.option[g_.options_at(0, levels.lo)], pass_on, least);
    } else {
      for (std::int32_t level = levels.lo; level <= levels.hi; ++level, ++least, pass_on += stride_) {
        *least = kInfinity;
        for (std::int32_t k = 0; k < g_.forms(level) && level < g_.levels; ++k) {
          const double leave_s = g_.form_scale[z(site)] * g_.leave_s[g_.options_at(0, level) + z(k)];
          *least =
              std::min(*least, view_.stage_rate(site) * leave_s + view_.end(site, level, k) + pass_on[k]);
        }
      }
    }
    if (levels.hi == g_.levels) {
      t_.stage_end[g_.at(p, g_.levels)] =
          t_.pass_on[g_.options_at(p, g_.levels)] + view_.end(site, g_.levels, 0);
    }
  }

  /// stage[p, levels]: the best end in (level, reach], the front of a monotone queue. Ends enter
  /// the queue as the levels fall; `left` is where stages can end.
  void begin_stages(std::int32_t p, Span levels, Span left) {
    if (!hosts(p)) {
      for (std::int32_t level = levels.lo; level <= levels.hi; ++level) t_.stage[g_.at(p, level)] = kInfinity;
      return;
    }
    const std::int32_t site = g_.site[z(p)];
    const double fixed = view_.stage_rate(site) * g_.stage_fixed_s[z(site)];
    const double* key = &s_.key[g_.at(p, 0)];
    const std::int32_t* queue = &s_.queue[g_.at(p, 0)];
    std::int32_t next = left.hi;  // the next end to enter
    auto& head = s_.queue_head[z(p)];
    for (std::int32_t level = levels.hi; level >= levels.lo; --level) {
      if (g_.rough[z(site)] != 0) {
        t_.stage[g_.at(p, level)] = fixed + best_end_by_sum(p, site, level);
        continue;
      }
      for (; next > level && next >= left.lo; --next) enter_queue(p, site, next);
      const std::int32_t furthest = w_.reach[g_.at(site, level)];
      while (head < s_.queue_tail[z(p)] && queue[head] > furthest) ++head;
      const bool none = level == g_.levels || head == s_.queue_tail[z(p)];
      t_.stage[g_.at(p, level)] = none ? kInfinity : fixed + (key[queue[head]] - work_prefix(site, level));
    }
  }

  [[nodiscard]] double best_end_by_sum(std::int32_t p, std::int32_t site, std::int32_t level) const {
    double best = kInfinity;
    for (std::int32_t end = level + 1; end <= w_.reach[g_.at(site, level)]; ++end) {
      if (!w_.leaves(p, end)) continue;
      best = std::min(best,
                      t_.stage_end[g_.at(p, end)] + view_.stage(site, g_.work(site, level, end), level, end));
    }
    return best;
  }

  void enter_queue(std::int32_t p, std::int32_t site, std::int32_t level) {
    const auto row = g_.at(p, level);
    if (level == 0 || g_.rough[z(site)] != 0 || t_.stage_end[row] == kInfinity) return;
    const double key = t_.stage_end[row] + work_prefix(site, level);
    s_.key[row] = key;
    std::int32_t* queue = &s_.queue[g_.at(p, 0)];
    auto& tail = s_.queue_tail[z(p)];
    while (tail > s_.queue_head[z(p)] && s_.key[g_.at(p, queue[tail - 1])] >= key) --tail;
    queue[tail++] = level;
  }

  /// arrive[p, levels, .]: begin a stage, or pass on what came.
  void arrive(std::int32_t p, Span levels, Span left) {
    const std::int32_t site = g_.site[z(p)];
    if (!t_.meter.enter_extra.empty()) {
      for (std::int32_t level = levels.lo; level <= levels.hi; ++level)
        arrive_row(p, site, level, left.lo <= level && level <= left.hi);
      return;
    }
    // What comes at levels below those that can leave must begin a stage.
    const Span must{levels.lo, left.empty() ? levels.hi : std::min(levels.hi, left.lo - 1)};
    if (!must.empty()) {
      begin_rows(must.rows(), g_.stride, form_rate(site), &g_.enter_s[g_.options_at(0, must.lo)],
                 &t_.stage[g_.at(p, must.lo)], &s_.arrive[g_.options_at(p, must.lo)]);
    }
    const Span may{must.hi + 1, std::min(levels.hi, left.hi)};
    if (!may.empty()) {
      arrive_rows(may.rows(), g_.stride, &t_.pass_on[g_.options_at(p, may.lo)], form_rate(site),
                  &g_.enter_s[g_.options_at(0, may.lo)], &t_.stage[g_.at(p, may.lo)],
                  &s_.arrive[g_.options_at(p, may.lo)]);
    }
  }

  void arrive_row(std::int32_t p, std::int32_t site, std::int32_t level, bool leaves) {
    const auto row = g_.options_at(p, level);
    for (std::int32_t k = 0; k < g_.stride; ++k) {
      const bool form = k < g_.forms(level);
      const double enter_s = g_.form_scale[z(site)] * g_.enter_s[g_.options_at(0, level) + z(k)];
      const double hosted =
          form ? view_.enter(site, level, k, enter_s) + t_.stage[g_.at(p, level)] : kInfinity;
      s_.arrive[row + z(k)] = leaves ? std::min(t_.pass_on[row + z(k)], hosted) : hosted;
    }
  }

  /// Passing on at one level is a shortest-path problem over the positions: sweep until nothing
  /// changes (costs are not negative, so at most `positions` sweeps).
  void settle_cycles() {
    const Span left{0, g_.levels};
    for (std::int32_t level = g_.levels; level >= 0; --level) {
      const Span here{level, level};
      for (std::int32_t p = 0; p < g_.positions(); ++p) {
        clear(p, here);
        begin_stage_here(p, level);
        arrive(p, here, left);
      }
      for (bool changed = true; changed;) {
        changed = false;
        for (std::int32_t p = g_.positions(); p-- > 0;) {
          const double* best = &t_.pass_on[g_.options_at(p, level)];
          before_.assign(best, best + stride_);
          relax_arcs(p, here);
          if (!std::equal(before_.begin(), before_.end(), best)) {
            changed = true;
            arrive(p, here, left);
          }
        }
      }
      for (std::int32_t p = 0; p < g_.positions(); ++p) {
        end_stages(p, here);
        if (hosts(p)) enter_queue(p, g_.site[z(p)], level);
      }
    }
  }

  void begin_stage_here(std::int32_t p, std::int32_t level) {
    begin_stages(p, {level, level}, {level + 1, level});  // ends above are in the queue already
  }

  const LayeredGraph& g_;
  const Window& w_;
  PassScratch& s_;
  CostToGo& t_;
  MeterView view_;
  std::size_t stride_;
  double cap_;
  std::vector<double> before_;
};

}  // namespace

void backward_pass(const LayeredGraph& graph, const Window& window, PassScratch& scratch, CostToGo& table) {
  Pass(graph, window, scratch, table).run();
}

void peak_pass(const LayeredGraph& g, const Window& w, PassScratch& s, PeakToGo& t) {
  const auto positions = z(g.positions());
  const auto n = z(g.stride);
  t.pass_on.assign(positions * g.rows() * n, kInfinity);
  t.stage.assign(positions * g.rows(), kInfinity);
  s.key.assign(positions * g.rows(), kInfinity);  // least peak after a stage's end
  s.peak_arrive.assign(positions * n, kInfinity);
  for (std::int32_t level = g.levels; level >= 0; --level) {
    std::fill(s.peak_arrive.begin(), s.peak_arrive.end(), kInfinity);
    for (std::int32_t p = 0; p < g.positions(); ++p) {
      const std::int32_t site = g.site[z(p)];
      if (level == g.levels || g.can_host[z(site)] == 0 || !w.arrives(p, level)) continue;
      double best = kInfinity;
      for (std::int32_t end = level + 1; end <= w.reach[g.at(site, level)]; ++end) {
        const double stage_s = g.stage_fixed_s[z(site)] + g.work(site, level, end);
        if (stage_s >= best) break;  // grows with `end`
        best = std::min(best, std::max(stage_s, s.key[g.at(p, end)]));
      }
      t.stage[g.at(p, level)] = best;
      std::fill_n(&s.peak_arrive[z(p) * n], n, best);
    }
    if (level == g.levels) {
      t.pass_on[g.options_at(g.sink, level)] = 0.0;
      s.peak_arrive[z(g.sink) * n] = 0.0;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (std::int32_t p = g.positions(); p-- > 0;) {
        double* best = &t.pass_on[g.options_at(p, level)];
        for (auto a = g.arc_begin[z(p)]; a < g.arc_begin[z(p) + 1]; ++a) {
          const double* time = &g.hop_s[g.options_at(g.arc_line[z(a)], level)];
          const double* onward = &s.peak_arrive[z(g.arc_to[z(a)]) * n];
          for (std::size_t k = 0; k < n; ++k) {
            const double value = std::max(time[k], onward[k]);
            if (value < best[k]) {
              best[k] = value;
              if (value < s.peak_arrive[z(p) * n + k]) {
                s.peak_arrive[z(p) * n + k] = value;
                changed = !g.acyclic;
              }
            }
          }
        }
      }
    }
    for (std::int32_t p = 0; p < g.positions(); ++p) {
      const double* best = &t.pass_on[g.options_at(p, level)];
      s.key[g.at(p, level)] = *std::min_element(best, best + n);
    }
  }
  t.total = s.peak_arrive[z(g.source) * n];
}

void trace(const LayeredGraph& g, const Window& w, const CostToGo& t, Walk& walk) {
  walk.positions.clear();
  walk.blocks.clear();
  const MeterView view(g, t.meter);
  const double cap = std::min(with_room(w.cap_s), std::numeric_limits<double>::max());
  const auto hosted = [&](std::int32_t p, std::int32_t level, std::int32_t form) {
    const std::int32_t site = g.site[z(p)];
    if (level == g.levels || g.can_host[z(site)] == 0) return kInfinity;
    return view.enter(site, level, form,
                      g.form_scale[z(site)] * g.enter_s[g.options_at(0, level) + z(form)]) +
           t.stage[g.at(p, level)];
  };
  const auto passed_on = [&](std::int32_t p, std::int32_t level, std::int32_t form) {
    return w.leaves(p, level) ? t.pass_on[g.options_at(p, level) + z(form)] : kInfinity;
  };

  std::int32_t p = g.source;
  std::int32_t level = 0;
  std::int32_t form = 0;
  // A relaxed walk over a graph with cycles is no longer than this.
  const std::size_t longest = z(g.positions()) * g.rows() + 1;
  while (walk.positions.size() < longest) {
    walk.positions.push_back(p);
    if (hosted(p, level, form) <= passed_on(p, level, form)) {
      const std::int32_t site = g.site[z(p)];
      std::int32_t end = -1;
      double best = kInfinity;
      for (std::int32_t e = level + 1; e <= w.reach[g.at(site, level)]; ++e) {
        if (!w.leaves(p, e)) continue;
        const double value = t.stage_end[g.at(p, e)] + view.stage(site, g.work(site, level, e), level, e);
        if (value < best) {
          best = value;
          end = e;
        }
      }
      if (end < 0) return;  // no walk: the caller looked at `total` first
      form = 0;
      if (end < g.levels) {
        double least = kInfinity;
        for (std::int32_t k = 0; k < g.options; ++k) {
          const double leave_s = g.form_scale[z(site)] * g.leave_s[g.options_at(0, end) + z(k)];
          const double value = view.stage_rate(site) * leave_s + view.end(site, end, k) +
                               t.pass_on[g.options_at(p, end) + z(k)];
          if (value < least) {
            least = value;
            form = k;
          }
        }
      }
      walk.blocks.push_back({p, level, end, form});
      level = end;
    }
    if (p == g.sink) return;
    std::int32_t next = -1;
    double best = kInfinity;
    for (auto a = g.arc_begin[z(p)]; a < g.arc_begin[z(p) + 1]; ++a) {
      const std::int32_t to = g.arc_to[z(a)];
      const double hop_s = g.hop_s[g.options_at(g.arc_line[z(a)], level) + z(form)];
      if (!w.arrives(to, level) || !(hop_s <= cap)) continue;
      double onward = std::min(hosted(to, level, form), passed_on(to, level, form));
      if (level == g.levels && to == g.sink) onward = 0.0;
      const double value = view.hop(a, level, form, hop_s) + onward;
      if (value < best) {
        best = value;
        next = to;
      }
    }
    if (next < 0) return;
    p = next;
  }
}

}  // namespace constellm::search
