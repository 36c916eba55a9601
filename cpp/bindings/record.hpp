#pragma once
#include <string>
#include <type_traits>
#include <utility>

#include "constellm/core/fields.hpp"
#include "from_python.hpp"

// A record is a plain C++ struct shown to Python as an immutable value: keyword-only
// constructor, read-only properties, repr, ==, pickle, replace() and to_dict(), all made from
// its table of fields.
namespace constellm::bindings {

using core::optional;
using core::required;

/// A line of a table of fields as Python reads it.
struct FieldInfo {
  std::string name;
  std::string doc;
  std::string unit;
  std::string range;
  bool required = true;
  py::object initial;  ///< where it is not given; None for a required field
};

template <class V>
struct IsOptional : std::false_type {};
template <class V>
struct IsOptional<std::optional<V>> : std::true_type {};

template <class V>
std::string annotation_of() {
  return std::string(FromPython<V>::annotation) + (IsOptional<V>::value ? " | None" : "");
}

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

/// Builds a T from keywords; the table gives the messages.
template <class T, class... A>
T from_keywords(const core::Record<T, A...>& table, const py::dict& keywords) {
  T value{};
  std::size_t used = 0;
  table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
    using V = typename core::Field<T, Access>::Value;
    if (!keywords.contains(field.name)) {
      if (!field.required) return;
      throw py::type_error(std::string(table.name) + ": missing required key '" + field.name + "'");
    }
    ++used;
    field.of(value) = FromPython<V>::get(keywords[field.name], field.name);
  });
  if (used != keywords.size()) {
    for (const auto& [key, _] : keywords) {
      bool known = false;
      table.for_each([&, key = key](const auto& field) {
        known = known || PyUnicode_CompareWithASCIIString(key.ptr(), field.name) == 0;
      });
      if (!known) throw py::type_error(std::string(table.name) + ": unknown key " + shown(key));
    }
  }
  validate(value, "");
  return value;
}

template <class T, class... A>
py::dict keywords_of(const core::Record<T, A...>& table, const T& value) {
  py::dict keywords;
  table.for_each([&](const auto& field) { keywords[field.name] = to_python(field.of(value)); });
  return keywords;
}

template <class T, class... A>
std::string init_signature(const core::Record<T, A...>& table) {
  std::string text = "__init__(self, *";
  for (const bool required : {true, false}) {
    table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
      if (field.required != required) return;
      text += std::string(", ") + field.name + ": " +
              annotation_of<typename core::Field<T, Access>::Value>() + (required ? "" : " = ...");
    });
  }
  return text + ") -> None";
}

inline std::string doc_of(const char* doc, const char* unit) {
  return *unit == '\0' ? std::string(doc) : std::string(doc) + (*doc == '\0' ? "[" : " [") + unit + "]";
}

/// The state of a pickle is (version, keywords). Of version 1, that of constellm 0.1.0, it was the keywords.
inline constexpr int kPickleVersion = 2;

inline py::dict state_of(const char* name, const py::object& state) {
  if (py::isinstance<py::dict>(state)) return state;
  if (!py::isinstance<py::tuple>(state) || py::len(state) != 2)
    throw py::value_error(std::string(name) + ": not the state of a pickle, " + shown(state));
  const auto parts = py::tuple(state);
  if (const auto version = parts[0].cast<int>(); version > kPickleVersion) {
    throw py::value_error(std::string(name) + ": a pickle of version " + std::to_string(version) +
                          ", of a newer constellm; this one reads versions up to " +
                          std::to_string(kPickleVersion));
  }
  return parts[1];
}

/// Registers T. `validate(const T&, std::string_view where)` is found by its argument.
template <class T, class... A>
py::class_<T> record(py::module_& module, const core::Record<T, A...>& table) {
  py::options options;
  options.disable_function_signatures();
  py::class_<T> type(module, table.name, table.doc);
  type.def(py::init([table](const py::kwargs& keywords) { return from_keywords(table, keywords); }),
           init_signature(table).c_str());
  py::list infos;
  table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
    using V = typename core::Field<T, Access>::Value;
    const std::string annotated = std::string(field.name) + "(self) -> " + annotation_of<V>();
    const std::string doc = doc_of(field.doc, field.unit);
    type.def_property_readonly(
        field.name,
        py::cpp_function([field](const T& self) { return to_python(field.of(self)); }, annotated.c_str()),
        doc.c_str());
    constexpr bool has_range =
        core::detail::Checked<V> || requires { requires core::detail::Checked<typename V::value_type>; };
    infos.append(FieldInfo{field.name, field.doc, field.unit, has_range ? field.range.text : "",
                           field.required,
                           field.required ? py::object(py::none()) : to_python(field.of(T{}))});
  });
  type.attr("fields") = py::tuple(infos);

  type.def(
      "to_dict",
      [table](const T& self) {
        py::dict plain;
        table.for_each([&](const auto& field) {
          const py::object value = to_plain(to_python(field.of(self)));
          if (field.always_written || !value.is_none()) plain[field.name] = value;
        });
        return plain;
      },
      "to_dict(self) -> dict\n\nThe fields as plain Python values, as in the file formats.");
  type.def(
      "replace",
      [table](const T& self, const py::kwargs& changes) {
        py::dict keywords = keywords_of(table, self);
        for (const auto& [key, value] : changes) keywords[key] = value;
        return from_keywords(table, keywords);
      },
      "replace(self, **changes: typing.Any) -> typing.Self\n\nA copy with some fields changed.");
  type.def(
      "__repr__",
      [table](const T& self) {
        std::string text = std::string(table.name) + "(";
        for (const auto& [key, value] : keywords_of(table, self)) {
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
  type.attr("__hash__") = py::none();  // equal by value, and values hold lists
  type.def(py::pickle(
      [table](const T& self) { return py::make_tuple(kPickleVersion, keywords_of(table, self)); },
      [table](const py::object& state) { return from_keywords(table, state_of(table.name, state)); }));
  return type;
}

template <core::Described T>
py::class_<T> record(py::module_& module) {
  return record(module, core::fields_of<T>());
}

/// The same for a T whose table stands in its binding.
template <class T, class... A>
py::class_<T> record(py::module_& module, const char* name, const char* doc, core::Field<T, A>... fields) {
  return record(module, core::record(name, doc, fields...));
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
