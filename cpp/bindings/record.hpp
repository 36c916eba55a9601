#pragma once
#include <cstdint>
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

/// From Python, without silent narrowing: no bool for a number, no float for a count.
template <class T>
struct FromPython;

template <>
struct FromPython<double> {
  static constexpr const char* annotation = "float";
  static double get(py::handle value, const std::string& name) {
    if (PyBool_Check(value.ptr()) || !(PyFloat_Check(value.ptr()) || PyNumber_Check(value.ptr())) ||
        PyUnicode_Check(value.ptr()) || PyComplex_Check(value.ptr()) || py::hasattr(value, "__len__")) {
      throw py::type_error(name + ": expected a number, got " +
                           std::string(py::str(py::type::of(value).attr("__name__"))));
    }
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      throw py::type_error(name + ": " + std::string(py::repr(value)).substr(0, 60) +
                           " is not a number that fits a double");
    }
    return number;
  }
};

template <>
struct FromPython<std::int64_t> {
  static constexpr const char* annotation = "int";
  static std::int64_t get(py::handle value, const std::string& name) {
    if (PyBool_Check(value.ptr()) || !PyIndex_Check(value.ptr()) || py::hasattr(value, "__len__")) {
      throw py::type_error(name + ": expected an integer, got " + std::string(py::repr(value)).substr(0, 60));
    }
    int overflow = 0;
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!index) throw py::error_already_set();
    const long long number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow != 0)
      throw py::value_error(name + ": " + std::string(py::repr(value)).substr(0, 60) +
                            " does not fit 64 bits");
    return number;
  }
};

template <>
struct FromPython<bool> {
  static constexpr const char* annotation = "bool";
  static bool get(py::handle value, const std::string& name) {
    if (!PyBool_Check(value.ptr())) {
      throw py::type_error(name + ": expected True or False, got " +
                           std::string(py::repr(value)).substr(0, 60));
    }
    return value.ptr() == Py_True;
  }
};

template <>
struct FromPython<std::string> {
  static constexpr const char* annotation = "str";
  static std::string get(py::handle value, const std::string& name) {
    if (!py::isinstance<py::str>(value)) {
      throw py::type_error(name + ": expected text, got " + std::string(py::repr(value)).substr(0, 60));
    }
    return value.cast<std::string>();
  }
};

template <class T>
  requires std::is_class_v<T>
struct FromPython<T> {
  static constexpr const char* annotation = "typing.Any";
  static T get(py::handle value, const std::string& name) {
    if (!py::isinstance<T>(value)) {
      throw py::type_error(name + ": expected a " + std::string(py::str(py::type::of<T>().attr("__name__"))) +
                           ", got " + std::string(py::repr(value)).substr(0, 60));
    }
    return value.cast<T>();
  }
};

template <class T>
struct FromPython<std::vector<T>> {
  static constexpr const char* annotation = "collections.abc.Sequence";
  static std::vector<T> get(py::handle value, const std::string& name) {
    if (py::isinstance<py::str>(value) || py::isinstance<py::dict>(value) ||
        !py::isinstance<py::iterable>(value)) {
      throw py::type_error(name + ": expected a sequence, got " + std::string(py::repr(value)).substr(0, 60));
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
      const std::string text = py::str(key);
      if (!((text == fields.name) || ...))
        throw py::type_error(std::string(type_name) + ": unknown key '" + text + "'");
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
          const std::string shown = py::repr(value);
          text += std::string(py::str(key)) + "=" + (shown.size() > 120 ? shown.substr(0, 100) + "…" : shown);
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
