#include "constellm/orbit/links.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>
#include <tuple>

#include "asking.hpp"
#include "constellm/core/constants.hpp"
#include "constellm/core/index.hpp"
#include "constellm/orbit/degree_limit.hpp"
#include "constellm/orbit/in_sight.hpp"
#include "constellm/orbit/near.hpp"
#include "constellm/orbit/sight.hpp"
#include "held.hpp"
#include "limits.hpp"

namespace constellm::orbit {
namespace {

using core::z;

struct Made {
  Pair pair;
  std::int32_t rule;
  double range_m;
};

State state_of(const Instant& instant, std::int32_t satellite) {
  const std::size_t at = 3 * static_cast<std::size_t>(satellite);
  return {.position_m = Eigen::Map<const Eigen::Vector3d>(instant.position_teme_m.data() + at),
          .velocity_m_per_s = Eigen::Map<const Eigen::Vector3d>(instant.velocity_teme_m_per_s.data() + at)};
}

bool keeps_to(const Limits& limits, const Sight& line) {
  const auto within = [](double figure, double limit) { return std::isinf(limit) || figure <= limit; };
  return within(line.angular_rate_rad_per_s, limits.angular_rate_rad_per_s) &&
         within(std::abs(line.range_rate_m_per_s), limits.range_rate_m_per_s);
}

/// Why a satellite that a station would have else is not linked.
struct Cut {
  Pair pair;
  bool is_low;  ///< else far
};

/// The links of one rule; comparisons are such that a NaN cuts.
class Maker {
 public:
  Maker(const Layout& layout, std::span<const Horizon> stations, const Instant& instant, Held& held,
        core::StopToken& stop)
      : layout_(layout), stations_(stations), instant_(instant), held_(held), stop_(stop) {
    links_.below_mask.resize(stations.size());
    links_.out_of_range.resize(stations.size());
  }

  void make(const LinkRule& rule, std::int32_t position) {
    position_ = position;
    const Limits limits(rule);
    switch (rule.pattern) {
      case Pattern::plus_grid:
      case Pattern::ring:
        for (const Pair& pair : layout_.grid(rule)) between(rule, limits, pair);
        break;
      case Pattern::nearest: nearest(rule, limits); break;
      case Pattern::all: all(rule, limits); break;
      case Pattern::ground: ground(rule, limits); break;
    }
  }

  Links links(std::span<const LinkRule> rules) {
    const auto by_pair = [](const Made& one) { return std::tuple(one.pair, one.rule); };
    if (!std::ranges::is_sorted(made_, {}, by_pair)) std::ranges::sort(made_, {}, by_pair);
    const auto same = [](const Made& one, const Made& other) { return one.pair == other.pair; };
    made_.erase(std::unique(made_.begin(), made_.end(), same), made_.end());
    count_cuts();
    both_ways(rules);
    return std::move(links_);
  }

 private:
  /// Links by sender, then receiver. Pairs stand by their smaller node, then the larger: links to smaller
  /// nodes come first, in the order of the pairs, and then those to larger ones.
  void both_ways(std::span<const LinkRule> rules) {
    const std::size_t links = 2 * made_.size();
    links_.from.resize(links);
    links_.to.resize(links);
    links_.rule.resize(links);
    links_.range_m.resize(links);
    links_.latency_s.resize(links);
    links_.rate_bps.resize(links);
    std::vector<std::size_t> next(z(layout_.satellites()) + stations_.size() + 1, 0);  // place, by sender
    for (const auto& [pair, rule, range_m] : made_) {
      ++next[z(pair.a) + 1];
      ++next[z(pair.b) + 1];
    }
    std::partial_sum(next.begin(), next.end(), next.begin());
    for (const Made& one : made_) put(next[z(one.pair.b)]++, one.pair.b, one.pair.a, one, rules);
    for (const Made& one : made_) put(next[z(one.pair.a)]++, one.pair.a, one.pair.b, one, rules);
  }

  void put(std::size_t place, std::int32_t from, std::int32_t to, const Made& one,
           std::span<const LinkRule> rules) {
    const LinkRule& rule = rules[z(one.rule)];
    links_.from[place] = from;
    links_.to[place] = to;
    links_.rule[place] = one.rule;
    links_.range_m[place] = one.range_m;
    links_.latency_s[place] = one.range_m / core::kLightSpeed.value + rule.overhead_s;
    links_.rate_bps[place] = rate_bps(rule, one.range_m);
  }

  [[nodiscard]] bool is_lost(Pair pair) const {
    return !instant_.lost.empty() && std::ranges::binary_search(instant_.lost, pair);
  }

  void add(const LinkRule& rule, Pair pair, double range_m) {
    if (survives(rule, instant_.slot, pair.a, pair.b) && held_(pair, position_))
      made_.push_back({pair, position_, range_m});
  }

  void between(const LinkRule& rule, const Limits& limits, Pair pair) {
    if (stop_.should_stop()) throw core::Stopped();
    if (is_lost(pair)) return;
    const State a = state_of(instant_, pair.a);
    const State b = state_of(instant_, pair.b);
    const Sight line = sight(a, b);
    if (!(core::kEarthRadius.value + line.grazing_altitude_m >= limits.sphere_m)) return;
    if (!(line.range_m <= limits.range_m) || !keeps_to(limits, line)) return;
    if (rule.max_latitude_deg && !layout_.in_one_plane(pair)) {
      for (const State& end : {a, b}) {
        if (!(std::abs(end.position_m.z()) <= limits.sin_latitude * end.position_m.norm())) return;
      }
    }
    add(rule, pair, line.range_m);
  }

