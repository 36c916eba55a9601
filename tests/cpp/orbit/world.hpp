#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "constellm/orbit/angles.hpp"
#include "constellm/orbit/elements.hpp"
#include "constellm/orbit/ground_station.hpp"
#include "constellm/orbit/kepler.hpp"
#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/links.hpp"
#include "constellm/orbit/propagate.hpp"
#include "random.hpp"

namespace constellm::tests {

inline orbit::Shell shell(const std::string& name, std::int64_t planes, std::int64_t in_plane,
                          double altitude_m = 550e3, double inclination_deg = 53.0) {
  orbit::Shell made;
  made.name = name;
  made.planes = planes;
  made.satellites_per_plane = in_plane;
  made.altitude_m = altitude_m;
  made.inclination_deg = inclination_deg;
  made.phasing = 1.0;
  return made;
}

inline orbit::LinkRule rule(orbit::Pattern pattern, const std::string& of_shell = "") {
  orbit::LinkRule made;
  made.pattern = pattern;
  if (!of_shell.empty()) made.shell = of_shell;
  if (pattern == orbit::Pattern::nearest) made.count = 4;
  return made;
}

inline orbit::GroundStation station(const std::string& id, double latitude_deg, double longitude_deg) {
  orbit::GroundStation made;
  made.id = id;
  made.latitude_deg = latitude_deg;
  made.longitude_deg = longitude_deg;
  return made;
}

/// States of satellites at one moment.
struct Now {
  std::vector<double> position_m;
  std::vector<double> velocity_m_per_s;

  [[nodiscard]] orbit::State of(std::int32_t satellite) const {
    const std::size_t at = 3 * static_cast<std::size_t>(satellite);
    return {.position_m = Eigen::Map<const Eigen::Vector3d>(position_m.data() + at),
            .velocity_m_per_s = Eigen::Map<const Eigen::Vector3d>(velocity_m_per_s.data() + at)};
  }
  [[nodiscard]] orbit::Instant instant(double gmst_rad, std::int64_t slot = 0) const {
    return {.position_teme_m = position_m,
            .velocity_teme_m_per_s = velocity_m_per_s,
            .gmst_rad = gmst_rad,
            .slot = slot};
  }
};

inline Now now(const orbit::Elements& elements, double time_s,
               orbit::Propagator propagator = orbit::Propagator::j2) {
  Now made;
  made.position_m.resize(3 * elements.size());
  made.velocity_m_per_s.resize(3 * elements.size());
  core::StopToken stop;
  const std::vector<double> when{time_s};
  orbit::propagate(elements, when, propagator, made.position_m, made.velocity_m_per_s, 1, stop);
  return made;
}

inline void append(orbit::Elements& all, const orbit::Elements& more) {
  const auto put = [](std::vector<double>& to, const std::vector<double>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  put(all.semi_major_axis_m, more.semi_major_axis_m);
  put(all.eccentricity, more.eccentricity);
  put(all.inclination_rad, more.inclination_rad);
  put(all.raan_rad, more.raan_rad);
  put(all.argument_of_perigee_rad, more.argument_of_perigee_rad);
  put(all.mean_anomaly_rad, more.mean_anomaly_rad);
}

/// Satellites at any place on orbits of every inclination, low ones unless `eccentric`.
inline orbit::Elements stray(std::uint64_t seed, std::size_t satellites, bool eccentric = false) {
  Random random(seed);
  orbit::Elements made;
  made.resize(satellites);
  for (std::size_t s = 0; s < satellites; ++s) {
    made.eccentricity[s] = eccentric ? random.uniform(0.1, 0.7) : random.uniform(0.0, 0.01);
    made.semi_major_axis_m[s] = random.uniform(6.9e6, 7.6e6) / (1.0 - made.eccentricity[s]);
    made.inclination_rad[s] = random.uniform(0.0, std::numbers::pi);
    made.raan_rad[s] = random.uniform(0.0, orbit::kTurn_rad);
    made.argument_of_perigee_rad[s] = random.uniform(0.0, orbit::kTurn_rad);
    made.mean_anomaly_rad[s] = random.uniform(0.0, orbit::kTurn_rad);
  }
  return made;
}

}  // namespace constellm::tests
