#include "constellm/flow/time_cut.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/flow/exact_sum.hpp"

namespace constellm::flow {
namespace {

using core::z;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// Of all that is wanted: no more is ever put down to rounding.
constexpr double kMostRounding = 1e-10;

}  // namespace

TimeCut::TimeCut(const Instance& instance, std::vector<std::uint8_t> starts_inside,
                 std::vector<std::vector<double>> changes_s)
    : instance_(&instance), starts_inside_(std::move(starts_inside)), changes_s_(std::move(changes_s)) {
  for (const Channel& channel : instance.channels) add_crossings(channel);
}

bool TimeCut::is_inside(std::int32_t node, double at_s) const {
  const std::vector<double>& changes = changes_s_[z(node)];
  const auto passed = std::upper_bound(changes.begin(), changes.end(), at_s) - changes.begin();
  return (starts_inside_[z(node)] != 0) != (passed % 2 == 1);
}

void TimeCut::add_crossings(const Channel& channel) {
  const std::vector<double>* sides[] = {&changes_s_[z(channel.from)], &changes_s_[z(channel.to)]};
  bool inside[] = {is_inside(channel.from, channel.open_s), is_inside(channel.to, channel.open_s)};
  std::size_t next[2];
  for (int e = 0; e < 2; ++e) {
    const std::vector<double>& changes = *sides[e];
    next[e] = static_cast<std::size_t>(std::upper_bound(changes.begin(), changes.end(), channel.open_s) -
                                       changes.begin());
  }
  double at_s = channel.open_s;
  while (at_s < channel.close_s) {
    const double change_s[] = {next[0] < sides[0]->size() ? (*sides[0])[next[0]] : kInfinity,
                               next[1] < sides[1]->size() ? (*sides[1])[next[1]] : kInfinity};
    const double until_s = std::min({change_s[0], change_s[1], channel.close_s});
    if (inside[0] && !inside[1] && until_s > at_s) crossings_.push_back({at_s, until_s, channel.bytes_per_s});
    for (int e = 0; e < 2; ++e) {
      if (change_s[e] > until_s) continue;
      inside[e] = !inside[e];
      ++next[e];
    }
    at_s = until_s;
  }
}

double TimeCut::constant_bytes() const {
  ExactSum sum;
  ExactSum kept;    // what those that end inside can hold at all
  ExactSum wanted;  // what of it they may keep, what is over included
  bool ends_inside = false;
  for (std::int32_t v = 0; v < instance_->nodes; ++v) {
    const double storage = instance_->storage_bytes[z(v)];
    bool inside = starts_inside_[z(v)] != 0;
    if (!inside) sum.add(instance_->supply_bytes[z(v)]);
    for (std::size_t i = 0; i < changes_s_[z(v)].size(); ++i, inside = !inside)
      if (inside) sum.add(storage);
    if (!inside) continue;
    ends_inside = true;
    kept.add(storage);
    wanted.add(std::min(storage, instance_->demand_bytes[z(v)]));
  }
  if (ends_inside && !instance_->has_sinks) {
    wanted.add(instance_->left_bytes);
    sum.add(std::isinf(kept.value()) || std::isnan(kept.value()) ? wanted.value()
                                                                 : std::min(kept.value(), wanted.value()));
  }
  return sum.value();
}

double TimeCut::capacity_bytes(double by_s) const {
  ExactSum sum;
  sum.add(constant_bytes());
  for (const Crossing& c : crossings_)
    if (c.start_s < by_s) sum.add(c.bytes_per_s * (std::min(c.end_s, by_s) - c.start_s));
  return sum.value();
}

double TimeCut::next_s(double from_s, double wanted_bytes) const {
  struct Event {
    double at_s;
    double change;    // of the rate
    double rounding;  // of what has crossed, in epsilons, where a crossing ends
  };
  std::vector<Event> events;
  ExactSum crossed;
  ExactSum rate;
  std::size_t running = 0;  // crossings that are open: sums of rates may not come back to 0
  double ended = 4.0 * instance_->total_bytes;
  crossed.add(constant_bytes());
  for (const Crossing& c : crossings_) {
    const double rounding = c.bytes_per_s * (c.start_s + c.end_s);
    if (c.start_s <= from_s) {
      crossed.add(c.bytes_per_s * (std::min(c.end_s, from_s) - c.start_s));
      if (c.end_s <= from_s) {
        ended += rounding;
        continue;
      }
      rate.add(c.bytes_per_s);
      ++running;
    } else {
      events.push_back({c.start_s, c.bytes_per_s, 0.0});
    }
    if (std::isfinite(c.end_s)) events.push_back({c.end_s, -c.bytes_per_s, rounding});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::pair(a.at_s, a.change) < std::pair(b.at_s, b.change);
  });
  // Where nothing flows, or a crossing ends, what is missing may be the rounding of moments.
  const auto is_enough = [&] {
    return crossed.value() + std::min(kEpsilon * ended, kMostRounding * wanted_bytes) >= wanted_bytes;
  };
  double at_s = from_s;
  if (crossed.value() >= wanted_bytes || (running == 0 && is_enough())) return at_s;
  for (std::size_t e = 0;; ++e) {
    const double until_s = e < events.size() ? events[e].at_s : kInfinity;
    if (running > 0 && until_s > at_s) {
      const double missing = wanted_bytes - crossed.value();
      double end_s = at_s + missing / rate.value();
      while (rate.value() * (end_s - at_s) < missing && end_s <= until_s)
        end_s = std::nextafter(end_s, kInfinity);
      if (end_s <= until_s) return end_s;
      crossed.add(rate.value() * (until_s - at_s));
    }
    if (e == events.size()) return kInfinity;
    at_s = until_s;
    rate.add(events[e].change);
    ended += events[e].rounding;
    running = events[e].change > 0.0 ? running + 1 : running - 1;
    if (events[e].change < 0.0 && is_enough()) return at_s;
  }
}