  [[nodiscard]] std::span<const double> positions(Layout::Range range) const {
    return instant_.position_teme_m.subspan(3 * static_cast<std::size_t>(range.first),
                                            3 * static_cast<std::size_t>(range.end - range.first));
  }

  void nearest(const LinkRule& rule, const Limits& limits) {
    const Layout::Range range = layout_.satellites_of(rule);
    const NearPoints near(positions(range));
    const std::int32_t count = range.end - range.first;
    std::vector<std::vector<std::int32_t>> asked(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) {
      if (stop_.should_stop(8)) throw core::Stopped();
      orbit::asked(near, i, static_cast<std::size_t>(*rule.count), asked[static_cast<std::size_t>(i)]);
    }
    for (std::int32_t i = 0; i < count; ++i) {
      for (const std::int32_t other : asked[static_cast<std::size_t>(i)]) {
        if (other > i && std::ranges::binary_search(asked[static_cast<std::size_t>(other)], i))
          between(rule, limits, {.a = range.first + i, .b = range.first + other});
      }
    }
  }

  void all(const LinkRule& rule, const Limits& limits) {
    const Layout::Range range = layout_.satellites_of(rule);
    const InSight seen =
        in_sight(positions(range), limits.range_m, limits.sphere_m - core::kEarthRadius.value, stop_);
    const auto begin = static_cast<std::ptrdiff_t>(made_.size());
    for (std::size_t i = 0; i < seen.a.size(); ++i)
      between(rule, limits, {.a = range.first + seen.a[i], .b = range.first + seen.b[i]});
    if (rule.max_links) limit(*rule.max_links, begin);
  }

  /// Chooses among what was made from there on and by no rule before.
  void limit(std::int64_t most, std::ptrdiff_t begin) {
    const std::vector<Made> options(made_.begin() + begin, made_.end());
    made_.resize(static_cast<std::size_t>(begin));
    std::vector<Pair> taken;
    for (const Made& one : made_) taken.push_back(one.pair);
    std::ranges::sort(taken);
    std::vector<Made> free;
    std::ranges::copy_if(options, std::back_inserter(free),
                         [&](const Made& one) { return !std::ranges::binary_search(taken, one.pair); });
    std::ranges::sort(free, {}, [](const Made& one) { return std::tuple(one.range_m, one.pair); });
    std::vector<Pair> pairs;
    for (const Made& one : free) pairs.push_back(one.pair);
    for (const std::size_t p : most_links(pairs, layout_.satellites(), most, stop_)) made_.push_back(free[p]);
  }

  void ground(const LinkRule& rule, const Limits& limits) {
    const Layout::Range range = layout_.satellites_of(rule);
    const EarthTurn turn(instant_.gmst_rad);
    for (std::size_t s = 0; s < stations_.size(); ++s) {
      const std::int32_t node = layout_.satellites() + static_cast<std::int32_t>(s);
      if (is_lost({.a = node, .b = node})) continue;
      const Horizon& station = stations_[s];
      State here{.position_m = turn.to_teme(station.position_m), .velocity_m_per_s = {}};
      here.velocity_m_per_s = with_the_earth(here.position_m);
      const Eigen::Vector3d up = turn.to_teme(station.up);
      for (std::int32_t i = range.first; i < range.end; ++i) {
        if (stop_.should_stop()) throw core::Stopped();
        if (is_lost({.a = i, .b = node})) continue;
        const State there = state_of(instant_, i);
        const Eigen::Vector3d line = there.position_m - here.position_m;
        const double range_m = line.norm();
        const bool high = line.dot(up) >= range_m * station.sin_mask;
        const bool near = range_m <= station.max_range_m && range_m <= limits.range_m;
        if ((!high && !near) || !keeps_to(limits, sight(here, there))) continue;
        const Pair pair{.a = i, .b = node};
        if (high && near)
          add(rule, pair, range_m);
        else
          cuts_.push_back({.pair = pair, .is_low = !high});
      }
    }
  }

  /// Of pairs that have no link, each once: a satellite is as high for all rules.
  void count_cuts() {
    std::ranges::sort(cuts_, {}, &Cut::pair);
    const auto same = [](const Cut& one, const Cut& other) { return one.pair == other.pair; };
    cuts_.erase(std::unique(cuts_.begin(), cuts_.end(), same), cuts_.end());
    for (const Cut& cut : cuts_) {
      if (std::ranges::binary_search(made_, cut.pair, {}, &Made::pair)) continue;
      auto& counts = cut.is_low ? links_.below_mask : links_.out_of_range;
      ++counts[static_cast<std::size_t>(cut.pair.b - layout_.satellites())];
    }
  }

  const Layout& layout_;
  std::span<const Horizon> stations_;
  const Instant& instant_;
  Held& held_;
  core::StopToken& stop_;
  std::int32_t position_ = 0;
  std::vector<Made> made_;
  std::vector<Cut> cuts_;
  Links links_;
};

}  // namespace

Links links_at(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
               const Instant& instant, core::StopToken& stop) {
  layout.check(rules);
  std::vector<double> position_m;
  Instant present = instant;
  for (const auto& [a, b] : instant.lost) {
    if (a != b || a >= layout.satellites()) continue;
    if (position_m.empty()) {
      position_m.assign(instant.position_teme_m.begin(), instant.position_teme_m.end());
      present.position_teme_m = position_m;
    }
    std::fill_n(position_m.begin() + 3 * a, 3, std::numeric_limits<double>::quiet_NaN());
  }
  Held held(layout, rules, stations, instant.past, stop);
  Maker maker(layout, stations, present, held, stop);
  for (std::size_t r = 0; r < rules.size(); ++r) maker.make(rules[r], static_cast<std::int32_t>(r));
  return maker.links(rules);
}

}  // namespace constellm::orbit
