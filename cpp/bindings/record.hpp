#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "constellm/core/fields.hpp"
#include "from_python.hpp"
#include "kept.hpp"

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
  std::string section;
  bool required = true;
  bool required_in_files = true;
  py::object initial;  ///< where it is not given; None for a required field
};

/// `value` in plain Python: records become their dictionaries, lists lists.
inline py::object to_plain(const py::handle& value) {
  if (py::hasattr(value, "to_dict")) return value.attr("to_dict")();
  if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
    py::list plain;
    for (const py::handle item : value) plain.append(to_plain(item));
    return plain;
  }
  return py::reinterpret_borrow<py::object>(value);
}

/// Complains of the first keyword that is no field.
template <class T, class... A>
void refuse_unknown(const core::Record<T, A...>& table, const py::dict& keywords) {
  for (const auto& [key, _] : keywords) {
    bool is_field = false;
    table.for_each([&, key = key](const auto& field) {
      is_field = is_field || PyUnicode_CompareWithASCIIString(key.ptr(), field.name) == 0;
    });
    if (!is_field) throw py::type_error(std::string(table.name) + ": unknown key " + shown(key));
  }
}

/// Reads the fields of `value` from keywords; those named in `known` it has already.
template <class T, class... A>
void read_keywords(const core::Record<T, A...>& table, const py::dict& keywords, T& value,
                   const std::vector<std::string_view>& known = {}) {
  std::size_t used = 0;
  table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
    using V = typename core::Field<T, Access>::Value;
    if (!keywords.contains(field.name)) {
      if (!field.required || std::find(known.begin(), known.end(), field.name) != known.end()) return;
      refuse_unknown(table, keywords);  // rather a field's name with a slip than a field that is missing
      throw py::type_error(std::string(table.name) + ": missing required key '" + field.name + "'");
    }
    ++used;
    field.of(value) = FromPython<V>::get(keywords[field.name], field.name);
  });
  if (used != keywords.size()) refuse_unknown(table, keywords);
}

/// Builds a T from keywords. What `validate(const T&, std::string_view where)` adds to the ranges of the
/// table is found by its argument.
template <class T, class... A>
T from_keywords(const core::Record<T, A...>& table, const py::dict& keywords) {
  T value{};
  read_keywords(table, keywords, value);
  if constexpr (requires { validate(value, ""); })
    validate(value, "");
  else
    core::check_ranges(table, value, "");
  return value;
}

template <class T, class... A>
py::dict keywords_of(const core::Record<T, A...>& table, const T& value) {
  py::dict keywords;
  table.for_each([&](const auto& field) { keywords[field.name] = to_python(field.of(value)); });
  return keywords;
}

/// `keywords` as files hold them: the fields of a section in an object of its name.
template <class T, class... A>
py::dict plain_of(const core::Record<T, A...>& table, const T& value) {
  py::dict plain;
  table.for_each([&](const auto& field) {
    const py::object item = to_plain(to_python(field.of(value)));
    if (!field.always_written && item.is_none()) return;
    if (*field.section == '\0') {
      plain[field.name] = item;
      return;
    }
    if (!plain.contains(field.section)) plain[field.section] = py::dict();
    plain[field.section][field.name] = item;
  });
  return plain;
}

template <class T, class... A>
std::string init_signature(const core::Record<T, A...>& table) {
  std::string text = "__init__(self, *";
  for (const bool required : {true, false}) {
    table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
      if (field.required != required) return;
      text += std::string(", ") + field.name + ": " +
              Annotation<typename core::Field<T, Access>::Value>::in() + (required ? "" : " = ...");
    });
  }
  return text + ") -> None";
}

inline std::string doc_of(const char* doc, const char* unit) {
  return *unit == '\0' ? std::string(doc) : std::string(doc) + (*doc == '\0' ? "[" : " [") + unit + "]";
}