Cut TimeCut::in_stretches() const {
  Cut cut;
  cut.start_s.push_back(0.0);
  for (const std::vector<double>& changes : changes_s_)
    cut.start_s.insert(cut.start_s.end(), changes.begin(), changes.end());
  std::sort(cut.start_s.begin(), cut.start_s.end());
  cut.start_s.erase(std::unique(cut.start_s.begin(), cut.start_s.end()), cut.start_s.end());
  const std::size_t nodes = z(instance_->nodes);
  cut.inside.resize(cut.start_s.size() * nodes);
  for (std::size_t i = 0; i < cut.start_s.size(); ++i)
    for (std::size_t v = 0; v < nodes; ++v)
      cut.inside[i * nodes + v] = is_inside(static_cast<std::int32_t>(v), cut.start_s[i]) ? 1 : 0;
  return cut;
}

std::vector<TimeCut> still_cuts(const Instance& instance) {
  const std::size_t nodes = z(instance.nodes);
  std::vector<std::uint8_t> has_more(nodes);
  std::vector<std::uint8_t> has_enough(nodes);
  for (std::size_t v = 0; v < nodes; ++v) {
    has_more[v] = instance.supply_bytes[v] > instance.demand_bytes[v] ? 1 : 0;
    has_enough[v] = instance.is_sink[v] == 0 && instance.supply_bytes[v] >= instance.demand_bytes[v] ? 1 : 0;
  }
  const std::vector<std::vector<double>> never(nodes);
  return {{instance, std::move(has_more), never}, {instance, std::move(has_enough), never}};
}

Bound still_bound(const Problem& problem) {
  const Instance instance(problem);
  Bound bound;
  if (instance.is_done) return bound;
  for (const TimeCut& cut : still_cuts(instance)) {
    const double at_s = cut.next_s(bound.at_s, instance.total_bytes);
    if (at_s > bound.at_s) bound = {at_s, cut.in_stretches()};
  }
  return bound;
}

}  // namespace constellm::flow
