#include "constellm/search/label_setting.hpp"

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
  LabelRun(const Context& context, const LabelBounds& bounds, const LabelOptions& options)
      : context_(context),
        graph_(context.graph),
        goal_(context.goal),
        bounds_(bounds),
        options_(options),
        scratch_(context.workspace.labels),
        counters_(context.counters),
        reach_(*bounds.reach),
        objective_(graph_, goal_.objective),
        cap_(std::min(with_room(reach_.cap_s), std::numeric_limits<double>::max())),
        count_(goal_.resources.size()),
        words_(graph_.acyclic ? 0 : (z(graph_.nodes()) + 63) / 64) {
    for (std::size_t r = 0; r < count_; ++r) {
      resources_.emplace_back(graph_, goal_.resources[r]);
      limits_.push_back(with_room(goal_.limits[r]));
    }
    rows_.resize(kRows * count_);
  }

  LabelAnswer run() {
    reset();
    cutoff_ = context_.incumbents.cutoff();
    Label root;
    root.bottleneck = bounds_.bottleneck_floor;
    std::fill_n(row(kHopped), count_, 0.0);
    arrive_with(root, graph_.source, 0, 0, -1);
    while (!scratch_.open.empty()) {
      const double least_open = scratch_.open.front().bound;
      if (least_open >= cutoff_) break;
      if (context_.stop.should_stop(std::exchange(work_, 1))) return {LabelOutcome::stopped, least_open};
      if (options_.budget >= 0 && static_cast<std::int64_t>(scratch_.labels.size()) > options_.budget)
        return {LabelOutcome::over_budget, least_open};
      std::pop_heap(scratch_.open.begin(), scratch_.open.end(), after);
      const std::int32_t id = scratch_.open.back().label;
      scratch_.open.pop_back();
      if (scratch_.labels[z(id)].dominated) continue;
      ++counters_.expanded;
      // A copy: the list of labels grows, and may move, below.
      const Label label = scratch_.labels[z(id)];
      std::copy_n(used_of(id), count_, row(kTaken));
      if (label.begins_stage)
        extend_by_stage(label, id);
      else
        leave(label, id, label.choice, row(kTaken));
      // Perhaps only some of its extensions were made.
      if (context_.stopped()) return {LabelOutcome::stopped, least_open};
    }
    return {LabelOutcome::exhausted, cutoff_};
  }

 private:
  /// What a label in the making has used, at each step of an extension: as it was taken, after a
  /// stage, after a hop, and after entering the next stage.
  enum Row : std::size_t { kTaken, kStaged, kHopped, kEntered, kRows };

  void reset() {
    const std::size_t states = z(graph_.vertices()) * graph_.rows() * (z(graph_.stride) + 1);
    if (scratch_.head.size() != states) {
      scratch_.head.assign(states, -1);
    } else {
      for (const std::size_t state : scratch_.touched) scratch_.head[state] = -1;
    }
    scratch_.touched.clear();
    scratch_.labels.clear();
    scratch_.used.clear();
    scratch_.visited.clear();
    scratch_.open.clear();
  }

  std::size_t state_of(const Label& l) const {
    return graph_.at(l.vertex, l.level) * (z(graph_.stride) + 1) + (l.begins_stage ? 0 : z(l.choice) + 1);
  }

  // --- bounds -------------------------------------------------------------------------------

  [[nodiscard]] double bottleneck_part(double bottleneck, double to_go) const {
    return goal_.bottleneck_rate * (options_.heuristic ? std::max(bottleneck, to_go) : bottleneck);
  }

  /// Least value of any completion that begins a stage at the label's vertex and level.
  double bound_stage(const Label& l, const double* used) const {
    const auto i = graph_.at(l.vertex, l.level);
    if (!fits(used, [i](const CostToGo& t) { return t.stage[i]; })) return kInfinity;
    const double bottleneck = bottleneck_part(l.bottleneck, bounds_.bottleneck->stage[i]);
    if (!options_.heuristic) return l.cost + bottleneck;
    return bottleneck + best_cost(l.cost, used, [i](const CostToGo& t) { return t.stage[i]; });
  }

  /// The same for leaving the vertex in a choice.
  double bound_leave(const Label& l, std::int32_t choice, const double* used) const {
    const auto i = graph_.at(l.vertex, l.level, choice);
    if (!fits(used, [i](const CostToGo& t) { return t.pass_on[i]; })) return kInfinity;
    const double bottleneck = bottleneck_part(l.bottleneck, bounds_.bottleneck->pass_on[i]);
    if (!options_.heuristic) return l.cost + bottleneck;
    return bottleneck + best_cost(l.cost, used, [i](const CostToGo& t) { return t.pass_on[i]; });
  }

  template <class ToGo>
  double best_cost(double cost, const double* used, ToGo to_go) const {
    double best = -kInfinity;
    for (const CostToGo* t : bounds_.costs) {
      double value = cost + to_go(*t) - t->constant;
      for (std::size_t r = 0; r < count_; ++r) value += t->multipliers[r] * used[r];
      best = std::max(best, value);
    }
    return best;
  }

  template <class ToGo>
  bool fits(const double* used, ToGo to_go) const {
    for (std::size_t r = 0; r < count_; ++r) {
      const double least = options_.resource_bound ? used[r] + to_go(*bounds_.resources[r]) : used[r];
      if (least > limits_[r]) return false;
    }
    return true;
  }

  // --- labels -------------------------------------------------------------------------------

  /// A label and what is kept beside it.
  struct Candidate {
    const Label& label;
    const double* used;
    const std::uint64_t* visited;
  };

  [[nodiscard]] bool dominates(const Candidate& a, const Candidate& b) const {
    if (a.label.cost > b.label.cost || a.label.bottleneck > b.label.bottleneck ||
        a.label.entered_s > b.label.entered_s)
      return false;
    for (std::size_t r = 0; r < count_; ++r) {
      if (a.used[r] > b.used[r]) return false;
    }
    for (std::size_t i = 0; i < words_; ++i) {
      if ((a.visited[i] & ~b.visited[i]) != 0) return false;
    }
    return true;
  }

  [[nodiscard]] double* row(Row step) { return rows_.data() + step * count_; }
  [[nodiscard]] const double* used_of(std::int32_t label) const {
    return scratch_.used.data() + z(label) * count_;
  }
  [[nodiscard]] Candidate kept(std::int32_t label) const {
    return {scratch_.labels[z(label)], used_of(label), visited_of(label)};
  }
  [[nodiscard]] const std::uint64_t* visited_of(std::int32_t label) const {
    return scratch_.visited.data() + z(label) * words_;
  }

  /// Keeps `label` unless it is dominated; drops what it dominates.
  void keep(Label label, const double* used, double bound, std::int32_t parent) {
    if (!(bound < cutoff_)) return;
    ++work_;
    label.bound = bound;
    label.parent = parent;
    mark_visited(label.vertex, parent);
    const std::size_t state = state_of(label);
    std::int32_t& head = scratch_.head[state];
    if (options_.dominance && !undominated({label, used, visited_now_.data()}, head)) return;
    const auto id = static_cast<std::int32_t>(scratch_.labels.size());
    if (head < 0) scratch_.touched.push_back(state);
    label.next_in_state = head;
    head = id;
    scratch_.labels.push_back(label);
    scratch_.used.insert(scratch_.used.end(), used, used + count_);
    scratch_.visited.insert(scratch_.visited.end(), visited_now_.begin(), visited_now_.end());
    ++counters_.labels;
    scratch_.open.push_back({bound, id});
    std::push_heap(scratch_.open.begin(), scratch_.open.end(), after);
    counters_.most_open = std::max(counters_.most_open, static_cast<std::int64_t>(scratch_.open.size()));
  }

  bool undominated(const Candidate& label, std::int32_t& head) {
    std::int64_t better = 0;
    for (std::int32_t i = head; i >= 0; i = scratch_.labels[z(i)].next_in_state) {
      ++work_;
      if (dominates(kept(i), label) && ++better >= options_.copies) {
        ++counters_.dominated;
        return false;
      }
    }
    if (options_.copies > 1) return true;  // who falls to several is found out when it comes late
    for (std::int32_t* link = &head; *link >= 0;) {
      Label& other = scratch_.labels[z(*link)];
      if (dominates(label, kept(*link))) {
        other.dominated = true;
        ++counters_.dominated;
        *link = other.next_in_state;
      } else {
        link = &other.next_in_state;
      }
    }
    return true;
  }

  void mark_visited(std::int32_t vertex, std::int32_t parent) {
    visited_now_.assign(words_, 0);
    if (words_ == 0) return;
    if (parent >= 0) {
      const auto from = scratch_.visited.begin() + static_cast<std::ptrdiff_t>(z(parent) * words_);
      std::copy(from, from + static_cast<std::ptrdiff_t>(words_), visited_now_.begin());
    }
    const auto node = z(graph_.node[z(vertex)]);
    visited_now_[node / 64] |= std::uint64_t{1} << (node % 64);
  }

  bool was_visited(std::int32_t label, std::int32_t vertex) const {
    if (words_ == 0) return false;
    const auto node = z(graph_.node[z(vertex)]);
    return (scratch_.visited[z(label) * words_ + node / 64] >> (node % 64) & 1) != 0;
  }

  // --- moves --------------------------------------------------------------------------------

  /// `l` holds the sums up to the arrival at `vertex`, `level` units done, in `choice`; so does the row
  /// after a hop.
  void arrive_with(Label l, std::int32_t vertex, std::int32_t level, std::int32_t choice,
                   std::int32_t parent) {
    const double* used = row(kHopped);
    l.vertex = vertex;
    l.level = level;
    if (vertex == graph_.sink && level == graph_.levels) {
      complete(l, used, parent);
      return;
    }
    const std::int32_t node = graph_.node[z(vertex)];
    l.entered_s = 0.0;
    l.choice = choice;
    if (reach_.leaves(vertex, level)) {
      l.begins_stage = false;
      keep(l, used, bound_leave(l, choice, used), parent);
    }
    if (level < graph_.levels && graph_.can_host[z(node)] != 0) {
      l.begins_stage = true;
      l.entered_s = graph_.enter_time_s(node, level, choice);
      l.cost += objective_.enter(node, level, choice);
      double* entered = row(kEntered);
      for (std::size_t r = 0; r < count_; ++r)
        entered[r] = used[r] + resources_[r].enter(node, level, choice);
      keep(l, entered, bound_stage(l, entered), parent);
    }
  }

  void extend_by_stage(const Label& from, std::int32_t id) {
    const std::int32_t node = graph_.node[z(from.vertex)];
    const double fixed = graph_.stage_fixed_s[z(node)];
    const double* taken = row(kTaken);
    double* used = row(kStaged);
    for (std::int32_t end = from.level + 1; end <= reach_.furthest[graph_.at(node, from.level)]; ++end) {
      if (!reach_.leaves(from.vertex, end)) continue;
      if (context_.stop.should_stop(std::exchange(work_, 1))) return;
      const double work_s = fixed + graph_.work_time_s(node, from.level, end);
      // The whole row of choices at once: the best of them cannot beat this.
      if (options_.heuristic && row_bound(from, node, work_s, end) >= cutoff_) continue;
      for (std::int32_t k = 0; k < graph_.choices_at(end); ++k) {
        const double leave_s = end == graph_.levels ? 0.0 : graph_.leave_time_s(node, end, k);
        const double stage_s = from.entered_s + work_s + leave_s;
        if (stage_s > cap_) continue;
        Label l = from;
        l.level = end;
        l.entered_s = 0.0;
        l.bottleneck = std::max(from.bottleneck, stage_s);
        l.cost += objective_.stage(node, work_s + leave_s, from.level, end) + objective_.end(node, end, k);
        for (std::size_t r = 0; r < count_; ++r) {
          used[r] = taken[r] + (resources_[r].stage(node, work_s + leave_s, from.level, end) +
                                resources_[r].end(node, end, k));
        }
        if (!(bound_leave(l, k, used) < cutoff_)) continue;
        leave(l, id, k, used);
      }
    }
  }

  double row_bound(const Label& from, std::int32_t node, double work_s, std::int32_t end) {
    const CostToGo& t = *bounds_.costs.front();
    const ResourceExtension weighted(graph_, t.resource);
    const double* taken = row(kTaken);
    double value = from.cost - t.constant + weighted.stage(node, work_s, from.level, end) +
                   t.stage_end[graph_.at(from.vertex, end)];
    for (std::size_t r = 0; r < count_; ++r) value += t.multipliers[r] * taken[r];
    return value + goal_.bottleneck_rate * std::max(from.bottleneck, from.entered_s + work_s);
  }

  /// Over every arc from the vertex of `l`, which has the sums up to leaving it in `choice`; so has
  /// `used`.
  void leave(const Label& l, std::int32_t parent, std::int32_t choice, const double* used) {
    if (l.vertex == graph_.sink) {
      if (l.level == graph_.levels) complete(l, used, parent);
      return;
    }
    double* hopped = row(kHopped);
    for (auto a = graph_.arc_begin[z(l.vertex)]; a < graph_.arc_begin[z(l.vertex) + 1]; ++a) {
      const std::int32_t to = graph_.arc_to[z(a)];
      if (!reach_.arrives(to, l.level) || was_visited(parent, to)) continue;
      const double hop_s = graph_.hop_time_s(a, l.level, choice);
      if (!(hop_s <= cap_)) continue;
      Label next = l;
      next.bottleneck = std::max(l.bottleneck, hop_s);
      next.cost += objective_.hop(a, l.level, choice, hop_s);
      for (std::size_t r = 0; r < count_; ++r)
        hopped[r] = used[r] + resources_[r].hop(a, l.level, choice, hop_s);
      arrive_with(next, to, l.level, choice, parent);
    }
  }

  void complete(const Label& l, const double* used, std::int32_t parent) {
    for (std::size_t r = 0; r < count_; ++r) {
      if (used[r] > limits_[r]) return;
    }
    if (!(l.cost + goal_.bottleneck_rate * l.bottleneck < cutoff_)) return;
    collect(l, parent);
    context_.incumbents.offer(scratch_.walk);
    cutoff_ = context_.incumbents.cutoff();
  }

  /// The walk that ends with `last`, from the labels that led to it. A label's choice on arrival
  /// is what the stage before it ended in.
  void collect(const Label& last, std::int32_t parent) {
    Walk& walk = scratch_.walk;
    walk.vertices.assign(1, last.vertex);
    walk.stages.clear();
    std::int32_t level = last.level;
    std::int32_t choice = 0;
    for (std::int32_t id = parent; id >= 0; id = scratch_.labels[z(id)].parent) {
      const Label& l = scratch_.labels[z(id)];
      if (l.vertex != walk.vertices.back()) walk.vertices.push_back(l.vertex);
      if (l.begins_stage) walk.stages.push_back({l.vertex, l.level, level, choice});
      level = l.level;
      choice = l.choice;
    }
    std::reverse(walk.vertices.begin(), walk.vertices.end());
    std::reverse(walk.stages.begin(), walk.stages.end());
  }

  const Context& context_;
  const LayeredGraph& graph_;
  const Goal& goal_;
  const LabelBounds& bounds_;
  const LabelOptions& options_;
  LabelScratch& scratch_;
  Counters& counters_;
  const Reach& reach_;
  ResourceExtension objective_;
  std::vector<ResourceExtension> resources_;
  std::vector<double> limits_;  ///< [resources] with room for another order of sums
  double cap_;
  std::size_t count_;  ///< of resources
  std::size_t words_;
  double cutoff_ = kInfinity;
  std::uint64_t work_ = 1;    ///< since the stop token was asked
  std::vector<double> rows_;  ///< [kRows, resources]
  std::vector<std::uint64_t> visited_now_;
};

}  // namespace

LabelAnswer run_labels(const Context& context, const LabelBounds& bounds, const LabelOptions& options) {
  return LabelRun(context, bounds, options).run();
}

}  // namespace constellm::search
