#include "constellm/orbit/shell.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/core/error.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {
namespace {

using core::InvalidInput;
using core::kEarthRadius;
using core::to_text;

constexpr double kAgreement = 1e-9;  // relative, of a semi-major axis that is told twice

void check_size(const Shell& shell, const core::Place& where) {
  const std::int64_t count = shell.satellites();  // of two numbers up to 1e5
  if (count <= kMostSatellites) return;
  throw InvalidInput(where.text() + "satellites_per_plane: " + std::to_string(shell.planes) + " planes of " +
                     std::to_string(shell.satellites_per_plane) + " are " + std::to_string(count) +
                     " satellites, a shell holds at most " + std::to_string(kMostSatellites));
}

void check_axis(const Shell& shell, const core::Place& where) {
  if (!shell.altitude_m && !shell.mean_motion_rev_per_day)
    throw InvalidInput(where.text() + "altitude_m: missing; give it or mean_motion_rev_per_day");
  const double axis_m = shell.semi_major_axis_m();
  if (shell.altitude_m && shell.mean_motion_rev_per_day) {
    const double other_m = semi_major_axis_m(*shell.mean_motion_rev_per_day);
    if (std::abs(other_m - axis_m) > kAgreement * axis_m) {
      throw InvalidInput(where.text() + "altitude_m: " + to_text(*shell.altitude_m) +
                         " disagrees with mean_motion_rev_per_day " +
                         to_text(*shell.mean_motion_rev_per_day) + ", which means " +
                         to_text(other_m - kEarthRadius.value) + " m; give one of them");
    }
  }
  const double perigee_m = axis_m * (1.0 - shell.eccentricity) - kEarthRadius.value;
  // Room for rounding: an orbit at altitude 0 given by its mean motion.
  if (!(perigee_m >= -kAgreement * axis_m)) {
    throw InvalidInput(where.text() + "eccentricity: " + to_text(shell.eccentricity) +
                       " with a semi-major axis of " + to_text(axis_m) + " m puts the perigee " +
                       to_text(-perigee_m) + " m below the equatorial radius");
  }
}

void check_phases(const Shell& shell, const core::Place& where) {
  if (!shell.plane_phase_deg) return;
  const std::size_t count = shell.plane_phase_deg->size();
  if (count != static_cast<std::size_t>(shell.planes)) {
    throw InvalidInput(where.text() + "plane_phase_deg: " + std::to_string(count) + " values for " +
                       std::to_string(shell.planes) + " planes");
  }
  if (shell.phasing != 0.0) {
    throw InvalidInput(where.text() + "phasing: " + to_text(shell.phasing) +
                       " beside plane_phase_deg, which stands in its place");
  }
}

}  // namespace

double semi_major_axis_m(double mean_motion_rev_per_day) {
  const double rad_per_s = mean_motion_rev_per_day * kTurn_rad / 86'400.0;
  return std::cbrt(core::kEarthMu.value / (rad_per_s * rad_per_s));
}

double Shell::semi_major_axis_m() const {
  return altitude_m ? core::kEarthRadius.value + *altitude_m
                    : orbit::semi_major_axis_m(*mean_motion_rev_per_day);
}

void validate(const Shell& shell, const core::Place& where) {
  core::check_ranges(shell, where);
  check_size(shell, where);
  check_axis(shell, where);
  check_phases(shell, where);
}

Elements elements(const Shell& shell) {
  Elements made;
  made.resize(static_cast<std::size_t>(shell.satellites()));
  std::ranges::fill(made.semi_major_axis_m, shell.semi_major_axis_m());
  std::ranges::fill(made.eccentricity, shell.eccentricity);
  std::ranges::fill(made.inclination_rad, shell.inclination_deg * kDegree_rad);
  std::ranges::fill(made.argument_of_perigee_rad, shell.argument_of_perigee_deg * kDegree_rad);
  const auto planes = static_cast<double>(shell.planes);
  const auto in_plane = static_cast<double>(shell.satellites_per_plane);
  std::size_t satellite = 0;
  for (std::int64_t p = 0; p < shell.planes; ++p) {
    const auto plane = static_cast<double>(p);
    const double raan_deg = shell.raan0_deg + plane * shell.raan_spread_deg / planes;
    const double ahead_deg = shell.plane_phase_deg ? (*shell.plane_phase_deg)[static_cast<std::size_t>(p)]
                                                   : plane * shell.phasing * 360.0 / (planes * in_plane);
    for (std::int64_t k = 0; k < shell.satellites_per_plane; ++k, ++satellite) {
      made.raan_rad[satellite] = raan_deg * kDegree_rad;
      made.mean_anomaly_rad[satellite] =
          (360.0 * static_cast<double>(k) / in_plane + ahead_deg) * kDegree_rad;
    }
  }
  return made;
}

std::vector<std::string> ids(const Shell& shell) {
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(shell.satellites()));
  for (std::int64_t p = 0; p < shell.planes; ++p) {
    const std::string plane = shell.name + "/" + std::to_string(p) + "/";
    for (std::int64_t k = 0; k < shell.satellites_per_plane; ++k) all.push_back(plane + std::to_string(k));
  }
  return all;
}

}  // namespace constellm::orbit
