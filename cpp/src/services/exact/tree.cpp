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

constexpr std::int32_t kSteps = 60;      // of a node
constexpr std::int64_t kRoundEvery = 8;  // nodes
constexpr std::int32_t kTrySteps = 12;
constexpr std::size_t kHostsTried = 3;
constexpr std::size_t kSlotsTried = 5;
constexpr std::int32_t kOftenEnough = 6;  // trials of one replica or slot
constexpr double kUndecided = 0.02;       // a mean so far from 0 and 1

struct Node {
  State state;
  std::shared_ptr<const Multipliers> at;
  double bound = 0.0;
  std::int64_t id = 0;
};

/// The least bound at the top, of equal ones the last made.
bool later(const Node& a, const Node& b) { return a.bound != b.bound ? a.bound > b.bound : a.id < b.id; }

/// What trials of a replica or a slot gained on average.
struct Gain {
  double sum[2] = {0.0, 0.0};
  std::int32_t tried = 0;

  [[nodiscard]] double mean(std::size_t in) const { return sum[in] / std::max(1, tried); }
};

struct Branch {
  enum class Kind { none, task, host, slot } kind = Kind::none;
  std::int32_t index = -1;  // task, host or slot
  bool first_in = true;
  std::vector<std::int32_t> near, far;  // of a slot: its places on two sides; in: those near are left
  double bound[2] = {0.0, 0.0};         // of the children out and in, as far as they were tried
};

class Tree {
 public:
  Tree(Root& root, Incumbent& incumbent, std::int64_t most_nodes, core::StopToken& stop)
      : root_(root),
        model_(*root.model),
        incumbent_(incumbent),
        most_nodes_(most_nodes),
        stop_(stop),
        host_gain_(model_.hosts.size()),
        slot_gain_(model_.slots.size()) {}

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
      if (made_ >= most_nodes_ || stop_.should_stop(1 + model_.seconds.size() / 16)) {
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
    if (!outcome.proven) outcome.left = left();
    return outcome;
  }

 private:
  /// Of each slot the nodes that it has somewhere in the open tree.
  [[nodiscard]] Hosts left() const {
    std::vector<std::uint8_t> alive(model_.place_node.size(), 0);
    for (const Node& node : open_) {
      if (node.bound > upper()) continue;
      for (std::size_t p = 0; p < alive.size(); ++p) alive[p] |= node.state.alive[p];
    }
    return hosts_of(model_, alive);
  }

