#include <limits>
#include <optional>

#include "constellm/orbit/angles.hpp"
#include "constellm/orbit/frames.hpp"
#include "constellm/orbit/sight.hpp"
#include "constellm/orbit/sun.hpp"
#include "epoch_value.hpp"
#include "register.hpp"
#include "vectors.hpp"

namespace constellm::bindings {
namespace {

using core::Epoch;
using orbit::kDegree_rad;

py::array gmst(const py::object& at, const py::object& time_s) {
  const Epoch epoch = FromPython<Epoch>::get(at, "epoch");
  const Doubles times = doubles(time_s, "time_s");
  Made made(shape_of(times));
  each(times.size(), [&](py::ssize_t i) { made[i] = orbit::gmst_rad(epoch, times.data()[i]); });
  return made.array();
}

/// The Earth's turn at the last dimension but one of vectors, or one for all.
class Turns {
 public:
  Turns(const py::object& at, const py::object& time_s, const Vectors& vectors, const char* name) {
    const Epoch epoch = FromPython<Epoch>::get(at, "epoch");
    const Doubles times = doubles(time_s, "time_s");
    const Shape leading = vectors.leading();
    if (times.ndim() > 1 || (times.ndim() == 1 && (leading.empty() || leading.back() != times.size()))) {
      throw core::InvalidInput(std::string("time_s: shape ") + shape_text(times) + " beside " + name +
                               " (..., times, 3)");
    }
    for (py::ssize_t i = 0; i < times.size(); ++i)
      turns_.emplace_back(orbit::gmst_rad(epoch, times.data()[i]));
  }
  const orbit::EarthTurn& operator[](py::ssize_t i) const {
    return turns_[static_cast<std::size_t>(i) % turns_.size()];
  }

 private:
  std::vector<orbit::EarthTurn> turns_;
};

py::array position_in(bool ecef, const py::object& position, const py::object& epoch,
                      const py::object& time_s) {
  const Vectors r(position, ecef ? "position_teme_m" : "position_ecef_m");
  const Turns turns(epoch, time_s, r, "positions");
  Made made(r.shape());
  each(r.count(),
       [&](py::ssize_t i) { made.set(i, ecef ? turns[i].to_ecef(r[i]) : turns[i].to_teme(r[i])); });
  return made.array();
}

py::array velocity_in(bool ecef, const py::object& position, const py::object& velocity,
                      const py::object& epoch, const py::object& time_s) {
  const char* beside = ecef ? "position_teme_m" : "position_ecef_m";
  const Vectors r(position, beside);
  const Vectors v(velocity, ecef ? "velocity_teme_m_per_s" : "velocity_ecef_m_per_s", r, beside);
  const Turns turns(epoch, time_s, r, "positions");
  Made made(r.shape());
  each(r.count(), [&](py::ssize_t i) {
    made.set(i, ecef ? turns[i].to_ecef(v[i] - orbit::with_the_earth(r[i]))
                     : turns[i].to_teme(v[i] + orbit::with_the_earth(r[i])));
  });
  return made.array();
}

/// Places, as three arrays of one shape.
class Places {
 public:
  Places(const py::object& latitude_deg, const py::object& longitude_deg, const py::object& altitude_m)
      : latitude_(doubles(latitude_deg, "latitude_deg")),
        longitude_(doubles(longitude_deg, "longitude_deg")),
        altitude_(doubles(altitude_m, "altitude_m")) {
    constexpr core::Range kLatitude{.least = -90.0, .most = 90.0, .text = "[-90, 90]"};
    constexpr core::Range kLongitude{.least = -360.0, .most = 360.0, .text = "[-360, 360]"};
    constexpr core::Range kAltitude{.least = -6.3e6, .most = core::kLargest, .text = "[-6.3e6, inf)"};
    for (py::ssize_t i = 0; i < latitude_.size(); ++i) {
      core::check_range("", "latitude_deg", kLatitude, latitude_.data()[i]);
      core::check_range("", "longitude_deg", kLongitude, longitude_.data()[i]);
      core::check_range("", "altitude_m", kAltitude, altitude_.data()[i]);
    }
  }

  [[nodiscard]] py::ssize_t count() const { return latitude_.size(); }
  [[nodiscard]] Shape shape() const { return shape_of(latitude_); }
  [[nodiscard]] orbit::Geodetic operator[](py::ssize_t i) const {
    return {.latitude_rad = latitude_.data()[i] * kDegree_rad,
            .longitude_rad = longitude_.data()[i] * kDegree_rad,
            .altitude_m = altitude_.data()[i]};
  }

