#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "constellm/core/error.hpp"
#include "pybind.hpp"

// A record is a plain C++ struct shown to Python as an immutable value: keyword-only
// constructor, read-only properties, repr, ==, pickle, replace() and to_dict(), all made from
// one table of fields.
namespace constellm::bindings {

/// The start of `repr(value)`, for messages; of an integer too long for that, its type.
inline std::string shown(const py::handle& value, py::ssize_t most = 60) {
  const auto text = py::reinterpret_steal<py::object>(PyObject_Repr(value.ptr()));
  if (!text) {
    PyErr_Clear();
    return "a value of type " + std::string(Py_TYPE(value.ptr())->tp_name);
  }
  const bool cut = PyUnicode_GET_LENGTH(text.ptr()) > most;
  const auto start = py::reinterpret_steal<py::object>(PyUnicode_Substring(text.ptr(), 0, most));
  // backslashreplace: a repr of one's own may hold what is no Unicode.
  return std::string(py::bytes(start.attr("encode")("utf-8", "backslashreplace"))) + (cut ? "…" : "");
}

/// Whether a numpy scalar is of `kind` ("floating", "integer"); true of anything not from numpy.
inline bool numpy_scalar_is(const py::handle& value, std::initializer_list<const char*> kinds) {
  const py::module_ numpy = py::module_::import("numpy");
  if (!py::isinstance(value, numpy.attr("generic"))) return true;
  return std::any_of(kinds.begin(), kinds.end(),
                     [&](const char* kind) { return py::isinstance(value, numpy.attr(kind)); });
}

/// From Python, without silent narrowing: no bool or complex for a number, no float for a count.
template <class T>
struct FromPython;

template <>
struct FromPython<double> {
  static constexpr const char* annotation = "float";
  static double get(py::handle value, const std::string& name) {
    if (PyFloat_Check(value.ptr())) return PyFloat_AS_DOUBLE(value.ptr());
    const PyNumberMethods* slots = Py_TYPE(value.ptr())->tp_as_number;
    const bool converts = slots != nullptr && (slots->nb_float != nullptr || slots->nb_index != nullptr);
    if (!converts || PyBool_Check(value.ptr()) || PyComplex_Check(value.ptr()) ||
        py::hasattr(value, "__len__") || !numpy_scalar_is(value, {"floating", "integer"})) {
      throw py::type_error(name + ": expected a number, got " +
                           std::string(py::str(py::type::of(value).attr("__name__"))));
    }
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred() != nullptr) {
      if (PyErr_ExceptionMatches(PyExc_OverflowError) == 0) throw py::error_already_set();
      PyErr_Clear();
      throw py::value_error(name + ": " + shown(value) + " is not in [-1.8e308, 1.8e308]");
    }
    return number;
  }
};

template <>
struct FromPython<std::int64_t> {
  static constexpr const char* annotation = "int";
  static std::int64_t get(py::handle value, const std::string& name) {
    if (PyBool_Check(value.ptr()) || !PyIndex_Check(value.ptr()) || py::hasattr(value, "__len__") ||
        !numpy_scalar_is(value, {"integer"})) {
      throw py::type_error(name + ": expected an integer, got " + shown(value));
    }
    int overflow = 0;
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!index) throw py::error_already_set();
    const long long number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow != 0) {
      throw py::value_error(name + ": " + shown(value) +
                            (overflow > 0 ? " is not < 2^63" : " is not >= -2^63"));
    }
    return number;
  }
};

template <>
struct FromPython<bool> {
  static constexpr const char* annotation = "bool";
  static bool get(py::handle value, const std::string& name) {
    if (!PyBool_Check(value.ptr())) {
      throw py::type_error(name + ": expected True or False, got " + shown(value));
    }
    return value.ptr() == Py_True;
  }
};

