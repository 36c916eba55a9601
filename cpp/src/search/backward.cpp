#include "constellm/search/backward.hpp"

#include <algorithm>
#include <limits>

#include "constellm/search/simd.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::search {
namespace {

std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }

/// best[k] = min(best[k], fixed + rate * time[k] + amount_rate * amount[k] + onward[k]) where time[k] <= cap.
CONSTELLM_SIMD void relax_row(std::int32_t n, double fixed, double rate, const double* time, double cap,
                              const double* onward, double* best) {
  for (std::int32_t k = 0; k < n; ++k) {
    const double value = fixed + rate * time[k] + onward[k];
    const double allowed = time[k] <= cap ? value : kInfinity;
    best[k] = allowed < best[k] ? allowed : best[k];
  }
}

CONSTELLM_SIMD void relax_row_amount(std::int32_t n, double fixed, double rate, const double* time, double cap,
                                     double amount_rate, const double* amount, const double* onward, double* best) {
  for (std::int32_t k = 0; k < n; ++k) {
    const double value = fixed + rate * time[k] + amount_rate * amount[k] + onward[k];
    const double allowed = time[k] <= cap ? value : kInfinity;
    best[k] = allowed < best[k] ? allowed : best[k];
  }
}

CONSTELLM_SIMD void relax_row_extra(std::int32_t n, double fixed, double rate, const double* time, double cap,
                                    const double* extra, const double* onward, double* best) {
  for (std::int32_t k = 0; k < n; ++k) {
    const double value = fixed + rate * time[k] + extra[k] + onward[k];
    const double allowed = time[k] <= cap ? value : kInfinity;
    best[k] = allowed < best[k] ? allowed : best[k];
  }
}

/// arrive[k] = min(pass_on[k], rate * enter[k] + stage)
CONSTELLM_SIMD void arrive_row(std::int32_t n, const double* pass_on, double rate, const double* enter, double stage,
                               double* arrive) {
  for (std::int32_t k = 0; k < n; ++k) {
    const double hosted = rate * enter[k] + stage;
    arrive[k] = hosted < pass_on[k] ? hosted : pass_on[k];
  }
}

/// Four running minima, so that the row needs no shuffles.
CONSTELLM_SIMD double least_of_row(std::int32_t n, double rate, const double* leave, const double* option,
                                   const double* pass_on) {
  double least[4] = {kInfinity, kInfinity, kInfinity, kInfinity};
  for (std::int32_t k = 0; k < n; k += 4) {
    for (std::int32_t i = 0; i < 4; ++i) {
      const double value = rate * leave[k + i] + option[k + i] + pass_on[k + i];
      least[i] = value < least[i] ? value : least[i];
    }
  }
  return std::min(std::min(least[0], least[1]), std::min(least[2], least[3]));
}

/// One pass: levels from the last to the first, positions from the last to the first.
class Pass {
 public:
  Pass(const LayeredGraph& graph, const Window& window, PassScratch& scratch, CostToGo& table)
      : g_(graph), w_(window), s_(scratch), t_(table), view_(graph, table.meter),
        cap_(std::min(with_room(window.cap_s), std::numeric_limits<double>::max())) {}

  void run() {
    const auto positions = z(g_.positions());
    t_.pass_on.resize(positions * g_.rows() * z(g_.stride));
    t_.stage.resize(positions * g_.rows());
    t_.stage_end.resize(positions * g_.rows());
    s_.arrive.resize(positions * z(g_.stride));
    s_.key.resize(positions * g_.rows());
    s_.queue.resize(positions * g_.rows());
    s_.queue_head.assign(positions, 0);
    s_.queue_tail.assign(positions, 0);
    if (t_.meter.option.empty()) t_.meter.option.assign(g_.rows() * z(g_.stride), 0.0);

    for (std::int32_t level = g_.levels; level >= 0; --level) {
      if (g_.acyclic) {
        for (std::int32_t p = g_.positions(); p-- > 0;) {
          begin_stage(p, level);
          leave(p, level);
          arrive(p, level);
          end_stage(p, level);
        }
      } else {
        settle_cycles(level);
      }
    }
    t_.total = w_.arrives(g_.source, 0) ? s_.arrive[z(g_.source) * z(g_.stride)] : kInfinity;
  }

 private:
  double* arrive_of(std::int32_t p) { return &s_.arrive[z(p) * z(g_.stride)]; }

  double work_prefix(std::int32_t site, std::int32_t level) const {
    double total = view_.stage_rate(site) * g_.work_s[g_.at(site, level)];
    if (!t_.meter.work_extra.empty()) total += t_.meter.work_extra[g_.at(site, level)];
    return total;
  }

  bool hosts(std::int32_t p) const { return g_.can_host[z(g_.site[z(p)])] != 0; }

