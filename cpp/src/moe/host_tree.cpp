#include "constellm/moe/host_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

HostTree::HostTree(const Hosting& hosting, std::span<const double> rest_s, Copies best, double best_s,
                   double slack_s)
    : hosting_(&hosting),
      after_s_(rest_s.size(), 0.0),
      load_(z(hosting.problem().slots()) * hosting.problem().satellites().size(), 0.0),
      best_(std::move(best)),
      best_s_(best_s),
      slack_s_(slack_s) {
  const Problem& problem = hosting.problem();
  for (std::int32_t s = 0; s < problem.satellite_count(); ++s) room_.push_back(hosting.places(s));
  for (std::size_t l = rest_s.size() - 1; l-- > 0;) after_s_[l] = after_s_[l + 1] + rest_s[l + 1];
  for (const Layer& layer : problem.layers()) {
    queues_.emplace_back(layer.picks);
    heaviest_.push_back(layer.picks.heaviest_first());
    placement_.emplace_back(heaviest_.back().size());
    std::vector<std::int32_t>& open = open_.emplace_back();
    for (std::int32_t s = 0; s < problem.satellite_count(); ++s) {
      bool alive = false;
      for (std::int32_t t = 0; t < problem.slots(); ++t)
        alive = alive || !std::isnan(problem.latency_s(layer, t, s));
      if (alive) open.push_back(s);
    }
    for (std::int32_t t = 0; t < problem.slots(); ++t) {
      std::vector<Near>& near = nearest_.emplace_back();
      for (std::int32_t s = 0; s < problem.satellite_count(); ++s) {
        const double latency_s = layer.latency_s[z(t) * room_.size() + z(s)];
        if (!std::isnan(latency_s)) near.push_back({latency_s, s});
      }
      if (problem.unreachable_s()) near.push_back({*problem.unreachable_s(), -1});
      std::stable_sort(near.begin(), near.end(),
                       [](const Near& a, const Near& b) { return a.latency_s < b.latency_s; });
    }
  }
}

double HostTree::run(core::StopToken& stop, std::uint64_t most_work) {
  stop_ = &stop;
  work_left_ = most_work;
  ended_ = false;
  return place(0, 0, 0.0, 0.0);
}

void HostTree::load(std::size_t l, std::int32_t expert, double sign) {
  if (!hosting_->limited()) return;
  for (std::int32_t t = 0; t < hosting_->problem().slots(); ++t) {
    const std::int32_t s =
        hosting_->served(hosting_->problem().layers()[l], t, placement_[l][z(expert)]).server;
    if (s >= 0) load_[z(t) * room_.size() + z(s)] += sign * hosting_->inclusion(l)[z(expert)];
  }
}

void HostTree::put(std::size_t l, std::int32_t expert, const std::vector<std::int32_t>& copies) {
  placement_[l][z(expert)] = copies;
  for (const std::int32_t s : copies) --room_[z(s)];
  load(l, expert, 1.0);
}

void HostTree::take_back(std::size_t l, std::int32_t expert) {
  load(l, expert, -1.0);
  for (const std::int32_t s : placement_[l][z(expert)]) ++room_[z(s)];
  placement_[l][z(expert)].clear();
}

/// A copy that never serves can as well be left out.
bool HostTree::serves_with_all(const Layer& layer, const std::vector<std::int32_t>& copies) const {
  if (copies.size() == 1) return true;
  std::size_t serving = 0;
  for (const std::int32_t s : copies) {
    for (std::int32_t t = 0; t < hosting_->problem().slots(); ++t) {
      if (hosting_->served(layer, t, copies).server != s) continue;
      ++serving;
      break;
    }
  }
  return serving == copies.size();
}

bool HostTree::within_limits(std::size_t l, std::int32_t expert) const {
  if (!hosting_->limited()) return true;
  for (std::int32_t t = 0; t < hosting_->problem().slots(); ++t) {
    const std::int32_t s =
        hosting_->served(hosting_->problem().layers()[l], t, placement_[l][z(expert)]).server;
    if (s >= 0 && load_[z(t) * room_.size() + z(s)] > hosting_->most_activations(t, s)) return false;
  }
  return true;
}

