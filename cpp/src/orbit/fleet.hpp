#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/ground_station.hpp"
#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/motion.hpp"
#include "constellm/orbit/outages.hpp"
#include "constellm/orbit/windows.hpp"

namespace constellm::orbit {

/// The Earth's turn during a span. Its rate changes so little that in a year the Earth is off by 0.3 m.
class Turning {
 public:
  explicit Turning(const Span& span)
      : start_s_(span.start_s), gmst_rad_(gmst_rad(span.epoch, span.start_s)) {}
  [[nodiscard]] EarthTurn at(double time_s) const {
    return EarthTurn(gmst_rad_ + core::kEarthRotation.value * (time_s - start_s_));
  }

 private:
  double start_s_;
  double gmst_rad_;
};

/// All satellites and stations.
class Fleet {
 public:
  Fleet(std::span<const std::shared_ptr<const Motion>> motions, std::span<const Horizon> stations,
        const Span& span)
      : stations_(stations), turning_(span), start_s_(span.start_s), stop_s_(span.stop_s) {
    for (const auto& motion : motions) {
      for (std::size_t i = 0; i < motion->satellites(); ++i) {
        places_.push_back({.motion = motion.get(), .index = i});
        bounds_.push_back(motion->is_there(i) ? motion->bounds(i) : Bounds{});
      }
    }
    for (const Horizon& station : stations) bounds_.push_back(bounds_of(station));
  }

  [[nodiscard]] std::size_t satellites() const { return places_.size(); }
  [[nodiscard]] bool is_satellite(std::int32_t node) const { return z(node) < places_.size(); }
  [[nodiscard]] bool is_there(std::int32_t node) const {
    return !is_satellite(node) || bounds_[z(node)].near_m > 0.0;
  }
  /// Until when both ends of a pair that are there are known.
  [[nodiscard]] double until_s(Pair pair) const { return std::min(until_s(pair.a), until_s(pair.b)); }
  /// The outages, and satellites from where they are known no longer.
  [[nodiscard]] Outages with_ends(Outages outages) const {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto node = static_cast<std::int32_t>(i);
      if (!is_there(node) || !(until_s(node) < places_[i].motion->to_s())) continue;
      outages.add({.a = node, .b = node}, {until_s(node), std::numeric_limits<double>::infinity()});
    }
    return outages;
  }
  [[nodiscard]] State satellite(std::int32_t node, double time_s) const {
    return places_[z(node)].motion->state(places_[z(node)].index, time_s);
  }
  [[nodiscard]] const Horizon& station(std::int32_t node) const {
    return stations_[z(node) - places_.size()];
  }
  [[nodiscard]] EarthTurn turn(double time_s) const { return turning_.at(time_s); }
  [[nodiscard]] bool on_one_circle(Pair pair) const {
    if (!is_satellite(pair.b)) return false;
    const Place& a = places_[z(pair.a)];
    const Place& b = places_[z(pair.b)];
    return a.motion == b.motion && a.motion->on_one_circle(a.index, b.index);
  }
  /// Motion::swing of satellites that one motion has, else infinite.
  [[nodiscard]] double swing_m2_per_s2(std::int32_t from, std::int32_t one, std::int32_t other) const {
    const Place& a = places_[z(from)];
    const Place& b = places_[z(one)];
    const Place& c = places_[z(other)];
    return a.motion == b.motion && a.motion == c.motion ? a.motion->swing_m2_per_s2(a.index, b.index, c.index)
                                                        : std::numeric_limits<double>::infinity();
  }
  /// Whether two satellites are in one place throughout, as parts of one station are in element sets.
  [[nodiscard]] bool in_one_place(Pair pair) const {
    if (!is_satellite(pair.b)) return false;
    // At both ends and at a moment of no period: whose ways cross does not meet in all three.
    for (const double share : {0.0, 0.6180339887, 1.0}) {
      const double time_s = start_s_ + share * (stop_s_ - start_s_);
      if (satellite(pair.a, time_s).position_m != satellite(pair.b, time_s).position_m) return false;
    }
    return true;
  }
  [[nodiscard]] const Bounds& bounds(std::int32_t node) const { return bounds_[z(node)]; }

 private:
  struct Place {
    const Motion* motion;
    std::size_t index;
  };
  static std::size_t z(std::int32_t node) { return static_cast<std::size_t>(node); }
  [[nodiscard]] double until_s(std::int32_t node) const {
    if (!is_satellite(node)) return std::numeric_limits<double>::infinity();
    return places_[z(node)].motion->until_s(places_[z(node)].index);
  }
  static Bounds bounds_of(const Horizon& station) {
    constexpr double w = core::kEarthRotation.value;
    const double r = station.position_m.norm();
    return {.near_m = r,
            .far_m = r,
            .speed_m_per_s = w * r,
            .acceleration_m_per_s2 = w * w * r,
            .jerk_m_per_s3 = w * w * w * r};
  }

  std::vector<Place> places_;
  std::vector<Bounds> bounds_;  ///< of satellites, then of stations
  std::span<const Horizon> stations_;
  Turning turning_;
  double start_s_;
  double stop_s_;
};

}  // namespace constellm::orbit
