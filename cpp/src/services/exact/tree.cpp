#include "constellm/services/exact/tree.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/services/exact/counts.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

constexpr std::int32_t kRootSteps = 4000;
constexpr std::int32_t kSteps = 60;     // of a node
constexpr std::int64_t kRoundEvery = 8;  // nodes
constexpr double kUndecided = 0.02;     // a mean so far from 0 and 1

struct Node {
  State state;
  std::shared_ptr<const Multipliers> at;
  double bound = 0.0;
  std::int64_t id = 0;
};

/// The least bound at the top, of equal ones the last made.
bool later(const Node& a, const Node& b) { return a.bound != b.bound ? a.bound > b.bound : a.id < b.id; }

struct Branch {
  enum class Kind { none, task, host, slot } kind = Kind::none;
  std::int32_t index = -1;  // task, host or place
  bool first_in = true;
};

class Tree {
 public:
  Tree(Root& root, Incumbent& incumbent, core::StopToken& stop)
      : root_(root), model_(*root.model), incumbent_(incumbent), stop_(stop) {}

  Outcome run() {
    Node node{root_.state, std::make_shared<const Multipliers>(root_.at), root_.bound(), 0};
    bool have = true;
    while (have || !open_.empty()) {
      if (!have) {
        std::pop_heap(open_.begin(), open_.end(), later);
        node = std::move(open_.back());
        open_.pop_back();
      }
      have = false;
      if (node.bound > upper()) continue;
      if (stop_.should_stop(1 + model_.seconds.size() / 16)) {
        open_.push_back(std::move(node));
        break;
      }
      have = step(node);
    }
    Outcome outcome;
    outcome.nodes = made_;
    outcome.bound = incumbent_.of(root_.aim);
    for (const Node& left : open_)
      if (!(left.bound > upper())) outcome.bound = std::min(outcome.bound, lifted(left.bound, root_.grain));
    outcome.proven = open_.empty() || outcome.bound >= incumbent_.of(root_.aim);
    return outcome;
  }

 private:
  [[nodiscard]] double upper() const { return root_.upper(incumbent_, true); }

  bool conclude(State& state) {
    if (!root_.propagation->run(state, upper())) return false;
    raise_counts(model_, state);
    return root_.propagation->run(state, upper());
  }

  /// Bounds a node and replaces it by its first child; the second waits. False where nothing is left of it.
  bool step(Node& node) {
    ++made_;
    if (!conclude(node.state)) return false;
    Multipliers at = *node.at;
    at.place.resize(model_.place_node.size());
    const double limit = upper();
    const double target = incumbent_.exists() ? limit : std::min(limit, 1.2 * std::max(node.bound, 0.0) + 1e-12);
    const double bound =
        root_.dual->improve(node.state, root_.propagation->times(), at, target, limit, kSteps, stop_);
    node.bound = std::max(node.bound, bound);
    if (node.bound > limit) return false;
    if (made_ % kRoundEvery == 1)
      root_.rounding->run(node.state, root_.propagation->times(), at, root_.random, incumbent_);
    if (root_.dual->fix(node.state, root_.propagation->times(), at, upper()) < 0) return false;
    if (!conclude(node.state)) return false;
    const Branch branch = choose(node.state);
    if (branch.kind == Branch::Kind::none) {
      judge(node.state);
      return false;
    }
    node.at = std::make_shared<const Multipliers>(std::move(at));
    Node other = node;
    node.id = ++ids_;
    other.id = ++ids_;
    decide(node.state, branch, branch.first_in);
    decide(other.state, branch, !branch.first_in);
    open_.push_back(std::move(other));
    std::push_heap(open_.begin(), open_.end(), later);
    return true;
  }

  [[nodiscard]] Branch choose(const State& state) const {
    for (std::size_t t = 0; t < model_.tasks.size(); ++t)
      if (state.task[t] == Choice::open) return {Branch::Kind::task, heaviest_open(state), true};
    const Branch host = choose_host(state);
    return host.kind != Branch::Kind::none ? host : choose_slot(state);
  }

