#include "constellm/split/baselines/scalar_search.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

#include "constellm/core/index.hpp"
#include "constellm/search/tolerance.hpp"
#include "constellm/split/goals.hpp"

namespace constellm::split {
namespace {

using core::z;

/// A way to `vertex`, where `level` layers are done and the result comes in as `choice`.
struct Label {
  double time_s = 0.0;
  double bottleneck_s = 0.0;
  std::int32_t vertex = 0;
  std::int32_t level = 0;
  std::int32_t choice = 0;
  std::int32_t parent = -1;
};

using Used = std::vector<double>;  ///< [resources]

class ScalarSearch {
 public:
  ScalarSearch(const Problem& problem, const Compiled& compiled, core::StopToken& stop)
      : graph_(compiled.graph),
        compiled_(compiled),
        stop_(stop),
        time_resource_(split::time_resource(compiled, problem)),
        time_(graph_, time_resource_),
        by_delay_(problem.spec().objective == Objective::delay),
        bottleneck_rate_(static_cast<double>(problem.spec().micro_batches) - 1.0) {
    add_limits(compiled, problem, goal_);
    for (const search::Resource& resource : goal_.resources) resources_.emplace_back(graph_, resource);
    best_.assign(z(graph_.vertices() + 1) * graph_.rows() * z(graph_.stride), search::kInfinity);
    taken_.resize(resources_.size());
    staged_.resize(resources_.size());
    hopped_.resize(resources_.size());
  }

  std::optional<Assignment> run() {
    offer({}, staged_);
    while (!open_.empty() && !stop_.should_stop()) {
      const auto [value_s, time_s, index] = open_.top();
      open_.pop();
      if (labels_[z(index)].vertex == arrived()) return traced(index);
      if (value_s == best_[state(labels_[z(index)])]) expand(index);
    }
    return std::nullopt;
  }

 private:
  using Entry = std::tuple<double, double, std::int32_t>;  // value, time, label: the queue's total order

  [[nodiscard]] std::int32_t arrived() const { return graph_.vertices(); }  // beyond the sink, all done
  [[nodiscard]] std::size_t state(const Label& l) const { return graph_.at(l.vertex, l.level, l.choice); }
  [[nodiscard]] double value_s(const Label& l) const {
    return by_delay_ ? l.time_s + bottleneck_rate_ * l.bottleneck_s : l.bottleneck_s;
  }

  /// Keeps the label if it keeps the limits and is better than the one its state has.
  void offer(const Label& label, const Used& used) {
    for (std::size_t r = 0; r < used.size(); ++r) {
      if (used[r] > search::with_room(goal_.limits[r])) return;
    }
    double& best = best_[state(label)];
    if (!(value_s(label) < best)) return;
    best = value_s(label);
    labels_.push_back(label);
    used_.insert(used_.end(), used.begin(), used.end());
    open_.emplace(best, label.time_s, static_cast<std::int32_t>(labels_.size()) - 1);
  }

  void expand(std::int32_t index) {
    const Label from = labels_[z(index)];
    std::copy_n(used_.data() + z(index) * taken_.size(), taken_.size(), taken_.data());
    const std::int32_t node = graph_.node[z(from.vertex)];
    const bool at_sink = from.vertex == graph_.sink;
    const std::int32_t furthest = graph_.furthest[graph_.at(node, from.level)];
    for (std::int32_t end = at_sink ? graph_.levels : from.level; end <= furthest; ++end) {
      if (stop_.should_stop()) return;
      const bool hosts = end > from.level;
      const std::int32_t first = hosts ? 0 : from.choice;
      const std::int32_t last = hosts ? graph_.choices_at(end) - 1 : from.choice;
      for (std::int32_t choice = first; choice <= last; ++choice) {
        Label label = from;
        label.parent = index;
        label.level = end;
        label.choice = choice;
        staged_ = taken_;
        if (hosts) add_stage(node, from, label);
        if (at_sink) {
          label.vertex = arrived();
          offer(label, staged_);
        } else {
          for (auto a = graph_.arc_begin[z(from.vertex)]; a < graph_.arc_begin[z(from.vertex) + 1]; ++a)
            add_hop(a, index, label);
        }
      }
    }
  }

  void add_stage(std::int32_t node, const Label& from, Label& to) {
    const double codec_s = graph_.enter_s[graph_.at(0, from.level, from.choice)] +
                           graph_.leave_s[graph_.at(0, to.level, to.choice)];
    const double stage_s = graph_.stage_fixed_s[z(node)] + graph_.choice_scale[z(node)] * codec_s +
                           graph_.work_time_s(node, from.level, to.level);
    to.time_s += stage_s;
    to.bottleneck_s = std::max(to.bottleneck_s, stage_s);
    for (std::size_t r = 0; r < resources_.size(); ++r) {
      staged_[r] += resources_[r].stage(node, stage_s, from.level, to.level) +
                    resources_[r].end(node, to.level, to.choice);
    }
  }

  void add_hop(std::int32_t arc, std::int32_t parent, Label label) {
    label.vertex = graph_.arc_to[z(arc)];
    if (visited(graph_.node[z(label.vertex)], parent)) return;
    const double hop_s = graph_.hop_time_s(arc, label.level, label.choice);
    label.time_s += time_.hop(arc, label.level, label.choice, hop_s);
    label.bottleneck_s = std::max(label.bottleneck_s, hop_s);
    for (std::size_t r = 0; r < resources_.size(); ++r)
      hopped_[r] = staged_[r] + resources_[r].hop(arc, label.level, label.choice, hop_s);
    offer(label, hopped_);
  }

  [[nodiscard]] bool visited(std::int32_t node, std::int32_t index) const {
    if (graph_.acyclic) return false;
    for (; index >= 0; index = labels_[z(index)].parent) {
      if (graph_.node[z(labels_[z(index)].vertex)] == node) return true;
    }
    return false;
  }

  [[nodiscard]] Assignment traced(std::int32_t index) const {
    std::vector<Label> way;
    for (; index >= 0; index = labels_[z(index)].parent) way.push_back(labels_[z(index)]);
    std::reverse(way.begin(), way.end());
    search::Walk walk;
    for (std::size_t i = 0; i + 1 < way.size(); ++i) {
      walk.vertices.push_back(way[i].vertex);
      if (way[i + 1].level > way[i].level)
        walk.stages.push_back({way[i].vertex, way[i].level, way[i + 1].level, way[i + 1].choice});
    }
    Assignment assignment;
    to_assignment(compiled_, walk, assignment);
    return assignment;
  }

  const search::LayeredGraph& graph_;
  const Compiled& compiled_;
  core::StopToken& stop_;
  search::Resource time_resource_;
  search::ResourceExtension time_;
  bool by_delay_;
  double bottleneck_rate_;
  search::Goal goal_;  ///< its limits only
  std::vector<search::ResourceExtension> resources_;
  std::vector<Label> labels_;
  std::vector<double> used_;  ///< [labels, resources]
  std::vector<double> best_;  ///< [vertices + 1, levels + 1, stride]
  Used taken_;                ///< of the label in expansion; then after a stage, then after a hop
  Used staged_;
  Used hopped_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open_;
};

}  // namespace

std::optional<Assignment> scalar_search(const Problem& problem, core::StopToken& stop, search::Workspace&) {
  CompileOptions options;
  options.unroll = false;
  const std::optional<Compiled> compiled = compile(problem, options, stop);
  if (!compiled) return std::nullopt;
  return ScalarSearch(problem, *compiled, stop).run();
}

}  // namespace constellm::split