  /// stage[p, level]: best end in (level, reach], the front of a monotone queue.
  void begin_stage(std::int32_t p, std::int32_t level) {
    const auto row = g_.at(p, level);
    t_.stage[row] = kInfinity;
    if (level == g_.levels || !hosts(p) || !w_.arrives(p, level)) return;
    const std::int32_t site = g_.site[z(p)];
    const std::int32_t furthest = w_.reach[g_.at(site, level)];
    const std::int32_t* queue = &s_.queue[g_.at(p, 0)];
    auto& head = s_.queue_head[z(p)];
    while (head < s_.queue_tail[z(p)] && queue[head] > furthest) ++head;
    if (head == s_.queue_tail[z(p)]) return;
    t_.stage[row] = view_.stage_rate(site) * g_.stage_fixed_s[z(site)] + (s_.key[g_.at(p, queue[head])] - work_prefix(site, level));
  }

  /// pass_on[p, level, .] over all arcs.
  void leave(std::int32_t p, std::int32_t level) {
    if (!w_.leaves(p, level)) return;
    double* best = &t_.pass_on[g_.options_at(p, level)];
    std::fill(best, best + g_.stride, kInfinity);
    if (level == g_.levels && p == g_.sink) best[0] = 0.0;
    relax_arcs(p, level, best);
  }

  void relax_arcs(std::int32_t p, std::int32_t level, double* best) {
    const Meter& meter = t_.meter;
    for (auto a = g_.arc_begin[z(p)]; a < g_.arc_begin[z(p) + 1]; ++a) {
      const std::int32_t to = g_.arc_to[z(a)];
      if (!w_.arrives(to, level)) continue;
      const double* time = &g_.hop_s[g_.options_at(g_.arc_line[z(a)], level)];
      if (!meter.hop_extra.empty()) {
        relax_row_extra(g_.stride, view_.hop_fixed(a), view_.hop_rate(a), time, cap_,
                        &meter.hop_extra[g_.options_at(a, level)], arrive_of(to), best);
      } else if (meter.amount_rate != 0.0) {
        relax_row_amount(g_.stride, view_.hop_fixed(a), view_.hop_rate(a), time, cap_, meter.amount_rate,
                         &g_.amount[g_.options_at(0, level)], arrive_of(to), best);
      } else {
        relax_row(g_.stride, view_.hop_fixed(a), view_.hop_rate(a), time, cap_, arrive_of(to), best);
      }
    }
  }

  /// arrive[p, .] at this level: begin a stage, or pass on what came.
  void arrive(std::int32_t p, std::int32_t level) {
    if (!w_.arrives(p, level)) return;
    double* out = arrive_of(p);
    const std::int32_t site = g_.site[z(p)];
    const double stage = t_.stage[g_.at(p, level)];
    if (!t_.meter.enter_extra.empty()) {
      for (std::int32_t k = 0; k < g_.stride; ++k) {
        const double enter_s = g_.form_scale[z(site)] * g_.enter_s[g_.options_at(0, level) + z(k)];
        const double passed = w_.leaves(p, level) ? t_.pass_on[g_.options_at(p, level) + z(k)] : kInfinity;
        out[k] = std::min(passed, view_.enter(site, level, k, enter_s) + stage);
      }
    } else if (w_.leaves(p, level)) {
      const double* pass_on = &t_.pass_on[g_.options_at(p, level)];
      arrive_row(g_.stride, pass_on, view_.stage_rate(site) * g_.form_scale[z(site)], &g_.enter_s[g_.options_at(0, level)], stage, out);
    } else {
      for (std::int32_t k = 0; k < g_.stride; ++k) out[k] = stage + view_.stage_rate(site) * g_.form_scale[z(site)] * g_.enter_s[g_.options_at(0, level) + z(k)];
    }
  }

  /// stage_end[p, level], and its place in the queue of ends.
  void end_stage(std::int32_t p, std::int32_t level) {
    if (level == 0 || !hosts(p)) return;
    const auto row = g_.at(p, level);
    t_.stage_end[row] = kInfinity;
    if (!w_.leaves(p, level)) return;
    const std::int32_t site = g_.site[z(p)];
    const double* pass_on = &t_.pass_on[g_.options_at(p, level)];
    double least;
    if (level == g_.levels) {
      least = pass_on[0] + view_.end(site, level, 0);
    } else if (!t_.meter.leave_extra.empty()) {
      least = kInfinity;
      for (std::int32_t k = 0; k < g_.options; ++k) {
        const double leave_s = g_.form_scale[z(site)] * g_.leave_s[g_.options_at(0, level) + z(k)];
        least = std::min(least, view_.stage_rate(site) * leave_s + view_.end(site, level, k) + pass_on[k]);
      }
    } else {
      least = least_of_row(g_.stride, view_.stage_rate(site) * g_.form_scale[z(site)], &g_.leave_s[g_.options_at(0, level)],
                           &t_.meter.option[g_.options_at(0, level)], pass_on);
    }
    t_.stage_end[row] = least;
    if (least == kInfinity) return;
    const double key = least + work_prefix(site, level);
    s_.key[row] = key;
    std::int32_t* queue = &s_.queue[g_.at(p, 0)];
    auto& tail = s_.queue_tail[z(p)];
    while (tail > s_.queue_head[z(p)] && s_.key[g_.at(p, queue[tail - 1])] >= key) --tail;
    queue[tail++] = level;
  }