 private:
  Doubles latitude_, longitude_, altitude_;
};

py::array geodetic_to_ecef(const py::object& latitude_deg, const py::object& longitude_deg,
                           const py::object& altitude_m) {
  const Places places(latitude_deg, longitude_deg, altitude_m);
  Shape shape = places.shape();
  shape.push_back(3);
  Made made(shape);
  each(places.count(), [&](py::ssize_t i) { made.set(i, orbit::ecef_of(places[i])); });
  return made.array();
}

py::tuple ecef_to_geodetic(const py::object& position_ecef_m) {
  const Vectors r(position_ecef_m, "position_ecef_m");
  for (py::ssize_t i = 0; i < r.count(); ++i) {
    if (r[i].norm() < orbit::kInnermost_m) {
      throw core::InvalidInput("position_ecef_m: point " + std::to_string(i) + " is " +
                               core::to_text(r[i].norm()) +
                               " m from the Earth's centre; latitude and altitude need " +
                               core::to_text(orbit::kInnermost_m) + " m");
    }
  }
  Made latitude_deg(r.leading());
  Made longitude_deg(r.leading());
  Made altitude_m(r.leading());
  each(r.count(), [&](py::ssize_t i) {
    const orbit::Geodetic place = orbit::geodetic_of(r[i]);
    latitude_deg[i] = place.latitude_rad / kDegree_rad;
    longitude_deg[i] = place.longitude_rad / kDegree_rad;
    altitude_m[i] = place.altitude_m;
  });
  return py::make_tuple(latitude_deg.array(), longitude_deg.array(), altitude_m.array());
}

py::tuple look_angles(const py::object& latitude_deg, const py::object& longitude_deg,
                      const py::object& altitude_m, const py::object& position, const py::object& velocity) {
  const Places places(latitude_deg, longitude_deg, altitude_m);
  const Vectors r(position, "position_ecef_m");
  std::optional<Vectors> v;
  if (!velocity.is_none()) v.emplace(velocity, "velocity_ecef_m_per_s", r, "position_ecef_m");
  Shape shape = places.shape();
  for (const py::ssize_t length : r.leading()) shape.push_back(length);
  Made elevation(shape);
  Made azimuth(shape);
  Made range(shape);
  Made rate(v ? shape : Shape{0});
  each(places.count(), [&](py::ssize_t p) {
    const orbit::Station station(places[p]);
    for (py::ssize_t i = 0, at = p * r.count(); i < r.count(); ++i, ++at) {
      const orbit::Look look = station.look({r[i], v ? (*v)[i] : Eigen::Vector3d::Zero()});
      elevation[at] = look.elevation_rad / kDegree_rad;
      azimuth[at] = look.azimuth_rad / kDegree_rad;
      range[at] = look.range_m;
      if (v) rate[at] = look.range_rate_m_per_s;
    }
  });
  return py::make_tuple(elevation.array(), azimuth.array(), range.array(),
                        v ? py::object(rate.array()) : py::object(py::none()));
}

py::tuple line_of_sight(const py::object& from, const py::object& to, const py::object& from_velocity,
                        const py::object& to_velocity) {
  const Vectors a(from, "from_m");
  const Vectors b(to, "to_m", a, "from_m");
  std::optional<Vectors> va;
  std::optional<Vectors> vb;
  if (!from_velocity.is_none()) {
    va.emplace(from_velocity, "from_m_per_s", a, "from_m");
    vb.emplace(to_velocity, "to_m_per_s", a, "from_m");
  }
  const Shape moving = va ? a.leading() : Shape{0};
  Made range(a.leading());
  Made grazing(a.leading());
  Made rate(moving);
  Made angular(moving);
  each(a.count(), [&](py::ssize_t i) {
    const Eigen::Vector3d still = Eigen::Vector3d::Zero();
    const orbit::Sight sight = orbit::sight({a[i], va ? (*va)[i] : still}, {b[i], vb ? (*vb)[i] : still});
    range[i] = sight.range_m;
    grazing[i] = sight.grazing_altitude_m;
    if (!va) return;
    rate[i] = sight.range_rate_m_per_s;
    angular[i] = sight.angular_rate_rad_per_s;
  });
  if (!va) return py::make_tuple(range.array(), grazing.array(), py::none(), py::none());
  return py::make_tuple(range.array(), grazing.array(), rate.array(), angular.array());
}

py::array sun_teme_m(const py::object& at, const py::object& time_s) {
  const Epoch epoch = FromPython<Epoch>::get(at, "epoch");
  const Doubles times = doubles(time_s, "time_s");
  Shape shape = shape_of(times);
  shape.push_back(3);
  Made made(shape);
  each(times.size(), [&](py::ssize_t i) { made.set(i, orbit::sun_teme_m(epoch, times.data()[i])); });
  return made.array();
}

py::array sunlit_share(const py::object& position, const py::object& sun) {
  const Vectors r(position, "position_m");
  const Vectors s(sun, "sun_m", r, "position_m");
  Made made(r.leading());
  each(r.count(), [&](py::ssize_t i) { made[i] = orbit::sunlit_share(r[i], s[i]); });
  return made.array();
}

}  // namespace

void register_frames(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string like = "numpy.typing.ArrayLike";
  const std::string array = "numpy.typing.NDArray[numpy.float64]";
  const std::string when = "epoch: typing.Any, time_s: " + like + ") -> " + array + "\n\n";
  m.def("gmst_rad", &gmst, py::arg("epoch"), py::arg("time_s"),
        ("gmst_rad(" + when + "Greenwich mean sidereal time, of the shape of the times.").c_str());
  m.def("sun_teme_m", &sun_teme_m, py::arg("epoch"), py::arg("time_s"),
        ("sun_teme_m(" + when + "The Sun's places (*times, 3).").c_str());
  m.def(
      "position_in", &position_in, py::arg("ecef"), py::arg("position_m"), py::arg("epoch"),
      py::arg("time_s"),
      ("position_in(ecef: bool, position_m: " + like + ", " + when + "Between TEME and ECEF (..., times, 3).")
          .c_str());
  m.def("velocity_in", &velocity_in, py::arg("ecef"), py::arg("position_m"), py::arg("velocity_m_per_s"),
        py::arg("epoch"), py::arg("time_s"),
        ("velocity_in(ecef: bool, position_m: " + like + ", velocity_m_per_s: " + like + ", " + when +
         "Between TEME and ECEF (..., times, 3).")
            .c_str());
  const std::string place = "(latitude_deg: " + like + ", longitude_deg: " + like + ", altitude_m: " + like;
  m.def("geodetic_to_ecef", &geodetic_to_ecef, py::arg("latitude_deg"), py::arg("longitude_deg"),
        py::arg("altitude_m"),
        ("geodetic_to_ecef" + place + ") -> " + array + "\n\nOf arrays of one shape (..., 3).").c_str());
  m.def("ecef_to_geodetic", &ecef_to_geodetic, py::arg("position_ecef_m"),
        ("ecef_to_geodetic(position_ecef_m: " + like + ") -> tuple[" + array + ", " + array + ", " + array +
         "]\n\nLatitudes, longitudes [deg], altitudes [m].")
            .c_str());
  const std::string optional = array + " | None";
  m.def("look_angles", &look_angles, py::arg("latitude_deg"), py::arg("longitude_deg"), py::arg("altitude_m"),
        py::arg("position_ecef_m"), py::arg("velocity_ecef_m_per_s"),
        ("look_angles" + place + ", position_ecef_m: " + like + ", velocity_ecef_m_per_s: " + like +
         " | None) -> tuple[" + array + ", " + array + ", " + array + ", " + optional +
         "]\n\nElevation, azimuth [deg], range, its rate (*places, *satellites).")
            .c_str());
  m.def("line_of_sight", &line_of_sight, py::arg("from_m"), py::arg("to_m"), py::arg("from_m_per_s"),
        py::arg("to_m_per_s"),
        ("line_of_sight(from_m: " + like + ", to_m: " + like + ", from_m_per_s: " + like +
         " | None, to_m_per_s: " + like + " | None) -> tuple[" + array + ", " + array + ", " + optional +
         ", " + optional + "]\n\nRange, grazing altitude, range rate, angular rate, of arrays of one shape.")
            .c_str());
  m.def("sunlit_share", &sunlit_share, py::arg("position_m"), py::arg("sun_m"),
        ("sunlit_share(position_m: " + like + ", sun_m: " + like + ") -> " + array +
         "\n\nOf arrays of one shape.")
            .c_str());
}

}  // namespace constellm::bindings