template <>
struct FromPython<std::string> {
  static constexpr const char* annotation = "str";
  static std::string get(py::handle value, const std::string& name) {
    if (!py::isinstance<py::str>(value)) {
      throw py::type_error(name + ": expected text, got " + shown(value));
    }
    py::ssize_t bytes = 0;
    const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &bytes);
    if (text == nullptr) {  // half of a surrogate pair
      PyErr_Clear();
      throw py::value_error(name + ": " + shown(value) + " is not valid Unicode");
    }
    return {text, static_cast<std::size_t>(bytes)};
  }
};

template <class T>
  requires std::is_class_v<T>
struct FromPython<T> {
  static constexpr const char* annotation = "typing.Any";
  static T get(py::handle value, const std::string& name) {
    if (!py::isinstance<T>(value)) {
      throw py::type_error(name + ": expected a " + std::string(py::str(py::type::of<T>().attr("__name__"))) +
                           ", got " + shown(value));
    }
    return value.cast<T>();
  }
};

template <class T>
struct FromPython<std::vector<T>> {
  static constexpr const char* annotation = "collections.abc.Sequence";
  static std::vector<T> get(py::handle value, const std::string& name) {
    // Something with an order and a length: no set, no mapping, nothing that is used up.
    const bool ordered = PySequence_Check(value.ptr()) != 0 && PyObject_Size(value.ptr()) >= 0;
    PyErr_Clear();
    const py::object mapping = py::module_::import("collections.abc").attr("Mapping");
    if (!ordered || PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr()) ||
        PyByteArray_Check(value.ptr()) || py::isinstance(value, mapping)) {
      throw py::type_error(name + ": expected a sequence, got " + shown(value));
    }
    std::vector<T> items;
    for (const py::handle item : py::iter(value)) {
      items.push_back(FromPython<T>::get(item, name + "[" + std::to_string(items.size()) + "]"));
    }
    return items;
  }
};

template <class T>
struct FromPython<std::optional<T>> {
  static constexpr const char* annotation = FromPython<T>::annotation;
  static std::optional<T> get(py::handle value, const std::string& name) {
    if (value.is_none()) return std::nullopt;
    return FromPython<T>::get(value, name);
  }
};

template <class T, class V>
struct Field {
  const char* name;
  V T::* member;
  const char* doc;
  bool required;
};

template <class T, class V>
constexpr Field<T, V> required(const char* name, V T::* member, const char* doc) {
  return {name, member, doc, true};
}

template <class T, class V>
constexpr Field<T, V> optional(const char* name, V T::* member, const char* doc) {
  return {name, member, doc, false};
}

template <class V>
struct IsOptional : std::false_type {};
template <class V>
struct IsOptional<std::optional<V>> : std::true_type {};

/// `value` in plain Python: records become their dictionaries, lists lists.
inline py::object to_plain(const py::handle& value) {
  if (py::hasattr(value, "to_dict")) return value.attr("to_dict")();
  if (py::isinstance<py::list>(value)) {
    py::list plain;
    for (const py::handle item : value) plain.append(to_plain(item));
    return plain;
  }
  return py::reinterpret_borrow<py::object>(value);
}

/// Builds a T from keywords; `type_name` and the fields give the messages.
template <class T, class... F>
T from_keywords(const char* type_name, const py::dict& keywords, const F&... fields) {
  T value{};
  std::size_t used = 0;
  const auto take = [&](const auto& field) {
    using V = std::remove_reference_t<decltype(value.*(field.member))>;
    if (!keywords.contains(field.name)) {
      if (field.required)
        throw py::type_error(std::string(type_name) + ": missing required key '" + field.name + "'");
      return;
    }
    ++used;
    value.*(field.member) = FromPython<V>::get(keywords[field.name], field.name);
  };
  (take(fields), ...);
  if (used != keywords.size()) {
    for (const auto& [key, _] : keywords) {
      if (!((PyUnicode_CompareWithASCIIString(key.ptr(), fields.name) == 0) || ...))
        throw py::type_error(std::string(type_name) + ": unknown key " + shown(key));
    }
  }
  validate(value, "");
  return value;
}

