#include "constellm/search/labels.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::search {
namespace {

using core::z;

// Least bound first; among equals the newest, which is the deepest.
bool after(const LabelScratch::Open& a, const LabelScratch::Open& b) {
  return a.bound > b.bound || (a.bound == b.bound && a.label < b.label);
}

class LabelRun {
 public:
  LabelRun(const LayeredGraph& graph, const Goal& goal, const LabelBounds& bounds,
           const LabelOptions& options, Judge& judge, core::StopToken& stop, LabelScratch& scratch,
           Counters& counters)
      : g_(graph),
        goal_(goal),
        b_(bounds),
        o_(options),
        judge_(judge),
        stop_(stop),
        s_(scratch),
        c_(counters),
        w_(*bounds.window),
        cost_(graph, goal.cost),
        cap_(std::min(with_room(w_.cap_s), std::numeric_limits<double>::max())),
        resources_(goal.resources.size()),
        words_(graph.acyclic ? 0 : (z(graph.sites()) + 63) / 64) {
    for (std::size_t r = 0; r < resources_; ++r) {
      used_.emplace_back(graph, goal.resources[r]);
      limit_[r] = with_room(goal.limits[r]);
    }
  }

  LabelOutcome run(double& least_open) {
    reset();
    cutoff_ = judge_.cutoff();
    Label root;
    root.peak = b_.peak_floor;
    arrive_with(root, g_.source, 0, 0, -1);
    while (!s_.open.empty()) {
      least_open = s_.open.front().bound;
      if (least_open >= cutoff_) break;
      if (stop_.should_stop(std::exchange(work_, 1))) return LabelOutcome::stopped;
      if (o_.budget >= 0 && static_cast<std::int64_t>(s_.labels.size()) > o_.budget)
        return LabelOutcome::over_budget;
      std::pop_heap(s_.open.begin(), s_.open.end(), after);
      const std::int32_t id = s_.open.back().label;
      s_.open.pop_back();
      if (s_.labels[z(id)].dominated) continue;
      ++c_.expanded;
      // A copy: the list of labels grows, and may move, below.
      const Label label = s_.labels[z(id)];
      if (label.begins_stage)
        extend_by_stage(label, id);
      else
        leave(label, id, label.form);
    }
    least_open = cutoff_;
    return LabelOutcome::exhausted;
  }

 private:
  void reset() {
    const std::size_t states = z(g_.positions()) * g_.rows() * (z(g_.stride) + 1);
    if (s_.head.size() != states) {
      s_.head.assign(states, -1);
    } else {
      for (const std::int32_t state : s_.touched) s_.head[z(state)] = -1;
    }
    s_.touched.clear();
    s_.labels.clear();
    s_.visited.clear();
    s_.open.clear();
  }

  std::int32_t state_of(const Label& l) const {
    return static_cast<std::int32_t>(g_.at(l.position, l.level) * (z(g_.stride) + 1) +
                                     (l.begins_stage ? 0 : z(l.form) + 1));
  }

  // --- bounds -------------------------------------------------------------------------------

  [[nodiscard]] double peak_part(double peak, double to_go) const {
    return goal_.peak_rate * (o_.heuristic ? std::max(peak, to_go) : peak);
  }

  /// Least worth of any completion that begins a stage at the label's position and level.
  double bound_stage(const Label& l) const {
    const auto row = g_.at(l.position, l.level);
    if (!fits(l, [row](const CostToGo& t) { return t.stage[row]; })) return kInfinity;
    const double peak = peak_part(l.peak, b_.peak->stage[row]);
    if (!o_.heuristic) return l.cost + peak;
    return peak + best_cost(l, [row](const CostToGo& t) { return t.stage[row]; });
  }

  /// The same for leaving the position in a form.
  double bound_leave(const Label& l, std::int32_t form) const {
    const auto i = g_.options_at(l.position, l.level) + z(form);
    if (!fits(l, [i](const CostToGo& t) { return t.pass_on[i]; })) return kInfinity;
    const double peak = peak_part(l.peak, b_.peak->pass_on[i]);
    if (!o_.heuristic) return l.cost + peak;
    return peak + best_cost(l, [i](const CostToGo& t) { return t.pass_on[i]; });
  }

  template <class ToGo>
  double best_cost(const Label& l, ToGo to_go) const {
    double best = -kInfinity;
    for (const CostToGo* t : b_.costs) {
      double value = l.cost + to_go(*t) - t->constant;
      for (std::size_t r = 0; r < resources_; ++r) value += t->multipliers[r] * l.used[r];
      best = std::max(best, value);
    }
    return best;
  }

  template <class ToGo>
  bool fits(const Label& l, ToGo to_go) const {
    for (std::size_t r = 0; r < resources_; ++r) {
      const double least = o_.resource_bound ? l.used[r] + to_go(*b_.resources[r]) : l.used[r];
      if (least > limit_[r]) return false;
    }
    return true;
  }

