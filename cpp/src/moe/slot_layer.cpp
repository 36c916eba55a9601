#include "constellm/moe/slot_layer.hpp"

#include <algorithm>
#include <limits>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

SlotLayer::SlotLayer(const Problem& problem, const Layer& layer, core::StopToken& stop)
    : layer_(&layer),
      slots_(problem.slots()),
      by_mean_(layer.usable),
      heaviest_first_(layer.picks.heaviest_first()) {
  const std::size_t satellites = problem.satellites().size();
  std::vector<double> sum(satellites, 0.0);
  nearest_.reserve(z(slots_) * layer.usable.size());
  for (std::int32_t t = 0; t < slots_; ++t) {
    if (stop.should_stop(layer.usable.size() / 2 + 1)) throw core::Stopped();
    const auto begin = static_cast<std::ptrdiff_t>(nearest_.size());
    for (const std::int32_t s : layer.usable) {
      const double latency_s = problem.latency_s(layer, t, s);
      sum[z(s)] += latency_s;
      nearest_.push_back({latency_s, s});
    }
    std::sort(nearest_.begin() + begin, nearest_.end(), [](const Near& a, const Near& b) {
      return a.latency_s < b.latency_s || (a.latency_s == b.latency_s && a.satellite < b.satellite);
    });
  }
  std::stable_sort(by_mean_.begin(), by_mean_.end(),
                   [&](std::int32_t a, std::int32_t b) { return sum[z(a)] < sum[z(b)]; });
}

SlotLayer::SlotLayer(const SlotLayer& whole, std::span<const Seat> seats)
    : layer_(whole.layer_), slots_(whole.slots_), heaviest_first_(whole.heaviest_first_) {
  const auto open = [&](std::int32_t satellite) { return seats[z(satellite)] != Seat::closed; };
  for (const Near& near : whole.nearest_)
    if (open(near.satellite)) nearest_.push_back(near);
  for (const std::int32_t s : whole.by_mean_)
    if (open(s)) by_mean_.push_back(s);
}

double SlotLayer::bound_s(std::span<const std::int32_t> satellite_of, std::span<const Seat> seats) const {
  thread_local std::vector<std::int32_t> expert_on;  // by satellite; -1: none
  thread_local std::vector<std::int32_t> free;
  thread_local std::vector<std::int32_t> order;
  thread_local std::vector<double> latency_s;
  thread_local std::vector<double> farthest;
  const std::size_t experts = heaviest_first_.size();
  expert_on.assign(seats.size(), -1);
  free.clear();
  for (const std::int32_t e : heaviest_first_) {
    if (satellite_of[z(e)] < 0)
      free.push_back(e);
    else
      expert_on[z(satellite_of[z(e)])] = e;
  }
  const auto taken = static_cast<std::size_t>(std::count(seats.begin(), seats.end(), Seat::taken));
  order.resize(experts);
  latency_s.resize(experts);
  farthest.resize(experts);
  double sum = 0.0;
  for (std::int32_t t = 0; t < slots_; ++t) {
    const std::span<const Near> nearest = this->nearest(t);
    auto near = nearest.begin();
    std::size_t others = free.size() - taken;  // that may still go to satellites that are merely open
    std::size_t f = 0;
    for (std::size_t j = 0; j < experts; ++near) {
      if (near == nearest.end()) return std::numeric_limits<double>::infinity();
      std::int32_t expert = expert_on[z(near->satellite)];
      if (expert < 0) {
        const Seat seat = seats[z(near->satellite)];
        if (f == free.size() || seat == Seat::closed) continue;
        if (seat == Seat::open) {
          if (others == 0) continue;
          --others;
        }
        expert = free[f++];
      }
      order[j] = expert;
      latency_s[j++] = near->latency_s;
    }
    layer_->picks.farthest(order, farthest);
    for (std::size_t j = 0; j < experts; ++j) sum += farthest[j] * latency_s[j];
  }
  return sum / slots_;
}

}  // namespace constellm::moe