template <class T, class... F>
std::string init_signature(const F&... fields) {
  std::string text = "__init__(self, *";
  const auto add = [&](const auto& field, bool want_required) {
    if (field.required != want_required) return;
    using V = std::remove_reference_t<decltype(std::declval<T&>().*(field.member))>;
    text += std::string(", ") + field.name + ": " + FromPython<V>::annotation;
    if constexpr (IsOptional<V>::value) text += " | None";
    if (!field.required) text += " = ...";
  };
  (add(fields, true), ...);
  (add(fields, false), ...);
  return text + ") -> None";
}

/// Registers T. `validate(const T&, std::string_view where)` is found by its argument.
template <class T, class... F>
py::class_<T> record(py::module_& module, const char* name, const char* doc, F... fields) {
  py::options options;
  options.disable_function_signatures();
  py::class_<T> type(module, name, doc);
  type.def(py::init([=](const py::kwargs& keywords) { return from_keywords<T>(name, keywords, fields...); }),
           init_signature<T>(fields...).c_str());
  const auto property = [&](const auto& field) {
    using V = std::remove_reference_t<decltype(std::declval<T&>().*(field.member))>;
    std::string annotated = std::string(field.name) + "(self) -> " + FromPython<V>::annotation;
    if constexpr (IsOptional<V>::value) annotated += " | None";
    type.def_property_readonly(
        field.name,
        py::cpp_function([member = field.member](const T& self) { return self.*member; }, annotated.c_str()),
        field.doc);
  };
  (property(fields), ...);

  const auto keywords_of = [=](const T& self) {
    py::dict keywords;
    ((keywords[fields.name] = py::cast(self.*(fields.member))), ...);
    return keywords;
  };
  type.def(
      "to_dict",
      [=](const T& self) {
        py::dict plain;
        for (const auto& [key, value] : keywords_of(self)) plain[key] = to_plain(value);
        return plain;
      },
      "to_dict(self) -> dict\n\nThe fields as plain Python values, as in the file formats.");
  type.def(
      "replace",
      [=](const T& self, const py::kwargs& changes) {
        py::dict keywords = keywords_of(self);
        for (const auto& [key, value] : changes) keywords[key] = value;
        return from_keywords<T>(name, keywords, fields...);
      },
      "replace(self, **changes: typing.Any) -> typing.Self\n\nA copy with some fields changed.");
  type.def(
      "__repr__",
      [=](const T& self) {
        std::string text = std::string(name) + "(";
        for (const auto& [key, value] : keywords_of(self)) {
          if (value.is_none()) continue;
          if (text.back() != '(') text += ", ";
          text += std::string(py::str(key)) + "=" + shown(value, 120);
        }
        return text + ")";
      },
      "__repr__(self) -> str");
  type.def(
      "__eq__",
      [](const T& self, const py::object& other) {
        return py::isinstance<T>(other) && self == other.cast<const T&>();
      },
      "__eq__(self, other: object) -> bool");
  py::list required_keys, optional_keys;
  ((fields.required ? required_keys : optional_keys).append(fields.name), ...);
  type.attr("required_keys") = py::tuple(required_keys);
  type.attr("optional_keys") = py::tuple(optional_keys);
  type.attr("__hash__") = py::none();  // equal by value, and values hold lists
  type.def(py::pickle([=](const T& self) { return keywords_of(self); },
                      [=](const py::dict& state) { return from_keywords<T>(name, state, fields...); }));
  return type;
}

/// A path into a nested value, put before the message of whatever goes wrong inside.
template <class Call>
auto at_path(const std::string& path, Call call) {
  try {
    return call();
  } catch (const core::InvalidInput& error) {
    throw core::InvalidInput(path + error.what());
  }
}

}  // namespace constellm::bindings
