#include "constellm/orbit/kepler.hpp"

#include <Eigen/Geometry>
#include <cmath>
#include <limits>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {
namespace {

/// E - sin E without the cancellation near 0.
double less_its_sine(double x) {
  if (std::abs(x) > 1.0) return x - std::sin(x);
  const double y = x * x;
  double sum = 0.0;
  for (int k = 19; k >= 3; k -= 2) sum = (1.0 - sum) * y / static_cast<double>(k * (k - 1));
  return sum * x;
}

/// A first guess for M in [0, pi], off by 2e-3 at most: S. Mikkola, "A cubic approximation for Kepler's
/// equation", Celestial Mechanics 40 (1987), 329-334, equations 7 to 9.
double first_guess(double mean, double e) {
  const double scale = 4.0 * e + 0.5;
  const double alpha = (1.0 - e) / scale;
  const double beta = 0.5 * mean / scale;
  const double z = std::cbrt(beta + std::sqrt(beta * beta + alpha * alpha * alpha));
  double s = z == 0.0 ? 0.0 : z - alpha / z;
  s -= 0.078 * s * s * s * s * s / (1.0 + e);
  return mean + e * s * (3.0 - 4.0 * s * s);
}

constexpr double kNoise = 1e-14;  // of eccentricities and inclinations, from rounding

}  // namespace

double eccentric_anomaly_rad(double mean_anomaly_rad, double e) {
  if (e == 0.0) return mean_anomaly_rad;
  const double within = std::remainder(mean_anomaly_rad, kTurn_rad);
  const double mean = std::abs(within);
  double anomaly = first_guess(mean, e);
  for (int i = 0; i < 8; ++i) {  // Halley's steps: two or three
    const double half_sine = std::sin(0.5 * anomaly);
    const double f = (1.0 - e) * anomaly + e * less_its_sine(anomaly) - mean;
    const double slope = (1.0 - e) + 2.0 * e * half_sine * half_sine;
    const double curve = e * std::sin(anomaly);
    const double step = f / (slope - 0.5 * f * curve / slope);
    if (!std::isfinite(step)) break;
    anomaly -= step;
    if (std::abs(step) <= 4.0 * std::numeric_limits<double>::epsilon() * anomaly) break;
  }
  return (mean_anomaly_rad - within) + std::copysign(anomaly, within);
}

Orbit orbit_of(const State& state) {
  const double mu = core::kEarthMu.value;
  const Eigen::Vector3d& r = state.position_m;
  const Eigen::Vector3d& v = state.velocity_m_per_s;
  const double radius = r.norm();
  const Eigen::Vector3d h = r.cross(v);
  Orbit orbit;
  orbit.semi_major_axis_m = 1.0 / (2.0 / radius - v.squaredNorm() / mu);
  const double a = orbit.semi_major_axis_m;
  if (!(h.squaredNorm() > kNoise * mu * std::abs(a))) {
    orbit.eccentricity = 1.0;  // straight to the centre
    return orbit;
  }
  const double out_of_equator = std::hypot(h.x(), h.y());
  Eigen::Vector3d node = Eigen::Vector3d::UnitX();
  if (out_of_equator > kNoise * std::abs(h.z())) {
    node = Eigen::Vector3d(-h.y(), h.x(), 0.0) / out_of_equator;
    orbit.inclination_rad = std::atan2(out_of_equator, h.z());
    orbit.raan_rad = std::atan2(node.y(), node.x());
  } else {
    orbit.inclination_rad = h.z() < 0.0 ? std::numbers::pi : 0.0;
  }
  const double latitude = std::atan2(r.dot(h.normalized().cross(node)), r.dot(node));

  // e sin E and e cos E, from the radial speed and from the distance.
  const double e_sin = r.dot(v) / std::sqrt(mu * a);
  const double e_cos = 1.0 - radius / a;
  orbit.eccentricity = std::hypot(e_sin, e_cos);
  if (orbit.eccentricity < kNoise) {
    orbit.eccentricity = 0.0;
    orbit.mean_anomaly_rad = latitude;
    return orbit;
  }
  const double anomaly = std::atan2(e_sin, e_cos);
  orbit.mean_anomaly_rad = anomaly - e_sin;
  const double e = orbit.eccentricity;
  const double true_anomaly =
      std::atan2(std::sqrt((1.0 - e) * (1.0 + e)) * std::sin(anomaly), std::cos(anomaly) - e);
  orbit.argument_of_perigee_rad = std::remainder(latitude - true_anomaly, kTurn_rad);
  return orbit;
}

}  // namespace constellm::orbit