template <class V>
struct Inside {  ///< of an optional value, what it may hold
  using Type = V;
};
template <class V>
struct Inside<std::optional<V>> {
  using Type = V;
};

template <class T, class Access>
FieldInfo info_of(const core::Field<T, Access>& field) {
  constexpr bool is_number =
      core::detail::Checked<typename Inside<typename core::Field<T, Access>::Value>::Type>;
  return {.name = field.name,
          .doc = field.doc,
          .unit = field.unit,
          .range = is_number ? field.range.text : "",
          .section = field.section,
          .required = field.required,
          .required_in_files = field.required || field.said_in_files,
          .initial = field.required ? py::object(py::none()) : to_python(field.of(T{}))};
}

/// Whether Python gets the same object at every access.
template <class V>
inline constexpr bool kIsDear = std::is_class_v<V> && !std::is_same_v<V, std::string>;
template <class V>
inline constexpr bool kIsDear<std::optional<V>> = false;
template <class V>
inline constexpr bool kIsDear<std::vector<V>> = std::is_class_v<V> && !std::is_same_v<V, std::string>;

template <class T>
void def_equality(py::class_<T, Kept<T>>& type) {
  type.def(
      "__eq__",
      [](const T& self, const py::object& other) {
        return py::isinstance<T>(other) && self == other.cast<const T&>();
      },
      "__eq__(self, other: object) -> bool");
  type.attr("__hash__") = py::none();  // equal by value, and values hold lists
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

/// The class of a record. `Bound` is what it is in C++, a T or something that holds one, found by `of`.
template <class T, class... A, class Bound, class Of>
void bind_fields(py::class_<Bound, Kept<Bound>>& type, const core::Record<T, A...>& table, Of of) {
  py::list infos;
  table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
    using V = typename core::Field<T, Access>::Value;
    const std::string annotated = std::string(field.name) + "(self) -> " + Annotation<V>::out();
    const std::string doc = doc_of(field.doc, field.unit);
    const auto get = [field, of](const py::object& self) {
      const auto read = [&] { return to_python(field.of(of(self.cast<const Bound&>()))); };
      if constexpr (kIsDear<V>)
        return kept<Bound>(self).once(field.name, read);
      else
        return read();
    };
    type.def_property_readonly(field.name, py::cpp_function(get, annotated.c_str()), doc.c_str());
    infos.append(info_of(field));
  });
  type.attr("fields") = py::tuple(infos);
}

/// Values given without a keyword are refused, with the form that is meant.
inline void refuse_positions(const char* type, const char* first_field, const py::args& args) {
  if (args.empty()) return;
  throw py::type_error(std::string(type) + ": fields are given by keyword, as in " + type + "(" +
                       first_field + "=" + shown(args[0]) + ")");
}

/// Registers T with all that its table says.
template <class T, class... A>
py::class_<T, Kept<T>> record(py::module_& module, const core::Record<T, A...>& table) {
  py::options options;
  options.disable_function_signatures();
  py::class_<T, Kept<T>> type(module, table.name, table.doc);
  type.def(py::init([table](const py::args& args, const py::kwargs& keywords) {
             refuse_positions(table.name, std::get<0>(table.fields).name, args);
             return from_keywords(table, keywords);
           }),
           init_signature(table).c_str());
  bind_fields(type, table, [](const T& value) -> const T& { return value; });
  type.def(
      "to_dict", [table](const T& self) { return plain_of(table, self); },
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
          text += std::string(py::str(key)) + "=" + shown(value, 120, "...");
        }
        return text + ")";
      },
      "__repr__(self) -> str");
  def_equality<T>(type);
  type.def(py::pickle(
      [table](const T& self) { return py::make_tuple(kPickleVersion, keywords_of(table, self)); },
      [table](const py::object& state) { return from_keywords(table, state_of(table.name, state)); }));
  return type;
}

template <core::Described T>
py::class_<T, Kept<T>> record(py::module_& module) {
  return record(module, core::fields_of<T>());
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
