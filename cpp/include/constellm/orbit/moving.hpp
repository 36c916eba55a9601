#pragma once
#include <cmath>
#include <cstddef>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"
#include "constellm/orbit/elements.hpp"
#include "constellm/orbit/propagate.hpp"

namespace constellm::orbit {

/// What an angle is at times, in turns.
struct Angle {
  double turns = 0.0;
  double turns_per_s = 0.0;

  bool operator==(const Angle&) const = default;
};

/// A satellite on the ellipse of its drifting elements.
struct Moving {
  double semi_major_axis_m = 0.0;
  double eccentricity = 0.0;
  double motion_rad_per_s = 0.0;  // about a point mass, as velocities on the ellipse want it
  double sin_i = 0.0;
  double cos_i = 0.0;
  Angle raan;
  Angle perigee;
  Angle mean;

  /// Of a circle, from the ascending node.
  [[nodiscard]] Angle latitude() const {
    return {perigee.turns + mean.turns, perigee.turns_per_s + mean.turns_per_s};
  }
};

inline Moving moving(const Elements& elements, std::size_t s, Propagator propagator) {
  const double a = elements.semi_major_axis_m[s];
  const double i = elements.inclination_rad[s];
  const Drift rates = drift(a, elements.eccentricity[s], i, propagator);
  const auto angle = [](double rad, double rad_per_s) {
    return Angle{rad / kTurn_rad, rad_per_s / kTurn_rad};
  };
  return {.semi_major_axis_m = a,
          .eccentricity = elements.eccentricity[s],
          .motion_rad_per_s = std::sqrt(core::kEarthMu.value / a) / a,
          .sin_i = std::sin(i),
          .cos_i = std::cos(i),
          .raan = angle(elements.raan_rad[s], rates.raan_rad_per_s),
          .perigee = angle(elements.argument_of_perigee_rad[s], rates.argument_of_perigee_rad_per_s),
          .mean = angle(elements.mean_anomaly_rad[s], rates.mean_anomaly_rad_per_s)};
}

}  // namespace constellm::orbit
