#include "constellm/orbit/frames.hpp"

#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {
namespace {

constexpr double kA_m = core::kEarthRadius.value;
constexpr double kF = core::kEarthFlattening.value;
constexpr double kE2 = kF * (2.0 - kF);  // first eccentricity squared
constexpr double kB_m = kA_m * (1.0 - kF);

}  // namespace

double gmst_rad(core::Epoch epoch, double time_s) {
  // From 2000-01-01T12:00:00Z. The whole turn a day of the formula is taken off exactly, so that what is left
  // of microseconds is not lost in a number of many turns.
  constexpr std::int64_t kJ2000 = 946'728'000 * core::kMicrosecondsPerSecond;
  const std::int64_t since = epoch.microseconds() - kJ2000;
  const double of_day = static_cast<double>(since % core::kMicrosecondsPerDay) / 86'400e6;
  const double days = static_cast<double>(since) / 86'400e6 + time_s / 86'400.0;
  const double t = days / 36'525.0;
  const double slow_s = 67'310.54841 + t * (8'640'184.812866 + t * (0.093104 - t * 6.2e-6));
  const double turns =
      of_day + std::fmod(time_s, 86'400.0) / 86'400.0 + std::fmod(slow_s, 86'400.0) / 86'400.0;
  const double angle = kTurn_rad * (turns - std::floor(turns));
  return angle < kTurn_rad ? angle : 0.0;
}

EarthTurn::EarthTurn(double gmst_rad) : sin_(std::sin(gmst_rad)), cos_(std::cos(gmst_rad)) {}

Eigen::Vector3d with_the_earth(const Eigen::Vector3d& position_m) {
  return core::kEarthRotation.value * Eigen::Vector3d(-position_m.y(), position_m.x(), 0.0);
}

Eigen::Vector3d ecef_of(const Geodetic& place) {
  const double sine = std::sin(place.latitude_rad);
  const double cosine = std::cos(place.latitude_rad);
  const double normal_m = kA_m / std::sqrt(1.0 - kE2 * sine * sine);
  const double out_m = (normal_m + place.altitude_m) * cosine;
  return {out_m * std::cos(place.longitude_rad), out_m * std::sin(place.longitude_rad),
          (normal_m * (1.0 - kE2) + place.altitude_m) * sine};
}

Geodetic geodetic_of(const Eigen::Vector3d& ecef_m) {
  const double out_m = std::hypot(ecef_m.x(), ecef_m.y());
  const double up_m = ecef_m.z();
  // Bowring's iteration on the parametric latitude ("Transformation from spatial to geographical
  // coordinates", Survey Review 23 (1976), 323-327): tan(latitude) = (z + e'^2 b sin^3) / (out - e^2 a
  // cos^3).
  double sine = up_m * kA_m;
  double cosine = out_m * kB_m;
  double latitude = 0.0;
  for (int i = 0; i < 20; ++i) {
    const double length = std::hypot(sine, cosine);
    sine /= length;
    cosine /= length;
    const double z = up_m + kE2 / (1.0 - kE2) * kB_m * sine * sine * sine;
    const double x = out_m - kE2 * kA_m * cosine * cosine * cosine;
    const double next = std::atan2(z, x);
    const bool same = std::abs(next - latitude) <= 1e-16 && i > 0;
    latitude = next;
    if (same) break;
    sine = (1.0 - kF) * z;
    cosine = x;
  }
  const double s = std::sin(latitude);
  const double c = std::cos(latitude);
  return {.latitude_rad = latitude,
          .longitude_rad = std::atan2(ecef_m.y(), ecef_m.x()),
          .altitude_m = out_m * c + up_m * s - kA_m * std::sqrt(1.0 - kE2 * s * s)};
}

Eigen::Matrix3d horizon(const Geodetic& place) {
  const double sin_lat = std::sin(place.latitude_rad);
  const double cos_lat = std::cos(place.latitude_rad);
  const double sin_lon = std::sin(place.longitude_rad);
  const double cos_lon = std::cos(place.longitude_rad);
  Eigen::Matrix3d rows;
  rows << -sin_lon, cos_lon, 0.0,                       //
      -sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat,  //
      cos_lat * cos_lon, cos_lat * sin_lon, sin_lat;
  return rows;
}

}  // namespace constellm::orbit
