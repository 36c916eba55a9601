#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/link_rule.hpp"
#include "constellm/orbit/motion.hpp"
#include "fleet.hpp"
#include "limits.hpp"
#include "memory.hpp"

namespace constellm::orbit {

struct Condition {
  enum Index : std::size_t {
    range,
    range_rate,
    turning,
    mask,
    latitude_a,
    latitude_b,
    grazing,
    above_a,
    above_b,
    count
  };
};

/// A set of conditions.
using Conditions = std::uint32_t;
constexpr Conditions set_of(std::size_t condition) { return Conditions{1} << condition; }

/// A link at a moment: each condition has a margin, which is smooth, and not negative where it holds.
struct Glance {
  double time_s;
  double range_m;
  double speed_m_per_s;  ///< of the ends against each other
  std::array<double, 2> tangent_m2;
  std::array<double, Condition::count> margin;
};

/// Between two glances.
struct Between {
  double duration_s;
  double speed_m_per_s;  ///< no more than this
  double near_m;         ///< range, no less
  double far_m;          ///< range, no more
};

/// The line between a satellite and another, or a station, under the conditions of a rule.
class Line {
 public:
  Line(const Fleet& fleet, Memory& memory, Pair pair, const LinkRule& rule, bool in_one_plane);

  [[nodiscard]] Conditions conditions() const { return conditions_; }
  [[nodiscard]] bool never() const { return never_; }

  /// With the margins of `conditions` alone.
  [[nodiscard]] Glance look(double time_s, Conditions conditions) const;

  [[nodiscard]] Between between(const Glance& x, const Glance& y) const;

  /// What the second derivative of a margin stays within between two glances.
  [[nodiscard]] double curvature(std::size_t condition, const Glance& x, const Glance& y,
                                 const Between& at) const;

 private:
  [[nodiscard]] double acceleration() const {
    return bounds_[0].acceleration_m_per_s2 + bounds_[1].acceleration_m_per_s2;
  }
  [[nodiscard]] double jerk() const { return bounds_[0].jerk_m_per_s3 + bounds_[1].jerk_m_per_s3; }
  [[nodiscard]] double range_rate_curvature(const Between& at) const;
  [[nodiscard]] double turning_curvature(const Between& at) const;
  [[nodiscard]] double grazing_curvature(const Glance& x, const Glance& y, const Between& at) const;

  const Fleet& fleet_;
  Memory& memory_;
  Pair pair_;
  std::array<Bounds, 2> bounds_;
  bool is_fixed_;  ///< ranges, rates and heights of the line never change
  Limits limits_;
  bool never_ = false;
  Conditions conditions_ = 0;
  std::array<double, 2> tangent_m_{};  ///< longest
};

}  // namespace constellm::orbit
