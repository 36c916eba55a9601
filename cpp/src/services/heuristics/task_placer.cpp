#include "constellm/services/heuristics/task_placer.hpp"

#include <algorithm>
#include <limits>

namespace constellm::services::heuristics {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

TaskPlacer::TaskPlacer(const Slots& slots, std::size_t width)
    : slots_(&slots),
      width_(width),
      nodes_(z(slots.count())),
      own_(z(slots.count())),
      labels_(z(slots.count())),
      best_from_(slots.problem().transfers().size()),
      chosen_(z(slots.count()), -1),
      listed_(z(slots.problem().node_count()), 0) {}

bool TaskPlacer::forbids(std::int32_t slot, std::int32_t node) const {
  return std::any_of(forbidden_.begin(), forbidden_.end(),
                     [&](const Ban& f) { return f.service == slot && f.node == node; });
}

/// Where there are replicas, and the nodes that are best for the task alone.
void TaskPlacer::choose_nodes(const State& state, std::int32_t task, Ban ban) {
  for (std::int32_t k = slots_->first(task); k < slots_->end(task); ++k) {
    std::vector<std::int32_t>& nodes = nodes_[z(k)];
    nodes.clear();
    const std::int32_t s = slots_->service(k);
    const auto take = [&](std::int32_t v) {
      if (listed_[z(v)] != 0 || (s == ban.service && v == ban.node) || forbids(k, v)) return;
      listed_[z(v)] = 1;
      nodes.push_back(v);
    };
    for (const std::int32_t other : slots_->of_service(s)) {
      const std::int32_t v = state.node(other);
      if (v >= 0 && slots_->may_host(k, v)) take(v);
    }
    const std::vector<std::int32_t>& all = slots_->candidates(k);
    for (std::size_t i = 0; i < std::min(all.size(), width_); ++i) take(all[i]);
    own_[z(k)].clear();
    for (const std::int32_t v : nodes) {
      listed_[z(v)] = 0;
      own_[z(k)].push_back(state.opening(s, v) + state.loading(k, v));
    }
  }
}

bool TaskPlacer::run(std::int32_t task, double per_second) {
  const Task& terms = slots_->problem().tasks()[z(task)];
  for (std::int32_t k = slots_->first(task); k < slots_->end(task); ++k) {
    labels_[z(k)].assign(nodes_[z(k)].size(), {0.0, 0.0, 0.0});
    for (std::size_t i = 0; i < nodes_[z(k)].size(); ++i) labels_[z(k)][i].price = own_[z(k)][i];
    chosen_[z(k)] = -1;
  }
  const auto close = [&](std::int32_t k) {
    for (std::size_t i = 0; i < nodes_[z(k)].size(); ++i) {
      Label& label = labels_[z(k)][i];
      label.end_s += slots_->compute_s(slots_->service(k), nodes_[z(k)][i]);
      label.total = label.price + per_second * label.end_s;
    }
  };
  std::int32_t open = slots_->first(task);
  for (const Way& way : slots_->ways(task)) {
    if (way.to != open) close(open);
    open = way.to;
    if (way.to == kEndpoint) break;
    const std::vector<std::int32_t>& here = nodes_[z(way.to)];
    std::vector<Label>& labels = labels_[z(way.to)];
    std::vector<std::int32_t>& best = best_from_[z(way.transfer)];
    best.assign(here.size(), -1);
    for (std::size_t i = 0; i < here.size(); ++i) {
      if (way.from == kEndpoint) {
        labels[i].end_s = std::max(labels[i].end_s, slots_->seconds(way.transfer, terms.source, here[i]));
        continue;
      }
      const std::vector<std::int32_t>& from = nodes_[z(way.from)];
      const std::vector<Label>& before = labels_[z(way.from)];
      double least = kNever;
      for (std::size_t j = 0; j < from.size(); ++j) {
        const double total = before[j].total + per_second * slots_->seconds(way.transfer, from[j], here[i]);
        if (total < least) {
          least = total;
          best[i] = static_cast<std::int32_t>(j);
        }
      }
      if (best[i] < 0) {
        labels[i].end_s = kNever;
        continue;
      }
      const std::size_t j = z(best[i]);
      labels[i].price += before[j].price;
      labels[i].end_s =
          std::max(labels[i].end_s, before[j].end_s + slots_->seconds(way.transfer, from[j], here[i]));
    }
  }
  const std::int32_t last = slots_->end(task) - 1;
  const std::span<const Way> ways = slots_->ways(task);
  double least = kNever;
  for (std::size_t i = 0; i < nodes_[z(last)].size(); ++i) {
    const double total = labels_[z(last)][i].total +
                         per_second * slots_->seconds(ways.back().transfer, nodes_[z(last)][i], terms.sink);
    if (total < least) {
      least = total;
      chosen_[z(last)] = static_cast<std::int32_t>(i);
    }
  }
  if (chosen_[z(last)] < 0) return false;
  for (auto way = ways.rbegin(); way != ways.rend(); ++way) {
    if (way->from == kEndpoint || way->to == kEndpoint || chosen_[z(way->from)] >= 0) continue;
    chosen_[z(way->from)] = best_from_[z(way->transfer)][z(chosen_[z(way->to)])];
  }
  return true;
}

bool TaskPlacer::place(State& state, std::int32_t task, Ban ban) {
  for (std::int32_t k = slots_->first(task); k < slots_->end(task); ++k) state.place(k, -1);
  state.settle();
  choose_nodes(state, task, ban);
  const double limit_s = slots_->problem().deadline_limit_s(task);
  // A price that matters beside those of replicas, in case that there is none.
  double per_second = std::max(state.per_second(task), 1e-9);
  constexpr int kTries = 7;
  for (int i = 0; i < kTries; ++i) {
    if (!run(task, per_second)) {
      for (std::int32_t k = slots_->first(task); k < slots_->end(task); ++k) state.place(k, -1);
      state.settle();
      return false;
    }
    for (std::int32_t k = slots_->first(task); k < slots_->end(task); ++k)
      state.place(k, nodes_[z(k)][z(chosen_[z(k)])]);
    state.settle();
    if (state.delay_s(task) <= limit_s) break;
    per_second = std::max(5.0 * per_second, state.scales().penalty / limit_s);
  }
  return true;
}

}  // namespace constellm::services::heuristics