  void wait(Node node) {
    if (node.bound > upper()) return;
    open_.push_back(std::move(node));
    std::push_heap(open_.begin(), open_.end(), later);
  }

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
    const double target =
        incumbent_.exists() ? limit : std::min(limit, 1.2 * std::max(node.bound, 0.0) + 1e-12);
    const double bound =
        root_.dual->improve(node.state, root_.propagation->times(), at, target, limit, kSteps, stop_);
    node.bound = std::max(node.bound, bound);
    if (node.bound > limit) return false;
    if (made_ % kRoundEvery == 1)
      root_.rounding->run(node.state, root_.propagation->times(), at, root_.random, incumbent_);
    if (root_.dual->fix(node.state, root_.propagation->times(), at, upper()) < 0) return false;
    if (!conclude(node.state)) return false;
    Branch branch = choose(node.state);
    if (branch.kind == Branch::Kind::host || branch.kind == Branch::Kind::slot) {
      Branch tried = try_all(node, at);
      if (tried.kind != Branch::Kind::none) branch = std::move(tried);
    }
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
    node.bound = std::max(node.bound, branch.bound[branch.first_in ? 1 : 0]);
    other.bound = std::max(other.bound, branch.bound[branch.first_in ? 0 : 1]);
    wait(std::move(other));
    if (!incumbent_.exists()) return true;  // down to a plan
    wait(std::move(node));
    return false;
  }

  [[nodiscard]] Branch choose(const State& state) const {
    for (std::size_t t = 0; t < model_.tasks.size(); ++t)
      if (state.task[t] == Choice::open) return {Branch::Kind::task, heaviest_open(state), true, {}, {}, {}};
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
      found = {Branch::Kind::host, h, w >= 0.3, {}, {}, {}};
    }
    return found;
  }

  /// The bound of a child after a few steps; infinite where there is nothing in it.
  double try_child(const Node& node, const Multipliers& at, const Branch& branch, bool in) {
    State state = node.state;
    decide(state, branch, in);
    if (!conclude(state)) return kNone;
    trial_ = at;
    const double limit = upper();
    const double bound =
        root_.dual->improve(state, root_.propagation->times(), trial_, limit, limit, kTrySteps, stop_);
    return bound > limit ? kNone : std::max(bound, node.bound);
  }

  /// What to branch on: of the replicas and slots that look least decided, the one whose two children have
  /// the best bounds. What was tried often is judged by what that gained.
  Branch try_all(const Node& node, const Multipliers& at) {
    std::vector<Branch> candidates;
    std::vector<std::pair<double, std::int32_t>> order;
    for (std::int32_t h = 0; z(h) < model_.hosts.size(); ++h) {
      if (node.state.host[z(h)] != Choice::open) continue;
      const double w = wish(node.state, h);
      if (std::min(w, 1.0 - w) > kUndecided) order.emplace_back(-std::min(w, 1.0 - w), h);
    }
    std::sort(order.begin(), order.end());
    if (order.size() > kHostsTried) order.resize(kHostsTried);
    for (const auto& [undecided, h] : order)
      candidates.push_back({Branch::Kind::host, h, wish(node.state, h) >= 0.3, {}, {}, {}});
    order = undecided_slots(node.state, kUndecided);
    if (order.size() > kSlotsTried) order.resize(kSlotsTried);
    for (const auto& [most, k] : order) candidates.push_back(split(node.state, k));
    std::size_t found = candidates.size();
    double best = -1.0;
    const double least = 1e-6 * std::max(1.0, std::abs(node.bound));
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      Gain& gain = candidates[i].kind == Branch::Kind::host ? host_gain_[z(candidates[i].index)]
                                                            : slot_gain_[z(candidates[i].index)];
      if (gain.tried >= kOftenEnough) {
        const double score = std::max(gain.mean(0), least) * std::max(gain.mean(1), least);
        if (score > best) {
          best = score;
          found = i;
        }
        continue;
      }
      double score = 1.0;
      for (const bool in : {true, false}) {
        const double bound = try_child(node, at, candidates[i], in);
        candidates[i].bound[in ? 1 : 0] = bound;
        if (!(bound < kNone)) {  // the other child alone is left
          candidates[i].first_in = !in;
          return candidates[i];
        }
        score *= std::max(bound - node.bound, least);
        gain.sum[in ? 1 : 0] += bound - node.bound;
      }
      ++gain.tried;
      if (!(score > best)) continue;
      best = score;
      found = i;
    }
    return found < candidates.size() ? candidates[found] : Branch{};
  }

  /// A slot's places on two sides: those nearer to the most wanted, and those nearer to the most wanted of
  /// the rest.
  [[nodiscard]] Branch split(const State& state, std::int32_t k) const {
    const Slot& slot = model_.slots[z(k)];
    const std::vector<double>& mean = root_.dual->place_mean();
    std::int32_t first = -1;
    std::int32_t second = -1;
    for (std::int32_t p = slot.first; p < slot.end; ++p) {
      if (state.alive[z(p)] == 0) continue;
      if (first < 0 || mean[z(p)] > mean[z(first)]) {
        second = first;
        first = p;
      } else if (second < 0 || mean[z(p)] > mean[z(second)]) {
        second = p;
      }
    }
    Branch branch{Branch::Kind::slot, k, true, {}, {}, {}};
    const std::span<const double> near_s = model_.routes.seconds(slot.out, model_.place_node[z(first)]);
    const std::span<const double> far_s = model_.routes.seconds(slot.out, model_.place_node[z(second)]);
    for (std::int32_t p = slot.first; p < slot.end; ++p) {
      if (state.alive[z(p)] == 0) continue;
      const auto v = z(model_.place_node[z(p)]);
      const bool is_near = p == first || (p != second && near_s[v] < far_s[v]);
      (is_near ? branch.near : branch.far).push_back(p);
    }
    return branch;
  }

  [[nodiscard]] Branch choose_slot(const State& state) const {
    const auto order = undecided_slots(state, 0.0);
    return order.empty() ? Branch{} : split(state, order.front().second);
  }

  /// Slots that no place has most of, the least decided first.
  [[nodiscard]] std::vector<std::pair<double, std::int32_t>> undecided_slots(const State& state,
                                                                             double least) const {
    std::vector<std::pair<double, std::int32_t>> order;
    for (std::int32_t k = 0; z(k) < model_.slots.size(); ++k) {
      const Slot& slot = model_.slots[z(k)];
      if (state.task[z(slot.task)] == Choice::out) continue;
      std::int32_t alive = 0;
      double most = 0.0;
      for (std::int32_t p = slot.first; p < slot.end; ++p) {
        if (state.alive[z(p)] == 0) continue;
        ++alive;
        most = std::max(most, root_.dual->place_mean()[z(p)]);
      }
      if (alive > 1 && 1.0 - most >= least) order.emplace_back(most, k);
    }
    std::sort(order.begin(), order.end());
    return order;
  }

  void decide(State& state, const Branch& branch, bool in) const {
    if (branch.kind == Branch::Kind::task) {
      state.task[z(branch.index)] = in ? Choice::in : Choice::out;
    } else if (branch.kind == Branch::Kind::host) {
      state.host[z(branch.index)] = in ? Choice::in : Choice::out;
    } else {
      for (const std::int32_t p : in ? branch.far : branch.near) state.alive[z(p)] = 0;
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
  const std::int64_t most_nodes_;
  core::StopToken& stop_;
  std::vector<Gain> host_gain_, slot_gain_;
  std::vector<Node> open_;
  Multipliers trial_;
  std::int64_t made_ = 0;
  std::int64_t ids_ = 0;
};

}  // namespace

Outcome branch(Root& root, Incumbent& incumbent, core::StopToken& stop, std::int64_t most_nodes) {
  return Tree(root, incumbent, most_nodes, stop).run();
}

}  // namespace constellm::services::exact
