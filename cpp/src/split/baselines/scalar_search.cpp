#include <algorithm>
#include <array>
#include <queue>
#include <tuple>

#include "constellm/core/index.hpp"
#include "constellm/search/tolerance.hpp"
#include "constellm/split/baselines/rules.hpp"
#include "constellm/split/compile.hpp"

namespace constellm::split {
namespace {

using core::z;

using Used = std::array<double, search::kMaxResources>;

/// A way to `position`, where `level` layers are done and the result comes in as `form`.
struct Label {
  double time_s = 0.0;
  double peak_s = 0.0;
  Used used{};
  std::int32_t position = 0;
  std::int32_t level = 0;
  std::int32_t form = 0;
  std::int32_t parent = -1;
};

class ScalarSearch {
 public:
  ScalarSearch(const Problem& problem, const Compiled& compiled, core::StopToken& stop)
      : g_(compiled.graph),
        compiled_(compiled),
        stop_(stop),
        time_meter_(split::time_meter(compiled, problem)),
        time_(g_, time_meter_),
        by_delay_(problem.spec().objective == Objective::delay),
        peak_rate_(static_cast<double>(problem.spec().micro_batches) - 1.0) {
    add_limits(compiled, problem, goal_);
    for (const search::Meter& meter : goal_.resources) meters_.emplace_back(g_, meter);
    best_.assign(z(g_.positions() + 1) * g_.rows() * z(g_.stride), search::kInfinity);
  }

  std::optional<Assignment> run() {
    offer({});
    while (!open_.empty() && !stop_.should_stop()) {
      const auto [worth, time_s, index] = open_.top();
      open_.pop();
      if (labels_[z(index)].position == arrived()) return traced(index);
      if (worth == best_[state(labels_[z(index)])]) expand(index);
    }
    return std::nullopt;
  }

 private:
  using Entry = std::tuple<double, double, std::int32_t>;  // worth, time, label: the total order of the queue

  [[nodiscard]] std::int32_t arrived() const { return g_.positions(); }  // beyond the sink, all done
  [[nodiscard]] std::size_t state(const Label& l) const {
    return g_.options_at(l.position, l.level) + z(l.form);
  }
  [[nodiscard]] double worth(const Label& l) const {
    return by_delay_ ? l.time_s + peak_rate_ * l.peak_s : l.peak_s;
  }

  /// Keeps the label if it keeps the limits and is better than the one its state has.
  void offer(const Label& label) {
    for (std::size_t r = 0; r < meters_.size(); ++r) {
      if (label.used[r] > search::with_room(goal_.limits[r])) return;
    }
    double& best = best_[state(label)];
    if (!(worth(label) < best)) return;
    best = worth(label);
    labels_.push_back(label);
    open_.emplace(best, label.time_s, static_cast<std::int32_t>(labels_.size()) - 1);
  }

  void expand(std::int32_t index) {
    const Label from = labels_[z(index)];
    const std::int32_t site = g_.site[z(from.position)];
    const bool at_sink = from.position == g_.sink;
    const std::int32_t furthest = g_.reach[g_.at(site, from.level)];
    for (std::int32_t end = at_sink ? g_.levels : from.level; end <= furthest; ++end) {
      const bool hosts = end > from.level;
      const std::int32_t first_form = hosts ? 0 : from.form;
      const std::int32_t last_form = hosts ? g_.forms(end) - 1 : from.form;
      for (std::int32_t form = first_form; form <= last_form; ++form) {
        Label label = from;
        label.parent = index;
        label.level = end;
        label.form = form;
        if (hosts) add_stage(site, from, label);
        if (at_sink) {
          label.position = arrived();
          offer(label);
        } else {
          for (auto a = g_.arc_begin[z(from.position)]; a < g_.arc_begin[z(from.position) + 1]; ++a)
            add_hop(a, index, label);
        }
      }
    }
  }

  void add_stage(std::int32_t site, const Label& from, Label& to) const {
    const double codec_s = g_.enter_s[g_.options_at(0, from.level) + z(from.form)] +
                           g_.leave_s[g_.options_at(0, to.level) + z(to.form)];
    const double stage_s =
        g_.stage_fixed_s[z(site)] + g_.form_scale[z(site)] * codec_s + g_.work(site, from.level, to.level);
    to.time_s += stage_s;
    to.peak_s = std::max(to.peak_s, stage_s);
    for (std::size_t r = 0; r < meters_.size(); ++r) {
      to.used[r] +=
          meters_[r].stage(site, stage_s, from.level, to.level) + meters_[r].end(site, to.level, to.form);
    }
  }

  void add_hop(std::int32_t arc, std::int32_t parent, Label label) {
    label.position = g_.arc_to[z(arc)];
    if (visited(g_.site[z(label.position)], parent)) return;
    const double hop_s = g_.hop_s[g_.options_at(g_.arc_line[z(arc)], label.level) + z(label.form)];
    label.time_s += time_.hop(arc, label.level, label.form, hop_s);
    label.peak_s = std::max(label.peak_s, hop_s);
    for (std::size_t r = 0; r < meters_.size(); ++r)
      label.used[r] += meters_[r].hop(arc, label.level, label.form, hop_s);
    offer(label);
  }

  [[nodiscard]] bool visited(std::int32_t site, std::int32_t index) const {
    if (g_.acyclic) return false;
    for (; index >= 0; index = labels_[z(index)].parent) {
      if (g_.site[z(labels_[z(index)].position)] == site) return true;
    }
    return false;
  }

  [[nodiscard]] Assignment traced(std::int32_t index) const {
    std::vector<Label> way;
    for (; index >= 0; index = labels_[z(index)].parent) way.push_back(labels_[z(index)]);
    std::reverse(way.begin(), way.end());
    search::Walk walk;
    for (std::size_t i = 0; i + 1 < way.size(); ++i) {
      walk.positions.push_back(way[i].position);
      if (way[i + 1].level > way[i].level)
        walk.blocks.push_back({way[i].position, way[i].level, way[i + 1].level, way[i + 1].form});
    }
    Assignment assignment;
    to_assignment(compiled_, walk, assignment);
    return assignment;
  }

  const search::LayeredGraph& g_;
  const Compiled& compiled_;
  core::StopToken& stop_;
  search::Meter time_meter_;
  search::MeterView time_;
  bool by_delay_;
  double peak_rate_;
  search::Goal goal_;
  std::vector<search::MeterView> meters_;
  std::vector<Label> labels_;
  std::vector<double> best_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open_;
};

}  // namespace

std::optional<Assignment> scalar_search(const Problem& problem, Tools& tools) {
  const std::optional<Compiled> compiled = compile(problem, false);
  if (!compiled) return std::nullopt;
  return ScalarSearch(problem, *compiled, tools.stop).run();
}

}  // namespace constellm::split
