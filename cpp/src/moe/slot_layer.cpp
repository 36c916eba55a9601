#include "constellm/moe/slot_layer.hpp"

#include <algorithm>
#include <limits>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

SlotLayer::SlotLayer(const Problem& problem, const Layer& layer, core::StopToken& stop)
    : layer_(&layer),
      slots_(problem.slots()),
      latency_s_(layer.latency_s.size()),
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
      latency_s_[z(t) * satellites + z(s)] = latency_s;
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

double SlotLayer::bound_s(std::span<const std::int32_t> satellite_of, std::span<const Seat> seats) const {
  struct Placed {
    double latency_s;
    std::int32_t expert;
  };
  thread_local std::vector<Placed> placed;
  thread_local std::vector<std::int32_t> free;
  thread_local std::vector<std::int32_t> order;
  thread_local std::vector<double> latency_s;
  thread_local std::vector<double> farthest;
  const std::size_t experts = heaviest_first_.size();
  const std::size_t satellites = seats.size();
  free.clear();
  for (const std::int32_t e : heaviest_first_)
    if (satellite_of[z(e)] < 0) free.push_back(e);
  const auto taken = static_cast<std::size_t>(std::count(seats.begin(), seats.end(), Seat::taken));
  order.resize(experts);
  latency_s.resize(experts);
  farthest.resize(experts);
  double sum = 0.0;
  for (std::int32_t t = 0; t < slots_; ++t) {
    const double* const slot_s = &latency_s_[z(t) * satellites];
    placed.clear();
    for (std::size_t e = 0; e < experts; ++e)
      if (satellite_of[e] >= 0) placed.push_back({slot_s[satellite_of[e]], static_cast<std::int32_t>(e)});
    std::sort(placed.begin(), placed.end(),
              [](const Placed& a, const Placed& b) { return a.latency_s < b.latency_s; });
    const Near* near = &nearest_[z(t) * layer_->usable.size()];
    const Near* const end = near + layer_->usable.size();
    std::size_t others = free.size() - taken;  // that may still go to satellites that are merely open
    const auto refused = [&](Seat seat) {
      return seat == Seat::closed || (seat == Seat::open && others == 0);
    };
    std::size_t p = 0;
    std::size_t f = 0;
    for (std::size_t j = 0; j < experts; ++j) {
      while (f < free.size() && near != end && refused(seats[z(near->satellite)])) ++near;
      if (f < free.size() && near == end) return std::numeric_limits<double>::infinity();
      if (f < free.size() && (p == placed.size() || near->latency_s < placed[p].latency_s)) {
        if (seats[z(near->satellite)] == Seat::open) --others;
        order[j] = free[f++];
        latency_s[j] = (near++)->latency_s;
      } else {
        order[j] = placed[p].expert;
        latency_s[j] = placed[p++].latency_s;
      }
    }
    layer_->picks.farthest(order, farthest);
    for (std::size_t j = 0; j < experts; ++j) sum += farthest[j] * latency_s[j];
  }
  return sum / slots_;
}

}  // namespace constellm::moe
