#include "line.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {
namespace {

using enum Condition::Index;
using Eigen::Vector3d;

}  // namespace

Line::Line(const Fleet& fleet, Memory& memory, Pair pair, const LinkRule& rule, bool in_one_plane)
    : fleet_(fleet),
      memory_(memory),
      pair_(pair),
      bounds_{fleet.bounds(pair.a), fleet.bounds(pair.b)},
      is_fixed_(fleet.on_one_circle(pair)),
      limits_(rule) {
  const auto demand = [this](Condition::Index condition) { conditions_ |= set_of(condition); };
  if (between_satellites(rule)) {
    const double sphere_m = limits_.sphere_m;
    demand(grazing);
    for (const Condition::Index above : {above_a, above_b}) {
      const Bounds& of = bounds_[above - above_a];
      if (of.near_m < sphere_m) demand(above);
      if (of.far_m < sphere_m) never_ = true;
      tangent_m_[above - above_a] = std::sqrt(std::max(0.0, of.far_m * of.far_m - sphere_m * sphere_m));
    }
    if (std::isfinite(limits_.sin_latitude) && !in_one_plane) {
      demand(latitude_a);
      demand(latitude_b);
    }
  } else {
    demand(mask);
    limits_.range_m = std::min(limits_.range_m, fleet.station(pair.b).max_range_m);
  }
  if (limits_.range_m < bounds_[0].far_m + bounds_[1].far_m) demand(range);
  if (limits_.range_rate_m_per_s < bounds_[0].speed_m_per_s + bounds_[1].speed_m_per_s) demand(range_rate);
  if (std::isfinite(limits_.angular_rate_rad_per_s)) demand(turning);
  // The line of two in one place has no direction, nor rates that keep to limits; instants say so, too.
  if ((conditions_ & (set_of(range_rate) | set_of(turning))) != 0 && fleet.in_one_place(pair)) never_ = true;
}

/// With the margins of `conditions` alone.
///   range     R^2 - l^2                       range rate  (R l)^2 - (l . v)^2
///   latitude  (r sin L)^2 - z^2               turning     w^2 l^4 - |l x v|^2
///   above     r^2 - D^2
///   grazing   a . b - D^2 + Ta Tb, T^2 = r^2 - D^2: the line clears the sphere of radius D where it is no
///             longer than both ends' tangents, l <= Ta + Tb, squared and halved
///   mask      l . up - |l| sin(elevation)
Glance Line::look(double time_s, Conditions conditions) const {
  const State here = memory_.state(pair_.a, time_s);
  const Vector3d& a = here.position_m;
  State there;
  if (fleet_.is_satellite(pair_.b)) {
    there = fleet_.satellite(pair_.b, time_s);
  } else {
    there.position_m = memory_.turn(time_s).to_teme(fleet_.station(pair_.b).position_m);
    there.velocity_m_per_s = with_the_earth(there.position_m);
  }
  const Vector3d& b = there.position_m;
  const Vector3d line = b - a;
  const Vector3d change = there.velocity_m_per_s - here.velocity_m_per_s;
  const double squared = line.squaredNorm();
  Glance look{};
  look.time_s = time_s;
  look.range_m = std::sqrt(squared);
  look.speed_m_per_s = change.norm();
  const auto wanted = [&](Condition::Index condition) { return (conditions & set_of(condition)) != 0; };
  if (wanted(range)) look.margin[range] = limits_.range_m * limits_.range_m - squared;
  if (wanted(range_rate)) {
    const double along = line.dot(change);
    look.margin[range_rate] =
        limits_.range_rate_m_per_s * limits_.range_rate_m_per_s * squared - along * along;
  }
  if (wanted(turning)) {
    const double turn = limits_.angular_rate_rad_per_s * squared;
    look.margin[turning] = turn * turn - line.cross(change).squaredNorm();
  }
  if (wanted(mask)) {
    const Horizon& station = fleet_.station(pair_.b);
    look.margin[mask] = -line.dot(memory_.turn(time_s).to_teme(station.up)) - look.range_m * station.sin_mask;
  }
  if (wanted(grazing) || wanted(above_a) || wanted(above_b)) {
    const double sphere = limits_.sphere_m * limits_.sphere_m;
    look.tangent_m2 = {a.squaredNorm() - sphere, b.squaredNorm() - sphere};
    look.margin[grazing] =
        a.dot(b) - sphere +
        std::sqrt(std::max(0.0, look.tangent_m2[0])) * std::sqrt(std::max(0.0, look.tangent_m2[1]));
    look.margin[above_a] = look.tangent_m2[0];
    look.margin[above_b] = look.tangent_m2[1];
  }
  const double sine = limits_.sin_latitude * limits_.sin_latitude;
  if (wanted(latitude_a)) look.margin[latitude_a] = sine * a.squaredNorm() - a.z() * a.z();
  if (wanted(latitude_b)) look.margin[latitude_b] = sine * b.squaredNorm() - b.z() * b.z();
  return look;
}

