#pragma once
#include <span>
#include <vector>

#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/link_rule.hpp"
#include "vectors.hpp"

// Constellations at the border: states of satellites, and what their links are made of.
namespace constellm::bindings {

inline std::span<const double> numbers_of(const Doubles& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

/// States [satellites][3], or [satellites][times][3] where `dimensions` is 3.
inline Doubles states(const py::object& value, const char* name, py::ssize_t dimensions) {
  Doubles array = doubles(value, name);
  if (array.ndim() != dimensions || array.shape(dimensions - 1) != 3) {
    throw core::InvalidInput(std::string(name) + ": expected shape " +
                             (dimensions == 2 ? "(satellites, 3)" : "(satellites, times, 3)") +
                             ", got shape " + shape_text(array));
  }
  return array;
}

inline void check_alike(const Doubles& velocity, const Doubles& position) {
  if (shape_of(velocity) == shape_of(position)) return;
  throw core::InvalidInput("velocity_teme_m_per_s: shape " + shape_text(velocity) +
                           " beside position_teme_m of shape " + shape_text(position));
}

/// Rules, shells and stations of a constellation.
struct GivenSky {
  GivenSky(const py::object& given_rules, const py::object& given_shells, const py::object& given_stations,
           std::size_t satellites)
      : rules(FromPython<std::vector<orbit::LinkRule>>::get(given_rules, "rules")),
        horizons(horizons_of(given_stations)),
        layout(FromPython<std::vector<orbit::Shell>>::get(given_shells, "shells"),
               static_cast<std::int32_t>(satellites), static_cast<std::int32_t>(horizons.size())) {}

  std::vector<orbit::LinkRule> rules;
  std::vector<orbit::Horizon> horizons;
  orbit::Layout layout;

 private:
  static std::vector<orbit::Horizon> horizons_of(const py::object& stations) {
    const auto given = FromPython<std::vector<orbit::GroundStation>>::get(stations, "stations");
    return {given.begin(), given.end()};
  }
};

}  // namespace constellm::bindings
