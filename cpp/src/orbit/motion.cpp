#include "constellm/orbit/motion.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "constellm/core/error.hpp"

namespace constellm::orbit {
namespace {

using core::InvalidInput;

State state_of(const Moving& at, double time_s) {
  const auto turned = [time_s](const Angle& angle) {
    return sincos_of_turns(part_of_turn(angle.turns + angle.turns_per_s * time_s));
  };
  const double a = at.semi_major_axis_m;
  const double e = at.eccentricity;
  // In the plane of the orbit, the first axis towards the node.
  double x = 0.0;
  double y = 0.0;
  double vx = 0.0;
  double vy = 0.0;
  if (e == 0.0) {
    const SinCos from_node = turned(at.latitude());
    x = a * from_node.cos;
    y = a * from_node.sin;
    vx = -at.motion_rad_per_s * y;
    vy = at.motion_rad_per_s * x;
  } else {
    const double mean = part_of_turn(at.mean.turns + at.mean.turns_per_s * time_s);
    const double anomaly = eccentric_anomaly_rad(kTurn_rad * mean, e);
    const double half_sine = std::sin(0.5 * anomaly);
    const double minor = std::sqrt((1.0 - e) * (1.0 + e));
    const double speed = a * at.motion_rad_per_s / ((1.0 - e) + 2.0 * e * half_sine * half_sine);
    const double along = a * ((1.0 - e) - 2.0 * half_sine * half_sine);
    const double across = a * minor * std::sin(anomaly);
    const double v_along = -speed * std::sin(anomaly);
    const double v_across = speed * minor * std::cos(anomaly);
    const SinCos perigee = turned(at.perigee);
    x = along * perigee.cos - across * perigee.sin;
    y = along * perigee.sin + across * perigee.cos;
    vx = v_along * perigee.cos - v_across * perigee.sin;
    vy = v_along * perigee.sin + v_across * perigee.cos;
  }
  const SinCos node = turned(at.raan);
  const auto to_teme = [&](double first, double second) -> Eigen::Vector3d {
    const double flat = second * at.cos_i;
    return {first * node.cos - flat * node.sin, first * node.sin + flat * node.cos, second * at.sin_i};
  };
  return {.position_m = to_teme(x, y), .velocity_m_per_s = to_teme(vx, vy)};
}

}  // namespace

AnalyticMotion::AnalyticMotion(const Elements& elements, Propagator propagator) {
  if (propagator == Propagator::sgp4)
    throw InvalidInput(
        "propagator: 'sgp4' does not move mean elements by formula; give samples of its states");
  satellites_.reserve(elements.size());
  const auto direction = [](const Angle& angle) {
    const SinCos at = sincos_of_turns(part_of_turn(angle.turns));
    return std::complex<double>(at.cos, at.sin);
  };
  for (std::size_t s = 0; s < elements.size(); ++s) {
    satellites_.push_back(moving(elements, s, propagator));
    node_.push_back(direction(satellites_[s].raan));
    place_.push_back(direction(satellites_[s].latitude()));
  }
}

State AnalyticMotion::state(std::size_t satellite, double time_s) const {
  return state_of(satellites_[satellite], time_s);
}

bool AnalyticMotion::on_one_circle(std::size_t one, std::size_t other) const {
  const Moving& a = satellites_[one];
  const Moving& b = satellites_[other];
  return a.eccentricity == 0.0 && b.eccentricity == 0.0 && a.semi_major_axis_m == b.semi_major_axis_m &&
         a.sin_i == b.sin_i && a.cos_i == b.cos_i && a.raan == b.raan &&
         a.latitude().turns_per_s == b.latitude().turns_per_s;
}

/// Of two on circles of one size and inclination i that drift alike, with nodes N apart and at u and u' from
/// them, the squared distance is constant but for
///   a^2 sin^2 i (1 - cos N) cos(u + u'),
/// so that of two such distances from one satellite the difference swings with twice the rate of u. Of two on
/// equal ellipses in step it is 2 (x^2 + y^2) (1 - cos N), x and y across the Earth's axis.
double AnalyticMotion::swing_m2_per_s2(std::size_t from, std::size_t one, std::size_t other) const {
  const Moving& c = satellites_[from];
  const auto drifts_alike = [&](const Moving& at) {
    return at.semi_major_axis_m == c.semi_major_axis_m && at.eccentricity == c.eccentricity &&
           at.sin_i == c.sin_i && at.cos_i == c.cos_i && at.raan.turns_per_s == c.raan.turns_per_s &&
           at.latitude().turns_per_s == c.latitude().turns_per_s;
  };
  const Moving& a = satellites_[one];
  const Moving& b = satellites_[other];
  if (!drifts_alike(a) || !drifts_alike(b)) return std::numeric_limits<double>::infinity();
  const auto cos_apart = [&](std::size_t of) { return (node_[of] * std::conj(node_[from])).real(); };
  if (c.eccentricity == 0.0) {
    const double size = c.semi_major_axis_m * c.sin_i;
    const double rate = 2.0 * kTurn_rad * c.latitude().turns_per_s;
    const auto swing = [&](std::size_t of) { return (1.0 - cos_apart(of)) * place_[of]; };
    return size * size * rate * rate * std::abs(swing(one) - swing(other));
  }
  const auto in_step = [&](const Moving& at) { return at.perigee == c.perigee && at.mean == c.mean; };
  if (!in_step(a) || !in_step(b)) return std::numeric_limits<double>::infinity();
  const Bounds keeps = bounds(from);
  return 4.0 * std::abs(cos_apart(one) - cos_apart(other)) *
         (keeps.speed_m_per_s * keeps.speed_m_per_s + keeps.far_m * keeps.acceleration_m_per_s2);
}

/// A position is p(M), on an ellipse at the rate n of its anomaly, in a plane that turns at rates of no more
/// than w. About a point mass, with its n^2 a^3 for mu,
///   |p'| <= n a sqrt((1 + e) / (1 - e)), |p''| <= mu / r^2, |p'''| <= 2 mu |p'| / r^3,
/// greatest at the perigee. A velocity is the p' of the n of a point mass; all hold for the greater n.
/// r dr/dt = n a^2 e sin E, of which the rate is n^2 a^2 e cos E / (1 - e cos E).
Bounds AnalyticMotion::bounds(std::size_t satellite) const {
  const Moving& at = satellites_[satellite];
  const double a = at.semi_major_axis_m;
  const double e = at.eccentricity;
  const double anomaly_rate = kTurn_rad * at.mean.turns_per_s;
  const double n = std::max(anomaly_rate, at.motion_rad_per_s);
  const double w = kTurn_rad * (std::abs(at.raan.turns_per_s) + std::abs(at.perigee.turns_per_s));
  const double far = a * (1.0 + e);
  const double near = a * (1.0 - e);
  const double fastest = std::sqrt((1.0 + e) / (1.0 - e));
  const double mu = n * n * a * a * a;
  const double v = n * a * fastest;
  const double g = mu / (near * near);
  const double jerk = 2.0 * mu * v / (near * near * near);
  return {.near_m = near,
          .far_m = far,
          .speed_m_per_s = v + w * far,
          .acceleration_m_per_s2 = g + 2.0 * w * v + w * w * far,
          .jerk_m_per_s3 = jerk + 3.0 * w * g + 3.0 * w * w * v + w * w * w * far,
          .beside_m_per_s = std::abs(anomaly_rate - at.motion_rad_per_s) * a * fastest + w * far,
          .climb_m2_per_s = n * a * a * e,
          .climb_rate_m2_per_s2 = n * n * a * a * e / (1.0 - e),
          .along_axis = std::abs(at.sin_i)};
}

SampledMotion::SampledMotion(std::vector<double> position_teme_m, std::vector<double> velocity_teme_m_per_s,
                             std::size_t times, double start_s, double step_s)
    : position_m_(std::move(position_teme_m)),
      velocity_m_per_s_(std::move(velocity_teme_m_per_s)),
      times_(times),
      start_s_(start_s),
      step_s_(step_s) {
  if (times < kNodes)
    throw InvalidInput("position_teme_m: " + std::to_string(times) + " times, at least 8 are needed");
  if (!core::kReal.contains(start_s)) core::throw_out_of_range("start_s", start_s, core::kReal.text);
  core::require_positive("step_s", step_s);
  const std::size_t satellites = position_m_.size() / (3 * times);
  for (std::size_t s = 0; s < satellites; ++s) {
    std::size_t k = 0;
    while (k < times && sample(position_m_, s, k).allFinite() && sample(velocity_m_per_s_, s, k).allFinite())
      ++k;
    known_.push_back(k);
    bounds_.push_back(k >= kNodes ? bounds_of(s) : Bounds{});
  }
}

State SampledMotion::state(std::size_t satellite, double time_s) const {
  const double place = (time_s - start_s_) / step_s_;
  const double last = static_cast<double>(known_[satellite] - kNodes);
  const auto first = static_cast<std::size_t>(std::clamp(std::floor(place) - 3.0, 0.0, last));
  const double x = place - static_cast<double>(first);
  // Barycentric weights of evenly spaced nodes are binomial coefficients of changing sign.
  constexpr std::array<double, kNodes> kWeights{1.0, -7.0, 21.0, -35.0, 35.0, -21.0, 7.0, -1.0};
  State sum{.position_m = Eigen::Vector3d::Zero(), .velocity_m_per_s = Eigen::Vector3d::Zero()};
  double total = 0.0;
  for (std::size_t k = 0; k < kNodes; ++k) {
    const double apart = x - static_cast<double>(k);
    const Eigen::Vector3d position = sample(position_m_, satellite, first + k);
    const Eigen::Vector3d velocity = sample(velocity_m_per_s_, satellite, first + k);
    if (apart == 0.0) return {.position_m = position, .velocity_m_per_s = velocity};
    const double weight = kWeights[k] / apart;
    sum.position_m += weight * position;
    sum.velocity_m_per_s += weight * velocity;
    total += weight;
  }
  return {.position_m = sum.position_m / total, .velocity_m_per_s = sum.velocity_m_per_s / total};
}

/// Of the samples, with room for what is between two of them.
Bounds SampledMotion::bounds_of(std::size_t s) const {
  constexpr double mu = core::kEarthMu.value;
  const double h = step_s_;
  double near = std::numeric_limits<double>::infinity();
  double far = 0.0;
  double v = 0.0;
  double climb = 0.0;
  double climb_rate = 0.0;  // v^2 - mu / r, in free fall
  double beside = 0.0;      // of central differences
  for (std::size_t k = 0; k < known_[s]; ++k) {
    const Eigen::Vector3d position = sample(position_m_, s, k);
    const Eigen::Vector3d velocity = sample(velocity_m_per_s_, s, k);
    const double r = position.norm();
    near = std::min(near, r);
    far = std::max(far, r);
    v = std::max(v, velocity.norm());
    climb = std::max(climb, std::abs(position.dot(velocity)));
    climb_rate = std::max(climb_rate, std::abs(velocity.squaredNorm() - mu / r));
    if (k == 0 || k + 1 == known_[s]) continue;
    const Eigen::Vector3d change = sample(position_m_, s, k + 1) - sample(position_m_, s, k - 1);
    beside = std::max(beside, (change / (2.0 * h) - velocity).norm());
  }
  const double sag = 1.5 * mu / (near * near) * h * h / 8.0;
  if (!(sag < 0.1 * near)) {
    throw InvalidInput("step_s: " + core::to_text(step_s_) + " is too long for satellite " +
                       std::to_string(s) + ", which comes as near as " + core::to_text(near) +
                       " m to the Earth's centre");
  }
  near -= sag;
  far += sag;
  const double g = 1.02 * mu / (near * near);
  v += 0.5 * g * h;
  const double jerk = 2.1 * g * v / near;
  beside = 2.0 * (beside + jerk * h * h / 6.0);
  climb_rate += 0.03 * mu / near + 0.5 * g * h * (climb / near + g * h);
  return {.near_m = near,
          .far_m = far,
          .speed_m_per_s = v + beside,
          .acceleration_m_per_s2 = g,
          .jerk_m_per_s3 = jerk,
          .beside_m_per_s = beside,
          .climb_m2_per_s = climb + 0.5 * climb_rate * h + far * beside,
          .climb_rate_m2_per_s2 = climb_rate};
}

}  // namespace constellm::orbit
