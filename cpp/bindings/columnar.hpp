#pragma once
#include <memory>
#include <string>
#include <type_traits>

#include "columns.hpp"
#include "constellm/network/graph.hpp"

// Common to graphs, snapshots and timelines: values that show their columns as views.
namespace constellm::bindings {

inline constexpr const char* kArray = "numpy.typing.ArrayLike";

/// A property that shows a column of T without a copy.
template <class T, class Column>
void column(py::class_<T>& type, const std::string& name, Column of, const std::string& doc) {
  using Item = typename std::remove_cvref_t<std::invoke_result_t<Column, const T&>>::value_type;
  const std::string item = std::is_same_v<Item, double> ? "float64" : "int32";
  const std::string annotated = name + "(self) -> numpy.typing.NDArray[numpy." + item + "]";
  const auto getter = [of](const py::object& self) { return view(of(self.cast<const T&>()), self); };
  type.def_property_readonly(name.c_str(), py::cpp_function(getter, annotated.c_str()), doc.c_str());
}

template <class Type, class Getter>
void property(Type& type, const char* name, const char* annotated, Getter getter, const std::string& doc) {
  type.def_property_readonly(name, py::cpp_function(getter, annotated), doc.c_str());
}

template <class T, class Type>
void equality(Type& type) {
  type.def(
      "__eq__",
      [](const T& self, const py::object& other) {
        return py::isinstance<T>(other) && self == other.cast<const T&>();
      },
      "__eq__(self, other: object) -> bool");
  type.attr("__hash__") = py::none();  // equal by value
}

/// Where `at` lies in a sequence of `size`, from its end if negative; IndexError names `what`.
inline std::size_t place(const py::object& at, std::size_t size, const std::string& what) {
  const std::int64_t i = FromPython<std::int64_t>::get(at, what);
  const auto count = static_cast<std::int64_t>(size);
  if (i < -count || i >= count) {
    throw py::index_error(what + " " + std::to_string(i) + " is not in [" + std::to_string(-count) + ", " +
                          std::to_string(count) + ")");
  }
  return static_cast<std::size_t>(i < 0 ? i + count : i);
}

/// The class of a value with the fields `fields`, the first `positional` of which need no keyword. `make` has
/// a T of all arguments by name; `keywords_of` is the way back.
template <class T>
py::class_<T> columnar(py::module_& m, const char* name, const char* sentence, const char* example,
                       const Infos& fields, std::size_t positional, T (*make)(const py::dict&),
                       py::dict (*keywords_of)(const py::object&)) {
  py::class_<T> type(m, name, class_doc(sentence, fields, example).c_str());
  const auto made = [=](const py::args& args, const py::dict& keywords) {
    return make(bound(name, fields, positional, args, keywords));
  };
  type.def(
      py::init([made](const py::args& args, const py::kwargs& keywords) { return made(args, keywords); }),
      init_signature(fields, positional).c_str());
  type.attr("__signature__") = signature_of(fields, positional);
  type.attr("fields") = py::tuple(py::cast(fields));
  equality<T>(type);
  type.def(py::pickle([keywords_of](const py::object& self)
                          -> py::object { return py::make_tuple(kPickleVersion, keywords_of(self)); },
                      [name, made](const py::object& state) { return made({}, state_of(name, state)); }));
  return type;
}

/// `keywords` with some of them changed, as the arguments of `replace` say.
inline py::dict changed(const char* type, const py::dict& keywords, const py::args& args,
                        const py::dict& changes) {
  Names names;
  for (const auto& [key, _] : keywords) names.push_back(key.cast<std::string>());
  refuse_positions(std::string(type) + ".replace", names, 0, args);
  refuse_unknown(type, changes, names, names);
  for (const auto& [key, value] : changes) keywords[key] = value;
  return keywords;
}

/// A method of T with the arguments `names`, given in order or by name: refused as a constructor's are.
template <class T, class Type, class Call>
void method(Type& type, const char* name, const Names& names, Call call, const char* doc) {
  const std::string what = py::str(type.attr("__name__")).template cast<std::string>() + "." + name;
  Infos fields;
  for (const std::string& argument : names) fields.push_back({.name = argument, .type = ""});
  type.def(
      name,
      [=](const T& self, const py::args& args, const py::kwargs& keywords) {
        return call(self, bound(what, fields, fields.size(), args, keywords));
      },
      doc);
}

using NodesHolder = std::shared_ptr<network::NodeTable>;

/// Nodes that are there are shared; others are made of values and ids.
NodesHolder nodes_from(const py::object& value);

std::string text_of(const network::Graph& graph);

}  // namespace constellm::bindings
