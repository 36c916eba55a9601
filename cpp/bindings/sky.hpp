#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/link_rule.hpp"
#include "constellm/orbit/motion.hpp"
#include "constellm/orbit/outages.hpp"
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

/// What is lost: rows (a, b, start, stop), a node where both are one.
inline orbit::Outages outages_of(const py::object& rows, const orbit::Layout& layout) {
  orbit::Outages outages;
  const std::int32_t nodes = layout.satellites() + layout.stations();
  for (const py::handle row : py::iter(rows)) {
    const auto [a, b, start_s, stop_s] = row.cast<std::tuple<std::int32_t, std::int32_t, double, double>>();
    if (std::min(a, b) < 0 || std::max(a, b) >= nodes || !(start_s < stop_s))
      throw core::InvalidInput("outages: " + shown(row) + " is of no node, or of no time");
    outages.add({.a = a, .b = b}, {start_s, stop_s});
  }
  return outages;
}

using Motions = std::vector<std::shared_ptr<const orbit::Motion>>;

inline Motions motions_of(const py::object& motions) {
  Motions moving;
  for (const py::handle item : py::iter(motions)) {
    if (!py::isinstance<orbit::Motion>(item))
      throw py::type_error("motions: expected Motions, got " + shown(item));
    (void)item.cast<const orbit::Motion&>();  // throws for one without value
    moving.push_back(item.cast<std::shared_ptr<orbit::Motion>>());
  }
  return moving;
}

}  // namespace constellm::bindings