  [[nodiscard]] std::int32_t heaviest_open(const State& state) const {
    std::int32_t found = -1;
    double most = -1.0;
    for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
      if (state.task[t] != Choice::open || !(model_.problem.tasks()[t].weight > most)) continue;
      most = model_.problem.tasks()[t].weight;
      found = static_cast<std::int32_t>(t);
    }
    return found;
  }

  /// How far tasks and nodes want a replica, in [0, 1].
  [[nodiscard]] double wish(const State& state, std::int32_t host) const {
    double most = 0.0;
    const Host& h = model_.hosts[z(host)];
    for (std::int32_t i = h.first; i < h.end; ++i) {
      const std::int32_t p = model_.host_places[z(i)];
      if (state.alive[z(p)] != 0) most = std::max(most, root_.dual->place_mean()[z(p)]);
    }
    return std::min(1.0, 0.5 * (most + root_.dual->host_mean()[z(host)]));
  }

  [[nodiscard]] Branch choose_host(const State& state) const {
    Branch found;
    double best = -1.0;
    for (std::int32_t h = 0; z(h) < model_.hosts.size(); ++h) {
      if (state.host[z(h)] != Choice::open) continue;
      const double w = wish(state, h);
      const double undecided = std::min(w, 1.0 - w);
      const double score = undecided > kUndecided ? 1.0 + undecided : w;
      if (!(score > best)) continue;
      best = score;
      found = {Branch::Kind::host, h, w >= 0.3};
    }
    return found;
  }

  [[nodiscard]] Branch choose_slot(const State& state) const {
    Branch found;
    double best = -1.0;
    for (std::size_t k = 0; k < model_.slots.size(); ++k) {
      if (state.task[z(model_.slots[k].task)] == Choice::out) continue;
      std::int32_t alive = 0;
      std::int32_t place = -1;
      double most = -1.0;
      for (std::int32_t p = model_.slots[k].first; p < model_.slots[k].end; ++p) {
        if (state.alive[z(p)] == 0) continue;
        ++alive;
        if (!(root_.dual->place_mean()[z(p)] > most)) continue;
        most = root_.dual->place_mean()[z(p)];
        place = p;
      }
      const double score = 2.0 - most;
      if (alive < 2 || !(score > best)) continue;
      best = score;
      found = {Branch::Kind::slot, place, true};
    }
    return found;
  }

  void decide(State& state, const Branch& branch, bool in) const {
    if (branch.kind == Branch::Kind::task) {
      state.task[z(branch.index)] = in ? Choice::in : Choice::out;
    } else if (branch.kind == Branch::Kind::host) {
      state.host[z(branch.index)] = in ? Choice::in : Choice::out;
    } else if (in) {
      const Slot& slot = model_.slots[z(model_.place_slot[z(branch.index)])];
      for (std::int32_t p = slot.first; p < slot.end; ++p)
        if (p != branch.index) state.alive[z(p)] = 0;
    } else {
      state.alive[z(branch.index)] = 0;
    }
  }

  void judge(const State& state) {
    Assignment assignment(model_.tasks.size());
    for (std::size_t t = 0; t < model_.tasks.size(); ++t) {
      if (state.task[t] == Choice::out) continue;
      for (std::int32_t k = model_.tasks[t].first; k < model_.tasks[t].end; ++k)
        assignment[t].push_back(model_.place_node[z(only_place(model_, state, k))]);
    }
    incumbent_.offer(assignment);
  }

  Root& root_;
  const Model& model_;
  Incumbent& incumbent_;
  core::StopToken& stop_;
  std::vector<Node> open_;
  std::int64_t made_ = 0;
  std::int64_t ids_ = 0;
};

}  // namespace

Outcome search_tree(const Problem& problem, const Routes& routes, const Aim& aim, const Hosts& hosts,
                    Incumbent& incumbent, core::StopToken& stop) {
  Root root(problem, routes, aim, hosts);
  Outcome outcome;
  if (!root.tighten(kRootSteps, incumbent, true, stop)) {
    outcome.proven = true;
    outcome.bound = incumbent.of(aim);
  } else {
    outcome = Tree(root, incumbent, stop).run();
  }
  outcome.bounds = root.bounds();
  return outcome;
}

}  // namespace constellm::services::exact
