#pragma once
#include <string>

#include "constellm/core/epoch.hpp"
#include "from_python.hpp"

namespace constellm::bindings {

/// An instant as an Epoch, as text, as datetime (UTC where it has no zone) or as numpy's datetime64.
template <>
struct FromPython<core::Epoch> {
  static core::Epoch get(py::handle value, const std::string& name) {
    if (py::isinstance<core::Epoch>(value)) return value.cast<core::Epoch>();
    if (py::isinstance<py::str>(value)) return core::Epoch(FromPython<std::string>::get(value, name));
    const py::module_ datetime = py::module_::import("datetime");
    if (py::isinstance(value, datetime.attr("datetime"))) return of_datetime(value, datetime);
    if (py::isinstance(value, py::module_::import("numpy").attr("datetime64"))) return of_numpy(value, name);
    throw py::type_error(name + ": expected an Epoch, ISO 8601 text, datetime or datetime64, got " +
                         shown(value));
  }

 private:
  static core::Epoch of_datetime(py::handle value, const py::module_& datetime) {
    const py::object utc = datetime.attr("timezone").attr("utc");
    const bool aware = !value.attr("utcoffset")().is_none();
    const py::object instant =
        aware ? py::reinterpret_borrow<py::object>(value) : value.attr("replace")(py::arg("tzinfo") = utc);
    const py::object start = datetime.attr("datetime")(1970, 1, 1, py::arg("tzinfo") = utc);
    const py::object microsecond = datetime.attr("timedelta")(py::arg("microseconds") = 1);
    return core::Epoch((instant - start).attr("__floordiv__")(microsecond).cast<std::int64_t>());
  }

  /// Rounded to the nearest microsecond where its unit is finer.
  static core::Epoch of_numpy(py::handle value, const std::string& name) {
    const py::module_ numpy = py::module_::import("numpy");
    if (numpy.attr("isnat")(value).cast<bool>()) throw py::value_error(name + ": NaT is no instant");
    const auto unit =
        numpy.attr("datetime_data")(value.attr("dtype")).cast<py::tuple>()[0].cast<std::string>();
    const bool finer = unit == "ns" || unit == "ps" || unit == "fs" || unit == "as";
    const py::object rounded = finer ? value.attr("__add__")(numpy.attr("timedelta64")(500, "ns"))
                                     : py::reinterpret_borrow<py::object>(value);
    const py::object microseconds = rounded.attr("astype")("datetime64[us]");
    return core::Epoch(microseconds.attr("astype")("int64").cast<std::int64_t>());
  }
};

}  // namespace constellm::bindings