/// What the layer costs at least, so many of its heaviest experts placed; just what it costs where all are.
/// Queues of two picks count where both are placed.
double HostTree::layer_bound_s(std::size_t l, std::size_t placed) {
  struct Put {
    double latency_s;
    std::int32_t expert;
  };
  const Problem& problem = hosting_->problem();
  const Layer& layer = problem.layers()[l];
  const std::vector<std::int32_t>& heaviest = heaviest_[l];
  const std::size_t experts = heaviest.size();
  if (placed == experts) return layer_latency_s(*hosting_, l, queues_[l], placement_[l]);
  thread_local std::vector<Put> put;
  thread_local std::vector<Served> served;
  thread_local std::vector<std::int32_t> order;
  thread_local std::vector<double> farthest;
  farthest.resize(experts);
  double sum = 0.0;
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    put.clear();
    served.clear();
    for (std::size_t j = 0; j < placed; ++j) {
      served.push_back(hosting_->served(layer, t, placement_[l][z(heaviest[j])]));
      put.push_back({served[j].latency_s, heaviest[j]});
      for (std::size_t i = 0; i < j && problem.top_k() == 2; ++i) {
        if (served[j].server >= 0 && served[i].server == served[j].server)
          sum += layer.picks.pairs_of(heaviest[i])[heaviest[j]] * served[j].service_s;
      }
    }
    std::size_t next = placed;
    for (const Near& near : nearest_[l * z(problem.slots()) + z(t)]) {
      const std::size_t room = near.satellite < 0 ? experts : z(room_[z(near.satellite)]);
      for (std::size_t r = 0; r < room && next < experts; ++r)
        put.push_back({near.latency_s, heaviest[next++]});
    }
    if (next < experts) return kNever;
    std::stable_sort(put.begin(), put.end(),
                     [](const Put& a, const Put& b) { return a.latency_s < b.latency_s; });
    order.clear();
    for (const Put& one : put) order.push_back(one.expert);
    layer.picks.farthest(order, farthest);
    for (std::size_t j = 0; j < experts; ++j) sum += farthest[j] * put[j].latency_s;
  }
  return sum / problem.slots();
}

bool HostTree::ended(std::uint64_t work) {
  ended_ = ended_ || work_left_ < work || stop_->should_stop(work);
  work_left_ -= std::min(work, work_left_);
  return ended_;
}

/// Adds to `children` every set that begins with `copies` and goes on with open satellites from `next` on.
void HostTree::list(std::size_t l, std::size_t at, std::size_t next, std::vector<std::int32_t>& copies,
                    std::vector<Child>& children) {
  const Layer& layer = hosting_->problem().layers()[l];
  const std::int32_t expert = heaviest_[l][at];
  if (copies.size() == z(hosting_->copies(l, expert))) return;
  const std::uint64_t slots = z(hosting_->problem().slots());
  for (; next < open_[l].size() && !ended(slots / 8 + 1); ++next) {
    const std::int32_t s = open_[l][next];
    if (room_[z(s)] == 0) continue;
    copies.push_back(s);
    if (hosting_->lives(layer, copies) && serves_with_all(layer, copies) &&
        !ended(slots * heaviest_[l].size() / 2 + 1)) {
      ++nodes_;
      put(l, expert, copies);
      if (within_limits(l, expert)) children.push_back({copies, layer_bound_s(l, at + 1)});
      take_back(l, expert);
    }
    list(l, at, next + 1, copies, children);
    copies.pop_back();
  }
}

double HostTree::place(std::size_t l, std::size_t at, double done_s, double bound_s) {
  if (l == heaviest_.size()) {
    if (done_s < best_s_) {
      best_s_ = done_s;
      best_ = placement_;
    }
    return done_s;
  }
  std::vector<Child> children;
  std::vector<std::int32_t> copies;
  list(l, at, 0, copies, children);
  if (ended_) return bound_s;
  std::stable_sort(children.begin(), children.end(),
                   [](const Child& a, const Child& b) { return a.bound_s < b.bound_s; });
  const bool last = at + 1 == heaviest_[l].size();
  double least_s = kNever;
  for (const Child& child : children) {
    const double below_s = done_s + child.bound_s + after_s_[l];
    if (ended_ || below_s >= best_s_ - slack_s_) {
      least_s = std::min(least_s, below_s);  // and of all behind it
      break;
    }
    put(l, heaviest_[l][at], child.copies);
    least_s = std::min(
        least_s, last ? place(l + 1, 0, done_s + child.bound_s, below_s) : place(l, at + 1, done_s, below_s));
    take_back(l, heaviest_[l][at]);
  }
  return std::max(least_s, bound_s);
}

}  // namespace constellm::moe
