#include <cmath>
#include <limits>

#include "columnar.hpp"
#include "constellm/core/constants.hpp"
#include "constellm/orbit/angles.hpp"
#include "constellm/orbit/kepler.hpp"
#include "constellm/orbit/propagate.hpp"
#include "register.hpp"
#include "vectors.hpp"

namespace constellm::bindings {
namespace {

using orbit::Elements;
using orbit::Shell;

void register_shell(py::module_& m) {
  auto type = record<Shell>(m);
  property(type, "satellites", "satellites(self) -> int", &Shell::satellites,
           "planes · satellites_per_plane");
  property(type, "semi_major_axis_m", "semi_major_axis_m(self) -> float", &Shell::semi_major_axis_m,
           "from the altitude or from the mean motion [m]");
  property(
      type, "period_s", "period_s(self) -> float",
      [](const Shell& shell) {
        const double a = shell.semi_major_axis_m();
        return orbit::kTurn_rad * a * std::sqrt(a / core::kEarthMu.value);
      },
      "of a revolution about a point mass [s]");
  property(
      type, "ids", "ids(self) -> tuple[str, ...]",
      [](const Shell& shell) { return py::tuple(py::cast(orbit::ids(shell))); },
      "<name>/<plane>/<index>, plane by plane [satellites]");
}

struct Column {
  const char* name;
  std::vector<double> Elements::* of;
  const char* doc;
  const char* unit;
  const char* range;
};

constexpr Column kColumns[] = {
    {"semi_major_axis_m", &Elements::semi_major_axis_m, "half of the ellipse's length", "m", "(0, inf)"},
    {"eccentricity", &Elements::eccentricity, "of the ellipse", "", "[0, 1)"},
    {"inclination_rad", &Elements::inclination_rad, "to the equator", "rad", "[0, pi]"},
    {"raan_rad", &Elements::raan_rad, "right ascension of the ascending node", "rad", "(-inf, inf)"},
    {"argument_of_perigee_rad", &Elements::argument_of_perigee_rad, "from the node, along the motion", "rad",
     "(-inf, inf)"},
    {"mean_anomaly_rad", &Elements::mean_anomaly_rad, "from the perigee, at the epoch", "rad", "(-inf, inf)"},
};

Infos element_fields() {
  Infos fields;
  for (const Column& column : kColumns) {
    const bool axis = column.of == &Elements::semi_major_axis_m;
    fields.push_back(
        {.name = column.name,
         .type = kArray,
         .doc = std::string(column.doc) + (axis ? " [satellites]" : "; one for all, or [satellites]"),
         .unit = column.unit,
         .range = column.range,
         .required = axis,
         .initial = axis ? py::object(py::none()) : py::object(py::float_(0.0))});
  }
  return fields;
}

Elements make_elements(const py::dict& given) {
  const Doubles axis_m = doubles(given["semi_major_axis_m"], "semi_major_axis_m");
  const auto satellites = static_cast<std::size_t>(axis_m.size());
  Elements elements;
  for (const Column& column : kColumns)
    elements.*column.of = figures(given[column.name], column.name, satellites);
  orbit::validate(elements);
  return elements;
}

py::dict element_keywords(const py::object& self) {
  py::dict keywords;
  for (const Column& column : kColumns) keywords[column.name] = self.attr(column.name);
  return keywords;
}

void register_elements(py::module_& m) {
  const Infos fields = element_fields();
  auto type = columnar<Elements>(
      m, "Elements",
      "Mean Keplerian elements of satellites at their common epoch, in the frame TEME, as columns.",
      "clm.orbit.Elements(semi_major_axis_m=[6928137.0, 6928137.0], mean_anomaly_rad=[0.0, 3.14])", fields, 0,
      &make_elements, &element_keywords);
  type.def("__len__", &Elements::size, "__len__(self) -> int");
  for (const Column& item : kColumns) {
    column(
        type, item.name, [of = item.of](const Elements& e) -> auto& { return e.*of; },
        doc_of(std::string(item.doc) + " [satellites]", item.unit));
  }
  type.def(
      "replace",
      [](const py::object& self, const py::args& args, const py::kwargs& changes) {
        return make_elements(changed("Elements", element_keywords(self), args, changes));
      },
      "replace(self, **changes: typing.Any) -> Elements\n\nA copy with some fields changed.");
  type.def(
      "to_dict",
      [](const py::object& self) {
        py::dict plain = element_keywords(self);
        for (const auto& [key, value] : plain) plain[key] = value.attr("tolist")();
        return plain;
      },
      "to_dict(self) -> dict[str, typing.Any]\n\nThe fields as plain Python values.");
  type.def(
      "__repr__",
      [](const Elements& self) { return "Elements(" + std::to_string(self.size()) + " satellites)"; },
      "__repr__(self) -> str");
}

/// Positions and velocities (satellites, *shape of time_s, 3).
py::tuple propagate(const Elements& elements, const py::object& time_s, const py::object& propagator,
                    int threads) {
  const Doubles times = doubles(time_s, "time_s");
  const std::span<const double> when(times.data(), static_cast<std::size_t>(times.size()));
  for (std::size_t i = 0; i < when.size(); ++i)
    core::check_range("", ("time_s[" + std::to_string(i) + "]").c_str(), core::kReal, when[i]);
  Shape shape = shape_of(times);
  shape.insert(shape.begin(), static_cast<py::ssize_t>(elements.size()));
  shape.push_back(3);
  Made position(shape);
  Made velocity(shape);
  const auto how = FromPython<orbit::Propagator>::get(propagator, "propagator");
  core::StopToken stop(std::numeric_limits<double>::infinity(), [] {
    const GilTaken gil;
    return PyErr_CheckSignals() != 0;
  });
  try {
    const GilReleased no_gil;
    orbit::propagate(elements, when, how, position.values(), velocity.values(), threads, stop);
  } catch (const core::Stopped&) {
    throw py::error_already_set();
  }
  return py::make_tuple(position.array(), velocity.array());
}

Elements elements_of_state(const py::object& position, const py::object& velocity) {
  const Vectors r(position, "position_teme_m");
  const Vectors v(velocity, "velocity_teme_m_per_s", r, "position_teme_m");
  Elements elements;
  elements.resize(static_cast<std::size_t>(r.count()));
  for (py::ssize_t i = 0; i < r.count(); ++i) {
    const orbit::Orbit orbit = orbit::orbit_of({.position_m = r[i], .velocity_m_per_s = v[i]});
    if (!(orbit.semi_major_axis_m > 0.0 && orbit.semi_major_axis_m <= core::kLargest &&
          orbit.eccentricity < 1.0)) {
      throw core::InvalidInput("velocity_teme_m_per_s[" + std::to_string(i) +
                               "]: " + core::to_text(v[i].norm()) + " m/s at " + core::to_text(r[i].norm()) +
                               " m from the centre is no closed orbit");
    }
    const auto s = static_cast<std::size_t>(i);
    elements.semi_major_axis_m[s] = orbit.semi_major_axis_m;
    elements.eccentricity[s] = orbit.eccentricity;
    elements.inclination_rad[s] = orbit.inclination_rad;
    elements.raan_rad[s] = orbit.raan_rad;
    elements.argument_of_perigee_rad[s] = orbit.argument_of_perigee_rad;
    elements.mean_anomaly_rad[s] = orbit.mean_anomaly_rad;
  }
  return elements;
}

py::array eccentric_anomaly(const py::object& mean_anomaly_rad, const py::object& eccentricity) {
  const Doubles mean = doubles(mean_anomaly_rad, "mean_anomaly_rad");
  const Doubles e = doubles(eccentricity, "eccentricity");
  for (py::ssize_t i = 0; i < e.size(); ++i)
    core::check_range("", "eccentricity", orbit::kEccentricity, e.data()[i]);
  Made made(shape_of(mean));
  each(mean.size(),
       [&](py::ssize_t i) { made[i] = orbit::eccentric_anomaly_rad(mean.data()[i], e.data()[i]); });
  return made.array();
}

}  // namespace

void register_orbit(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  register_shell(m);
  register_elements(m);
  m.def("elements", &orbit::elements, py::arg("shell"),
        "elements(shell: Shell) -> Elements\n\nThose of its satellites, plane by plane.");
  m.def("propagate", &propagate, py::arg("elements"), py::arg("time_s"), py::arg("propagator"),
        py::arg("threads"),
        "propagate(elements: Elements, time_s: numpy.typing.ArrayLike, propagator: str, threads: int) -> "
        "tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]\n\n"
        "Positions and velocities (satellites, *times, 3), in TEME.");
  m.def("elements_of_state", &elements_of_state, py::arg("position_teme_m"), py::arg("velocity_teme_m_per_s"),
        "elements_of_state(position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: "
        "numpy.typing.ArrayLike) -> Elements\n\nThe ellipses through states (satellites, 3).");
  m.def(
      "eccentric_anomaly_rad", &eccentric_anomaly, py::arg("mean_anomaly_rad"), py::arg("eccentricity"),
      "eccentric_anomaly_rad(mean_anomaly_rad: numpy.typing.ArrayLike, eccentricity: numpy.typing.ArrayLike) "
      "-> numpy.typing.NDArray[numpy.float64]\n\nOf arrays of one shape.");
}

}  // namespace constellm::bindings
