#include "constellm/orbit/links.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <tuple>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"
#include "constellm/orbit/degree_limit.hpp"
#include "constellm/orbit/in_sight.hpp"
#include "constellm/orbit/near.hpp"
#include "constellm/orbit/sight.hpp"

namespace constellm::orbit {
namespace {

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

bool turns_slowly(const LinkRule& rule, const Sight& sight) {
  return !rule.max_angular_rate_rad_per_s || sight.angular_rate_rad_per_s <= *rule.max_angular_rate_rad_per_s;
}

/// The links of one rule; comparisons are such that a NaN cuts.
class Maker {
 public:
  Maker(const Layout& layout, std::span<const Horizon> stations, const Instant& instant,
        core::StopToken& stop)
      : layout_(layout), stations_(stations), instant_(instant), stop_(stop) {
    links_.below_mask.resize(stations.size());
    links_.out_of_range.resize(stations.size());
  }

  void make(const LinkRule& rule, std::int32_t position) {
    position_ = position;
    longest_m_ = longest_m(rule);
    switch (rule.pattern) {
      case Pattern::plus_grid:
      case Pattern::ring:
        for (const Pair& pair : layout_.grid(rule)) between(rule, pair);
        break;
      case Pattern::nearest: nearest(rule); break;
      case Pattern::all: all(rule); break;
      case Pattern::ground: ground(rule); break;
    }
  }

  Links links(std::span<const LinkRule> rules) {
    std::ranges::sort(made_, {}, [](const Made& one) { return std::tuple(one.pair, one.rule); });
    const auto same = [](const Made& one, const Made& other) { return one.pair == other.pair; };
    made_.erase(std::unique(made_.begin(), made_.end(), same), made_.end());
    const std::size_t pairs = made_.size();
    for (std::size_t i = 0; i < pairs; ++i) {
      Made back = made_[i];
      std::swap(back.pair.a, back.pair.b);
      made_.push_back(back);
    }
    std::ranges::sort(made_, {}, &Made::pair);
    for (const Made& one : made_) {
      const LinkRule& rule = rules[static_cast<std::size_t>(one.rule)];
      links_.from.push_back(one.pair.a);
      links_.to.push_back(one.pair.b);
      links_.rule.push_back(one.rule);
      links_.range_m.push_back(one.range_m);
      links_.latency_s.push_back(one.range_m / core::kLightSpeed.value + rule.overhead_s);
      links_.rate_bps.push_back(rate_bps(rule, one.range_m));
    }
    return std::move(links_);
  }

 private:
  [[nodiscard]] bool is_lost(Pair pair) const {
    return !instant_.lost.empty() && std::ranges::binary_search(instant_.lost, pair);
  }

  void add(const LinkRule& rule, Pair pair, double range_m) {
    if (survives(rule, instant_.slot, pair.a, pair.b)) made_.push_back({pair, position_, range_m});
  }

  void between(const LinkRule& rule, Pair pair) {
    if (stop_.should_stop()) throw core::Stopped();
    if (is_lost(pair)) return;
    const State a = state_of(instant_, pair.a);
    const State b = state_of(instant_, pair.b);
    const Sight line = sight(a, b);
    if (!(line.grazing_altitude_m >= rule.grazing_altitude_m.value_or(kGrazingAltitude_m))) return;
    if (!(line.range_m <= longest_m_) || !turns_slowly(rule, line)) return;
    if (rule.max_latitude_deg && !layout_.in_one_plane(pair)) {
      const double highest = std::sin(*rule.max_latitude_deg * kDegree_rad);
      for (const State& end : {a, b}) {
        if (!(std::abs(end.position_m.z()) <= highest * end.position_m.norm())) return;
      }
    }
    add(rule, pair, line.range_m);
  }

  [[nodiscard]] std::span<const double> positions(Layout::Range range) const {
    return instant_.position_teme_m.subspan(3 * static_cast<std::size_t>(range.first),
                                            3 * static_cast<std::size_t>(range.end - range.first));
  }

  void nearest(const LinkRule& rule) {
    const Layout::Range range = layout_.satellites_of(rule);
    const NearPoints near(positions(range));
    const std::int32_t count = range.end - range.first;
    std::vector<std::vector<std::int32_t>> asked(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) {
      if (stop_.should_stop(8)) throw core::Stopped();
      auto& of = asked[static_cast<std::size_t>(i)];
      near.nearest(i, static_cast<std::size_t>(*rule.count), of);
      std::ranges::sort(of);
    }
    for (std::int32_t i = 0; i < count; ++i) {
      for (const std::int32_t other : asked[static_cast<std::size_t>(i)]) {
        if (other > i && std::ranges::binary_search(asked[static_cast<std::size_t>(other)], i))
          between(rule, {.a = range.first + i, .b = range.first + other});
      }
    }
  }

  void all(const LinkRule& rule) {
    const Layout::Range range = layout_.satellites_of(rule);
    const InSight seen =
        in_sight(positions(range), longest_m_, rule.grazing_altitude_m.value_or(kGrazingAltitude_m), stop_);
    const auto begin = static_cast<std::ptrdiff_t>(made_.size());
    for (std::size_t i = 0; i < seen.a.size(); ++i)
      between(rule, {.a = range.first + seen.a[i], .b = range.first + seen.b[i]});
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

  void ground(const LinkRule& rule) {
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
        const bool near = range_m <= std::min(station.max_range_m, longest_m_);
        if ((!high && !near) || !turns_slowly(rule, sight(here, there))) continue;
        if (!high)
          ++links_.below_mask[s];
        else if (!near)
          ++links_.out_of_range[s];
        else
          add(rule, {.a = i, .b = node}, range_m);
      }
    }
  }

  const Layout& layout_;
  std::span<const Horizon> stations_;
  const Instant& instant_;
  core::StopToken& stop_;
  std::int32_t position_ = 0;
  double longest_m_ = 0.0;
  std::vector<Made> made_;
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
  Maker maker(layout, stations, present, stop);
  for (std::size_t r = 0; r < rules.size(); ++r) maker.make(rules[r], static_cast<std::int32_t>(r));
  return maker.links(rules);
}

}  // namespace constellm::orbit
