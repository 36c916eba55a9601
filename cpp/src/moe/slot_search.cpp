#include "constellm/moe/slot_search.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

SlotSearch::SlotSearch(std::span<const SlotLayer> layers, std::vector<Seat> seats, Placement best,
                       double best_s, double slack_s)
    : layers_(layers), seats_(std::move(seats)), best_(std::move(best)), best_s_(best_s), slack_s_(slack_s) {
  std::size_t most = 0;
  for (const SlotLayer& layer : layers_) {
    placement_.emplace_back(layer.heaviest_first().size(), -1);
    most = std::max(most, layer.heaviest_first().size());
  }
  // Layers that compete settle first where the heavy experts are. Alone, it says the most where the light
  // ones are: they are far, and the slowest of several picks is most often one of them.
  for (std::size_t i = 0; i < most; ++i) {
    for (std::size_t l = 0; l < layers_.size(); ++l)
      if (i < placement_[l].size()) turns_.push_back({l, layers_[l].heaviest_first()[i]});
  }
  if (layers_.size() == 1) std::reverse(turns_.begin(), turns_.end());
}

std::vector<double> SlotSearch::bounds() const {
  std::vector<double> found;
  for (std::size_t l = 0; l < layers_.size(); ++l) found.push_back(layers_[l].bound_s(placement_[l], seats_));
  return found;
}

bool SlotSearch::ended(core::StopToken& stop, std::uint64_t work) {
  work_ += work;
  return work_ > most_work_ || stop.should_stop(work);
}

double SlotSearch::run(core::StopToken& stop, std::uint64_t most_work) {
  most_work_ = most_work;
  const std::vector<double> root = bounds();
  if (layers_.size() > 1) return place(0, root, stop);
  return choose_set(0, 0, root[0], stop);
}

/// Takes the satellites in the order of their means, each with and without, until as many are left as there
/// are experts.
double SlotSearch::choose_set(std::size_t next, std::int32_t chosen, double bound_s, core::StopToken& stop) {
  if (bound_s >= best_s_ - slack_s_ || ended(stop, 2 * layers_[0].work())) return bound_s;
  const std::vector<std::int32_t>& order = layers_[0].by_mean();
  const auto experts = static_cast<std::int32_t>(placement_[0].size());
  while (next < order.size() && seats_[z(order[next])] == Seat::closed) ++next;
  if (chosen == experts) {
    return std::max(place(0, {bound_s}, stop), bound_s);
  }
  if (next == order.size()) return kNever;
  Seat& seat = seats_[z(order[next])];
  nodes_ += 2;
  seat = Seat::taken;
  const double with = choose_set(next + 1, chosen + 1, std::max(bounds()[0], bound_s), stop);
  seat = Seat::closed;
  const double without =
      ended(stop, 0) ? bound_s : choose_set(next + 1, chosen, std::max(bounds()[0], bound_s), stop);
  seat = Seat::open;
  return std::min(with, without);
}

/// Which satellites are worth trying, by rising mean: experts that are picked alike go one behind the other,
/// and nothing else is lost.
SlotSearch::Range SlotSearch::worth(const Turn& turn) const {
  const SlotLayer& layer = layers_[turn.layer];
  const Picks& picks = layer.layer().picks;
  const std::vector<std::int32_t>& heaviest = layer.heaviest_first();
  const std::vector<std::int32_t>& order = layer.by_mean();
  const auto at = std::find(heaviest.begin(), heaviest.end(), turn.expert);
  const auto host_of_alike = [&](std::int32_t other) {
    const bool alike =
        picks.top_k() == picks.experts() || picks.weights()[z(other)] == picks.weights()[z(turn.expert)];
    const std::int32_t host = alike ? placement_[turn.layer][z(other)] : -1;
    return host < 0 ? order.end() : std::find(order.begin(), order.end(), host);
  };
  Range range{0, order.size()};
  if (at != heaviest.begin()) {
    const auto before = host_of_alike(*(at - 1));
    if (before != order.end()) range.begin = static_cast<std::size_t>(before - order.begin()) + 1;
  }
  if (at + 1 != heaviest.end())
    range.end = static_cast<std::size_t>(host_of_alike(*(at + 1)) - order.begin());
  return range;
}

double SlotSearch::place(std::size_t depth, const std::vector<double>& layer_s, core::StopToken& stop) {
  const double bound = std::accumulate(layer_s.begin(), layer_s.end(), 0.0);
  if (bound >= best_s_ - slack_s_) return bound;
  if (depth == turns_.size()) {
    best_s_ = bound;
    best_ = placement_;
    return bound;
  }
  const Turn turn = turns_[depth];
  const bool one_set = layers_.size() == 1;
  std::vector<Child> children;
  const std::vector<std::int32_t>& order = layers_[turn.layer].by_mean();
  const Range range = worth(turn);
  for (std::size_t next = range.begin; next < range.end; ++next) {
    const std::int32_t s = order[next];
    const Seat seat = seats_[z(s)];
    if (seat == Seat::closed || (one_set && seat == Seat::open)) continue;
    if (ended(stop, layers_[turn.layer].work())) return bound;
    ++nodes_;
    seats_[z(s)] = Seat::closed;
    placement_[turn.layer][z(turn.expert)] = s;
    std::vector<double> below = layer_s;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      // A layer that cannot use the satellite does not miss it.
      const std::vector<std::int32_t>& usable = layers_[l].layer().usable;
      if (l == turn.layer || std::binary_search(usable.begin(), usable.end(), s))
        below[l] = std::max(layers_[l].bound_s(placement_[l], seats_), layer_s[l]);
    }
    placement_[turn.layer][z(turn.expert)] = -1;
    seats_[z(s)] = seat;
    const double child = std::accumulate(below.begin(), below.end(), 0.0);
    if (child < kNever) children.push_back({s, child, std::move(below)});
  }
  std::stable_sort(children.begin(), children.end(),
                   [](const Child& a, const Child& b) { return a.bound_s < b.bound_s; });
  double least = kNever;
  for (const Child& child : children) {
    if (child.bound_s >= best_s_ - slack_s_ || ended(stop, 0)) {
      least = std::min(least, child.bound_s);
      break;
    }
    const Seat seat = std::exchange(seats_[z(child.satellite)], Seat::closed);
    placement_[turn.layer][z(turn.expert)] = child.satellite;
    least = std::min(least, place(depth + 1, child.layer_s, stop));
    placement_[turn.layer][z(turn.expert)] = -1;
    seats_[z(child.satellite)] = seat;
  }
  return std::max(least, bound);
}

}  // namespace constellm::moe