Between Line::between(const Glance& x, const Glance& y) const {
  const double h = y.time_s - x.time_s;
  const double most = bounds_[0].speed_m_per_s + bounds_[1].speed_m_per_s;
  const double local = 0.5 * (x.speed_m_per_s + y.speed_m_per_s + acceleration() * h) +
                       bounds_[0].beside_m_per_s + bounds_[1].beside_m_per_s;
  const double speed = std::min(most, local);
  const double middle = 0.5 * (x.range_m + y.range_m);
  return {.duration_s = h,
          .speed_m_per_s = speed,
          .near_m = std::max(0.0, middle - 0.5 * speed * h),
          .far_m = middle + 0.5 * speed * h};
}

/// What the second derivative of a margin stays within between two glances: products of the bounds, by
/// Leibniz's rule and the triangle inequality.
double Line::curvature(std::size_t condition, const Glance& x, const Glance& y, const Between& at) const {
  const double v = at.speed_m_per_s;
  const double l = at.far_m;
  const double g = acceleration();
  switch (condition) {
    case range: return is_fixed_ ? 0.0 : 2.0 * (v * v + l * g);
    case range_rate: return is_fixed_ ? 0.0 : range_rate_curvature(at);
    case turning: return is_fixed_ ? 0.0 : turning_curvature(at);
    case mask: {
      constexpr double w = core::kEarthRotation.value;
      const double sine = std::abs(fleet_.station(pair_.b).sin_mask);
      const double of_range = sine > 0.0 ? sine * (v * v / at.near_m + g) : 0.0;
      return g + 2.0 * v * w + l * w * w + of_range;
    }
    case latitude_a:
    case latitude_b: {
      const Bounds& of = bounds_[condition - latitude_a];
      const double sine = limits_.sin_latitude * limits_.sin_latitude;
      return 2.0 * sine * of.climb_rate_m2_per_s2 +
             2.0 * of.along_axis * of.along_axis *
                 (of.speed_m_per_s * of.speed_m_per_s + of.far_m * of.acceleration_m_per_s2);
    }
    case above_a:
    case above_b: return 2.0 * bounds_[condition - above_a].climb_rate_m2_per_s2;
    default: return is_fixed_ ? 0.0 : grazing_curvature(x, y, at);
  }
}

/// Of (R l)^2, then of (l . v)^2 by the first and second derivatives of l . v.
double Line::range_rate_curvature(const Between& at) const {
  const double v = at.speed_m_per_s;
  const double l = at.far_m;
  const double g = acceleration();
  const double r2 = limits_.range_rate_m_per_s * limits_.range_rate_m_per_s;
  const double first = v * v + l * g;
  const double second = 3.0 * g * v + l * jerk();
  return 2.0 * r2 * first + 2.0 * (first * first + l * v * second);
}

double Line::turning_curvature(const Between& at) const {
  const double v = at.speed_m_per_s;
  const double l = at.far_m;
  const double g = acceleration();
  const double beside = bounds_[0].beside_m_per_s + bounds_[1].beside_m_per_s;
  const double w2 = limits_.angular_rate_rad_per_s * limits_.angular_rate_rad_per_s;
  // (l^2)^2, then |l x v|^2 with its first derivative, which would be l x g were v that of l, and second.
  const double first = beside * v + l * g;
  const double second = 3.0 * g * v + l * jerk();
  return w2 * l * l * (12.0 * v * v + 4.0 * l * g) + 2.0 * (first * first + l * v * second);
}

/// Of a . b = (a^2 + b^2 - l^2) / 2, and of Ta Tb: T' = r r' / T, T'' = (r r')' / T - (r r')^2 / T^3.
double Line::grazing_curvature(const Glance& x, const Glance& y, const Between& at) const {
  std::array<double, 2> first{};
  std::array<double, 2> second{};
  for (std::size_t i = 0; i < 2; ++i) {
    const Bounds& of = bounds_[i];
    if (of.climb_m2_per_s == 0.0 && of.climb_rate_m2_per_s2 == 0.0) continue;
    const double always = of.near_m * of.near_m - limits_.sphere_m * limits_.sphere_m;
    const double here = 0.5 * (x.tangent_m2[i] + y.tangent_m2[i]) - of.climb_m2_per_s * at.duration_s;
    const double least = std::sqrt(std::max({always, here, 0.0}));
    first[i] = of.climb_m2_per_s / least;
    second[i] = of.climb_rate_m2_per_s2 / least + first[i] * first[i] / least;
  }
  const double v = at.speed_m_per_s;
  const double product =
      bounds_[0].climb_rate_m2_per_s2 + bounds_[1].climb_rate_m2_per_s2 + v * v + at.far_m * acceleration();
  return product + second[0] * tangent_m_[1] + 2.0 * first[0] * first[1] + tangent_m_[0] * second[1];
}

}  // namespace constellm::orbit