  /// Passing on at one level is a shortest-path problem over the positions: sweep until nothing
  /// changes (costs are not negative, so at most `positions` sweeps).
  void settle_cycles(std::int32_t level) {
    for (std::int32_t p = 0; p < g_.positions(); ++p) {
      begin_stage(p, level);
      double* best = &t_.pass_on[g_.options_at(p, level)];
      std::fill(best, best + g_.stride, kInfinity);
      if (level == g_.levels && p == g_.sink) best[0] = 0.0;
      arrive(p, level);
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (std::int32_t p = g_.positions(); p-- > 0;) {
        double* best = &t_.pass_on[g_.options_at(p, level)];
        before_.assign(best, best + g_.stride);
        relax_arcs(p, level, best);
        if (!std::equal(before_.begin(), before_.end(), best)) {
          changed = true;
          arrive(p, level);
        }
      }
    }
    for (std::int32_t p = 0; p < g_.positions(); ++p) end_stage(p, level);
  }

  const LayeredGraph& g_;
  const Window& w_;
  PassScratch& s_;
  CostToGo& t_;
  MeterView view_;
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
  s.arrive.assign(positions * n, kInfinity);
  for (std::int32_t level = g.levels; level >= 0; --level) {
    std::fill(s.arrive.begin(), s.arrive.end(), kInfinity);
    for (std::int32_t p = 0; p < g.positions(); ++p) {
      const std::int32_t site = g.site[z(p)];
      if (level == g.levels || g.can_host[z(site)] == 0 || !w.arrives(p, level)) continue;
      double best = kInfinity;
      const double* work = &g.work_s[g.at(site, 0)];
      for (std::int32_t end = level + 1; end <= w.reach[g.at(site, level)]; ++end) {
        const double stage_s = g.stage_fixed_s[z(site)] + (work[end] - work[level]);
        if (stage_s >= best) break;  // grows with `end`
        best = std::min(best, std::max(stage_s, s.key[g.at(p, end)]));
      }
      t.stage[g.at(p, level)] = best;
      std::fill_n(&s.arrive[z(p) * n], n, best);
    }
    if (level == g.levels) {
      t.pass_on[g.options_at(g.sink, level)] = 0.0;
      s.arrive[z(g.sink) * n] = 0.0;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (std::int32_t p = g.positions(); p-- > 0;) {
        double* best = &t.pass_on[g.options_at(p, level)];
        for (auto a = g.arc_begin[z(p)]; a < g.arc_begin[z(p) + 1]; ++a) {
          const double* time = &g.hop_s[g.options_at(g.arc_line[z(a)], level)];
          const double* onward = &s.arrive[z(g.arc_to[z(a)]) * n];
          for (std::size_t k = 0; k < n; ++k) {
            const double value = std::max(time[k], onward[k]);
            if (value < best[k]) {
              best[k] = value;
              if (value < s.arrive[z(p) * n + k]) {
                s.arrive[z(p) * n + k] = value;
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
  t.total = s.arrive[z(g.source) * n];
}

void trace(const LayeredGraph& g, const Window& w, const CostToGo& t, Walk& walk) {
  walk.positions.clear();
  walk.blocks.clear();
  const MeterView view(g, t.meter);
  const double cap = std::min(with_room(w.cap_s), std::numeric_limits<double>::max());
  const auto hosted = [&](std::int32_t p, std::int32_t level, std::int32_t form) {
    const std::int32_t site = g.site[z(p)];
    if (level == g.levels || g.can_host[z(site)] == 0) return kInfinity;
    return view.enter(site, level, form, g.form_scale[z(site)] * g.enter_s[g.options_at(0, level) + z(form)]) + t.stage[g.at(p, level)];
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
      const auto prefix = [&](std::int32_t l) {
        return view.stage_rate(site) * g.work_s[g.at(site, l)] +
               (t.meter.work_extra.empty() ? 0.0 : t.meter.work_extra[g.at(site, l)]);
      };
      std::int32_t end = -1;
      double best = kInfinity;
      for (std::int32_t e = level + 1; e <= w.reach[g.at(site, level)]; ++e) {
        if (!w.leaves(p, e)) continue;
        const double value = t.stage_end[g.at(p, e)] + prefix(e);
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
          const double value = view.stage_rate(site) * leave_s + view.end(site, end, k) + t.pass_on[g.options_at(p, end) + z(k)];
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