  // --- labels -------------------------------------------------------------------------------

  bool dominates(const Label& a, const std::uint64_t* a_visited, const Label& b,
                 const std::uint64_t* b_visited) const {
    if (a.cost > b.cost || a.peak > b.peak || a.entered_s > b.entered_s) return false;
    for (std::size_t r = 0; r < resources_; ++r) {
      if (a.used[r] > b.used[r]) return false;
    }
    for (std::size_t i = 0; i < words_; ++i) {
      if ((a_visited[i] & ~b_visited[i]) != 0) return false;
    }
    return true;
  }

  [[nodiscard]] const std::uint64_t* visited_of(std::int32_t label) const {
    return s_.visited.data() + z(label) * words_;
  }

  /// Keeps `label` unless it is dominated; drops what it dominates.
  void keep(Label label, double bound, std::int32_t parent) {
    if (!(bound < cutoff_)) return;
    ++work_;
    label.bound = bound;
    label.parent = parent;
    mark_visited(label.position, parent);
    const std::int32_t state = state_of(label);
    std::int32_t& head = s_.head[z(state)];
    if (o_.dominance && !undominated(label, head)) return;
    const auto id = static_cast<std::int32_t>(s_.labels.size());
    if (head < 0) s_.touched.push_back(state);
    label.next_in_state = head;
    head = id;
    s_.labels.push_back(label);
    s_.visited.insert(s_.visited.end(), visited_now_.begin(), visited_now_.end());
    ++c_.labels;
    s_.open.push_back({bound, id});
    std::push_heap(s_.open.begin(), s_.open.end(), after);
    c_.peak_open = std::max(c_.peak_open, static_cast<std::int64_t>(s_.open.size()));
  }

  bool undominated(const Label& label, std::int32_t& head) {
    std::int64_t better = 0;
    for (std::int32_t i = head; i >= 0; i = s_.labels[z(i)].next_in_state) {
      ++work_;
      if (dominates(s_.labels[z(i)], visited_of(i), label, visited_now_.data()) && ++better >= o_.copies) {
        ++c_.dominated;
        return false;
      }
    }
    if (o_.copies > 1) return true;  // who falls to several is found out when it comes late
    for (std::int32_t* link = &head; *link >= 0;) {
      Label& other = s_.labels[z(*link)];
      if (dominates(label, visited_now_.data(), other, visited_of(*link))) {
        other.dominated = true;
        ++c_.dominated;
        *link = other.next_in_state;
      } else {
        link = &other.next_in_state;
      }
    }
    return true;
  }

  void mark_visited(std::int32_t position, std::int32_t parent) {
    visited_now_.assign(words_, 0);
    if (words_ == 0) return;
    if (parent >= 0) {
      const auto from = s_.visited.begin() + static_cast<std::ptrdiff_t>(z(parent) * words_);
      std::copy(from, from + static_cast<std::ptrdiff_t>(words_), visited_now_.begin());
    }
    const auto site = z(g_.site[z(position)]);
    visited_now_[site / 64] |= std::uint64_t{1} << (site % 64);
  }

  bool was_visited(std::int32_t label, std::int32_t position) const {
    if (words_ == 0) return false;
    const auto site = z(g_.site[z(position)]);
    return (s_.visited[z(label) * words_ + site / 64] >> (site % 64) & 1) != 0;
  }

  // --- moves --------------------------------------------------------------------------------

  /// `l` holds the sums up to the arrival at `position`, `level` units done, in `form`.
  void arrive_with(Label l, std::int32_t position, std::int32_t level, std::int32_t form,
                   std::int32_t parent) {
    l.position = position;
    l.level = level;
    if (position == g_.sink && level == g_.levels) {
      complete(l, parent);
      return;
    }
    const std::int32_t site = g_.site[z(position)];
    l.entered_s = 0.0;
    l.form = form;
    if (w_.leaves(position, level)) {
      l.begins_stage = false;
      keep(l, bound_leave(l, form), parent);
    }
    if (level < g_.levels && g_.can_host[z(site)] != 0) {
      l.begins_stage = true;
      l.entered_s = g_.form_scale[z(site)] * g_.enter_s[g_.options_at(0, level) + z(form)];
      l.cost += cost_.enter(site, level, form, l.entered_s);
      for (std::size_t r = 0; r < resources_; ++r)
        l.used[r] += used_[r].enter(site, level, form, l.entered_s);
      keep(l, bound_stage(l), parent);
    }
  }

