#pragma once
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "constellm/core/constants.hpp"
#include "constellm/orbit/links.hpp"
#include "constellm/orbit/windows.hpp"
#include "orbit/world.hpp"

// A constellation and its links, at instants and over time.
namespace constellm::tests {

inline const core::Epoch kEpoch("2026-03-01T12:00:00Z");
inline constexpr double kMu = core::kEarthMu.value;
inline constexpr double kEarth_m = core::kEarthRadius.value;

struct World {
  std::vector<orbit::Shell> shells;
  std::vector<orbit::LinkRule> rules;
  std::vector<orbit::GroundStation> stations;
  orbit::Outages outages;
  orbit::Elements elements;
  orbit::Propagator propagator = orbit::Propagator::j2;
};

inline std::shared_ptr<const orbit::Motion> analytic(const World& world) {
  return std::make_shared<orbit::AnalyticMotion>(world.elements, world.propagator);
}

/// A satellite without states from a sample on.
struct Ending {
  std::size_t satellite;
  std::size_t sample;
};

/// States of a span as SGP4 would give them.
inline std::shared_ptr<const orbit::Motion> sampled(const World& world, double start_s, double stop_s,
                                                    double step_s, std::optional<Ending> ending = {}) {
  const auto times = static_cast<std::size_t>(std::ceil((stop_s - start_s) / step_s)) + 9;
  std::vector<double> time_s(times);
  for (std::size_t k = 0; k < times; ++k) time_s[k] = start_s + step_s * (static_cast<double>(k) - 4.0);
  std::vector<double> position(3 * times * world.elements.size());
  std::vector<double> velocity(position.size());
  core::StopToken stop;
  orbit::propagate(world.elements, time_s, world.propagator, position, velocity, 1, stop);
  for (std::size_t k = ending ? ending->sample : times; k < times; ++k)
    position[3 * (ending->satellite * times + k)] = std::numeric_limits<double>::quiet_NaN();
  return std::make_shared<orbit::SampledMotion>(position, velocity, times, time_s[0], step_s);
}

inline orbit::Windows windows_of(const World& world, const std::shared_ptr<const orbit::Motion>& motion,
                                 double start_s, double stop_s, int threads = 1,
                                 std::optional<double> slot_s = {}) {
  const std::vector<orbit::Horizon> horizons(world.stations.begin(), world.stations.end());
  const orbit::Layout layout(world.shells, static_cast<std::int32_t>(motion->satellites()),
                             static_cast<std::int32_t>(horizons.size()));
  core::StopToken stop;
  return orbit::windows(layout, world.rules, horizons, std::vector{motion}, world.outages,
                        {.epoch = kEpoch, .start_s = start_s, .stop_s = stop_s, .slot_s = slot_s}, threads,
                        stop);
}

inline orbit::Links links_of(const World& world, double time_s, std::int64_t slot = 0) {
  const std::vector<orbit::Horizon> horizons(world.stations.begin(), world.stations.end());
  const orbit::Layout layout(world.shells, static_cast<std::int32_t>(world.elements.size()),
                             static_cast<std::int32_t>(horizons.size()));
  const Now now = tests::now(world.elements, time_s, world.propagator);
  const std::vector motions{analytic(world)};
  orbit::Instant instant = now.instant(orbit::gmst_rad(kEpoch, time_s), slot);
  instant.past = {.motions = motions, .outages = world.outages, .epoch = kEpoch, .time_s = time_s};
  const std::vector<orbit::Pair> lost = world.outages.at(time_s);
  instant.lost = lost;
  core::StopToken stop;
  return orbit::links_at(layout, world.rules, horizons, instant, stop);
}

/// Circular orbits over the equator, which turn with the Earth or, at an inclination of 180 degrees, against
/// it.
inline orbit::Elements over_the_equator(const std::vector<double>& altitude_m,
                                        const std::vector<double>& inclination_deg) {
  orbit::Elements made;
  made.resize(altitude_m.size());
  for (std::size_t s = 0; s < altitude_m.size(); ++s) {
    made.semi_major_axis_m[s] = kEarth_m + altitude_m[s];
    made.inclination_rad[s] = inclination_deg[s] * orbit::kDegree_rad;
  }
  return made;
}

inline double mean_motion(const orbit::Elements& elements, std::size_t s) {
  const double a = elements.semi_major_axis_m[s];
  return std::sqrt(kMu / a) / a;
}

}  // namespace constellm::tests
