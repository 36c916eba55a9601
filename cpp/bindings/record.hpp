#pragma once
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "constellm/core/fields.hpp"
#include "field_info.hpp"
#include "kept.hpp"

// A record is a plain C++ struct shown to Python as an immutable value: keyword-only
// constructor, read-only properties, repr, ==, pickle, replace() and to_dict(), all made from
// its table of fields.
namespace constellm::bindings {

using core::optional;
using core::required;

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

/// The names of the fields as Python writes them.
template <class T, class... A>
Names names_of(const core::Record<T, A...>& table) {
  Names names;
  table.for_each([&](const auto& field) {
    if (field.kKept) names.push_back(python_name(field.name));
  });
  return names;
}

template <class T, class... A>
void refuse_unknown(const core::Record<T, A...>& table, const py::dict& keywords) {
  Names names;
  table.for_each([&](const auto& field) {
    if (field.kKept) names.emplace_back(field.name);
  });
  refuse_unknown(table.name, keywords, names, names_of(table));
}

/// `keywords` with each field under its own name, where Python writes it otherwise.
template <class T, class... A>
py::dict with_own_names(const core::Record<T, A...>& table, py::dict keywords) {
  table.for_each([&](const auto& field) {
    if (!is_reserved(field.name)) return;
    const py::str written(python_name(field.name));
    if (!keywords.contains(written)) return;
    if (keywords.contains(field.name))
      throw py::type_error(std::string(table.name) + ": '" + field.name + "' is given twice");
    keywords = py::reinterpret_steal<py::dict>(PyDict_Copy(keywords.ptr()));
    keywords[field.name] = keywords.attr("pop")(written);
  });
  return keywords;
}

/// Reads the fields of `value` from keywords; those named in `known` it has already.
template <class T, class... A>
void read_keywords(const core::Record<T, A...>& table, const py::dict& keywords, T& value,
                   const std::vector<std::string_view>& known = {}) {
  std::size_t used = 0;
  table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
    using V = typename core::Field<T, Access>::Value;
    if constexpr (core::Field<T, Access>::kKept) {
      if (!keywords.contains(field.name)) {
        if (!field.required || std::find(known.begin(), known.end(), field.name) != known.end()) return;
        refuse_unknown(table, keywords);  // rather a field's name with a slip than a field that is missing
        throw_missing(table.name, field.name);
      }
      ++used;
      field.set(value, FromPython<V>::get(keywords[field.name], field.name));
    }
  });
  if (used != keywords.size()) refuse_unknown(table, keywords);
}

/// Builds a T from keywords. What `validate(const T&, std::string_view where)` adds to the ranges of the
/// table is found by its argument.
template <class T, class... A>
T from_keywords(const core::Record<T, A...>& table, const py::dict& keywords) {
  T value{};
  read_keywords(table, with_own_names(table, keywords), value);
  if constexpr (requires { validate(value, ""); })
    validate(value, "");
  else
    core::check_ranges(table, value, "");
  return value;
}

template <class T, class... A>
py::dict keywords_of(const core::Record<T, A...>& table, const T& value) {
  py::dict keywords;
  table.for_each([&](const auto& field) {
    if (field.kKept) keywords[field.name] = to_python(field.of(value));
  });
  return keywords;
}

/// Of what need not be written: no value, an empty list, a number that is not finite.
inline bool is_none(const py::object& value) {
  if (py::isinstance<py::float_>(value)) return !std::isfinite(value.cast<double>());
  return value.is_none() || (py::isinstance<py::list>(value) && py::len(value) == 0);
}

/// `keywords` as files hold them: the fields of a section in an object of its name.
template <class T, class... A>
py::dict plain_of(const core::Record<T, A...>& table, const T& value) {
  py::dict plain;
  table.for_each([&](const auto& field) {
    if (!field.in_files) return;
    const py::object item = to_plain(to_python(field.of(value)));
    if (!field.always_written && is_none(item)) return;
    if (*field.section == '\0') {
      plain[field.name] = item;
      return;
    }
    if (!plain.contains(field.section)) plain[field.section] = py::dict();
    plain[field.section][field.name] = item;
  });
  return plain;
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
  py::object initial = py::none();
  if constexpr (std::is_default_constructible_v<T>) {
    if (!field.required) initial = to_python(field.of(T{}));
  }
  return {.name = field.name,
          .type = Annotation<typename core::Field<T, Access>::Value>::in(),
          .doc = field.doc,
          .unit = field.unit,
          .range = is_number ? field.range.text : "",
          .section = field.section,
          .required = field.required,
          .required_in_files = field.required || field.said_in_files,
          .in_files = field.in_files,
          .always_written = field.always_written,
          .initial = std::move(initial)};
}

template <class T, class... A>
Infos infos_of(const core::Record<T, A...>& table) {
  Infos infos;
  table.for_each([&](const auto& field) { infos.push_back(info_of(field)); });
  return infos;
}

/// Whether Python gets the same object at every access.
template <class V>
inline constexpr bool kIsDear = std::is_class_v<V> && !requires { FromPython<V>::annotation; };
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
  table.for_each([&]<class Access>(const core::Field<T, Access>& field) {
    using V = typename core::Field<T, Access>::Value;
    const std::string annotated = python_name(field.name) + "(self) -> " + Annotation<V>::out();
    const std::string doc = doc_of(field.doc, field.unit);
    const auto get = [field, of](const py::object& self) {
      const auto read = [&] { return to_python(field.of(of(self.cast<const Bound&>()))); };
      if constexpr (kIsDear<V>)
        return kept<Bound>(self).once(field.name, read);
      else
        return read();
    };
    const py::cpp_function found(get, annotated.c_str());
    type.def_property_readonly(field.name, found, doc.c_str());
    if (is_reserved(field.name))
      type.def_property_readonly(python_name(field.name).c_str(), found, doc.c_str());
  });
  type.attr("fields") = py::tuple(py::cast(infos_of(table)));
}

struct Unseen {
  void operator()(const auto&) const {}
};

/// Registers T with all that its table says. `made` sees every value that a user makes.
template <class T, class... A, class Made = Unseen>
py::class_<T, Kept<T>> record(py::module_& module, const core::Record<T, A...>& table, Made made = {}) {
  py::options options;
  options.disable_function_signatures();
  const Infos infos = infos_of(table);
  py::class_<T, Kept<T>> type(module, table.name, class_doc(table.doc, infos, table.example).c_str());
  type.def(py::init([table, made](const py::args& args, const py::kwargs& keywords) {
             refuse_positions(table.name, names_of(table), 0, args);
             T value = from_keywords(table, keywords);
             made(value);
             return value;
           }),
           init_signature(infos).c_str());
  type.attr("__signature__") = signature_of(infos);
  bind_fields(type, table, [](const T& value) -> const T& { return value; });
  type.def(
      "to_dict", [table](const T& self) { return plain_of(table, self); },
      "to_dict(self) -> dict\n\nThe fields as plain Python values, as in the file formats.");
  type.def(
      "replace",
      [table, made](const T& self, const py::args& args, const py::kwargs& changes) {
        refuse_positions(std::string(table.name) + ".replace", names_of(table), 0, args);
        py::dict keywords = keywords_of(table, self);
        for (const auto& [key, value] : with_own_names(table, changes)) keywords[key] = value;
        T value = from_keywords(table, keywords);
        made(value);
        return value;
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