  void extend_by_stage(const Label& from, std::int32_t id) {
    const std::int32_t site = g_.site[z(from.position)];
    const double fixed = g_.stage_fixed_s[z(site)];
    for (std::int32_t end = from.level + 1; end <= w_.reach[g_.at(site, from.level)]; ++end) {
      if (!w_.leaves(from.position, end)) continue;
      const double work_s = fixed + g_.work(site, from.level, end);
      ++work_;
      // The whole row of forms at once: the best of them cannot beat this.
      if (o_.heuristic && row_bound(from, site, work_s, end) >= cutoff_) continue;
      for (std::int32_t k = 0; k < g_.forms(end); ++k) {
        const double leave_s =
            end == g_.levels ? 0.0 : g_.form_scale[z(site)] * g_.leave_s[g_.options_at(0, end) + z(k)];
        const double stage_s = from.entered_s + work_s + leave_s;
        if (stage_s > cap_) continue;
        Label l = from;
        l.level = end;
        l.entered_s = 0.0;
        l.peak = std::max(from.peak, stage_s);
        l.cost += cost_.stage(site, work_s + leave_s, from.level, end) + cost_.end(site, end, k);
        for (std::size_t r = 0; r < resources_; ++r) {
          l.used[r] += used_[r].stage(site, work_s + leave_s, from.level, end) + used_[r].end(site, end, k);
        }
        if (!(bound_leave(l, k) < cutoff_)) continue;
        leave(l, id, k);
      }
    }
  }

  double row_bound(const Label& from, std::int32_t site, double work_s, std::int32_t end) const {
    const CostToGo& t = *b_.costs.front();
    const MeterView weighted(g_, t.meter);
    double value = from.cost - t.constant + weighted.stage(site, work_s, from.level, end) +
                   t.stage_end[g_.at(from.position, end)];
    for (std::size_t r = 0; r < resources_; ++r) value += t.multipliers[r] * from.used[r];
    return value + goal_.peak_rate * std::max(from.peak, from.entered_s + work_s);
  }

  /// Over every arc from the position of `l`, which has the sums up to leaving it in `form`.
  void leave(const Label& l, std::int32_t parent, std::int32_t form) {
    if (l.position == g_.sink) {
      if (l.level == g_.levels) complete(l, parent);
      return;
    }
    for (auto a = g_.arc_begin[z(l.position)]; a < g_.arc_begin[z(l.position) + 1]; ++a) {
      const std::int32_t to = g_.arc_to[z(a)];
      if (!w_.arrives(to, l.level) || was_visited(parent, to)) continue;
      const double hop_s = g_.hop_s[g_.options_at(g_.arc_line[z(a)], l.level) + z(form)];
      if (!(hop_s <= cap_)) continue;
      Label next = l;
      next.peak = std::max(l.peak, hop_s);
      next.cost += cost_.hop(a, l.level, form, hop_s);
      for (std::size_t r = 0; r < resources_; ++r) next.used[r] += used_[r].hop(a, l.level, form, hop_s);
      arrive_with(next, to, l.level, form, parent);
    }
  }

  void complete(const Label& l, std::int32_t parent) {
    for (std::size_t r = 0; r < resources_; ++r) {
      if (l.used[r] > limit_[r]) return;
    }
    if (!(l.cost + goal_.peak_rate * l.peak < cutoff_)) return;
    collect(l, parent);
    judge_.offer(s_.walk);
    cutoff_ = judge_.cutoff();
  }

  /// The walk that ends with `last`, from the labels that led to it. A label's form on arrival
  /// is what the stage before it ended in.
  void collect(const Label& last, std::int32_t parent) {
    Walk& walk = s_.walk;
    walk.positions.assign(1, last.position);
    walk.blocks.clear();
    std::int32_t level = last.level;
    std::int32_t form = 0;
    for (std::int32_t id = parent; id >= 0; id = s_.labels[z(id)].parent) {
      const Label& l = s_.labels[z(id)];
      if (l.position != walk.positions.back()) walk.positions.push_back(l.position);
      if (l.begins_stage) walk.blocks.push_back({l.position, l.level, level, form});
      level = l.level;
      form = l.form;
    }
    std::reverse(walk.positions.begin(), walk.positions.end());
    std::reverse(walk.blocks.begin(), walk.blocks.end());
  }

  const LayeredGraph& g_;
  const Goal& goal_;
  const LabelBounds& b_;
  const LabelOptions& o_;
  Judge& judge_;
  core::StopToken& stop_;
  LabelScratch& s_;
  Counters& c_;
  const Window& w_;
  MeterView cost_;
  std::vector<MeterView> used_;
  double cap_;
  std::array<double, kMaxResources> limit_{};
  std::size_t resources_;
  std::size_t words_;
  double cutoff_ = kInfinity;
  std::uint64_t work_ = 1;  ///< since the stop token was asked
  std::vector<std::uint64_t> visited_now_;
};

}  // namespace

LabelOutcome run_labels(const LayeredGraph& graph, const Goal& goal, const LabelBounds& bounds,
                        const LabelOptions& options, Judge& judge, core::StopToken& stop,
                        LabelScratch& scratch, Counters& counters, double& least_open) {
  return LabelRun(graph, goal, bounds, options, judge, stop, scratch, counters).run(least_open);
}

}  // namespace constellm::search
