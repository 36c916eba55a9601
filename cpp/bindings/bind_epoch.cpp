#include "epoch_value.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

using core::Epoch;

constexpr const char* kDoc =
    R"(An instant of UTC, to the microsecond, from year 1 to 9999.

Days have 86,400 s: a leap second (``23:59:60``) has no instant of its own and is refused, and differences
of epochs do not count leap seconds. Adding seconds gives an epoch, subtracting an epoch gives seconds;
epochs have an order and can be keys.

Parameters
----------
value : str, datetime, numpy.datetime64 or Epoch
    Text is ISO 8601: a date (``2026-03-01``, or by the day of the year ``2026-060``), or a date and a
    time of day, with ``Z``, an offset such as ``-05:00``, or neither, which means UTC, as a datetime
    without a zone does. What is finer than a microsecond is rounded to the nearest one.

Raises
------
ValueError, TypeError
    Names the value and what is wrong with it.

Examples
--------
>>> import constellm as clm
>>> made = clm.orbit.Epoch("2026-03-01T07:00:00-05:00")
)";

py::object not_implemented() { return py::reinterpret_borrow<py::object>(Py_NotImplemented); }

bool is_number(const py::object& value) {
  return py::isinstance<py::float_>(value) || PyIndex_Check(value.ptr()) != 0 ||
         py::isinstance(value, py::module_::import("numpy").attr("floating"));
}

py::object plus(Epoch self, const py::object& seconds) {
  return is_number(seconds) ? py::cast(self.after(FromPython<double>::get(seconds, "seconds")))
                            : not_implemented();
}

py::object minus(Epoch self, const py::object& other) {
  if (py::isinstance<Epoch>(other)) return py::cast(self.seconds_since(other.cast<Epoch>()));
  return is_number(other) ? py::cast(self.after(-FromPython<double>::get(other, "seconds")))
                          : not_implemented();
}

template <class Compare>
void def_order(py::class_<Epoch>& type, const char* name, Compare compare) {
  type.def(
      name,
      [compare](Epoch self, const py::object& other) -> py::object {
        return py::isinstance<Epoch>(other) ? py::cast(compare(self, other.cast<Epoch>()))
                                            : not_implemented();
      },
      (std::string(name) + "(self, other: object) -> bool").c_str());
}

}  // namespace

void register_epoch(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  py::class_<Epoch> type(m, "Epoch", kDoc);
  type.def(py::init([](const py::object& value) { return FromPython<Epoch>::get(value, "epoch"); }),
           py::arg("value"), "__init__(self, value: typing.Any) -> None");
  type.def_static(
      "from_microseconds",
      [](const py::object& value) { return Epoch(FromPython<std::int64_t>::get(value, "microseconds")); },
      py::arg("microseconds"),
      "from_microseconds(microseconds: int) -> Epoch\n\nFrom the microseconds since 1970-01-01T00:00:00Z.");
  type.def_property_readonly("microseconds",
                             py::cpp_function(&Epoch::microseconds, "microseconds(self) -> int"),
                             "since 1970-01-01T00:00:00Z");
  type.def_property_readonly(
      "julian_date",
      py::cpp_function(
          [](Epoch self) {
            const core::JulianDate date = core::julian_date(self);
            return py::make_tuple(date.midnight, date.fraction);
          },
          "julian_date(self) -> tuple[float, float]"),
      "that of the day's start (it ends in .5), and the fraction of the day in [0, 1)");
  type.def(
      "to_datetime",
      [](Epoch self) {
        const py::module_ datetime = py::module_::import("datetime");
        const py::object start =
            datetime.attr("datetime")(1970, 1, 1, py::arg("tzinfo") = datetime.attr("timezone").attr("utc"));
        return start + datetime.attr("timedelta")(py::arg("microseconds") = self.microseconds());
      },
      "to_datetime(self) -> datetime.datetime\n\nWith the zone UTC.");
  type.def(
      "to_datetime64",
      [](Epoch self) { return py::module_::import("numpy").attr("datetime64")(self.microseconds(), "us"); },
      "to_datetime64(self) -> numpy.datetime64\n\nIn microseconds.");
  type.def("__add__", &plus, "__add__(self, seconds: float) -> Epoch");
  type.def("__radd__", &plus, "__radd__(self, seconds: float) -> Epoch");
  type.def("__sub__", &minus, "__sub__(self, other: typing.Any) -> typing.Any");
  def_order(type, "__eq__", [](Epoch a, Epoch b) { return a == b; });
  def_order(type, "__lt__", [](Epoch a, Epoch b) { return a < b; });
  def_order(type, "__le__", [](Epoch a, Epoch b) { return a <= b; });
  def_order(type, "__gt__", [](Epoch a, Epoch b) { return a > b; });
  def_order(type, "__ge__", [](Epoch a, Epoch b) { return a >= b; });
  type.def(
      "__hash__", [](Epoch self) { return py::hash(py::int_(self.microseconds())); },
      "__hash__(self) -> int");
  type.def("__str__", &Epoch::text, "__str__(self) -> str");
  type.def("__repr__", [](Epoch self) { return "Epoch('" + self.text() + "')"; }, "__repr__(self) -> str");
  type.def(py::pickle(
      [](Epoch self) {
        py::dict keywords;
        keywords["epoch"] = self.text();
        return py::make_tuple(kPickleVersion, keywords);
      },
      [](const py::object& state) {
        return Epoch(FromPython<std::string>::get(state_of("Epoch", state)["epoch"], "epoch"));
      }));
}

}  // namespace constellm::bindings
