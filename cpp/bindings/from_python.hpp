#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "constellm/core/error.hpp"
#include "pybind.hpp"

namespace constellm::bindings {

/// The start of `repr(value)`, and `more` where it goes on, for messages; of an integer too long for that,
/// its type.
inline std::string shown(const py::handle& value, py::ssize_t most = 60, const char* more = "…") {
  const auto text = py::reinterpret_steal<py::object>(PyObject_Repr(value.ptr()));
  if (!text) {
    PyErr_Clear();
    return "a value of type " + std::string(Py_TYPE(value.ptr())->tp_name);
  }
  const bool cut = PyUnicode_GET_LENGTH(text.ptr()) > most;
  const auto start = py::reinterpret_steal<py::object>(PyUnicode_Substring(text.ptr(), 0, most));
  // backslashreplace: a repr of one's own may hold what is no Unicode.
  return std::string(py::bytes(start.attr("encode")("utf-8", "backslashreplace"))) + (cut ? more : "");
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

/// An enumeration is a word in Python: `words(E)`, found by its argument, names the values in their order.
template <class E>
  requires std::is_enum_v<E>
struct FromPython<E> {
  static constexpr const char* annotation = "str";
  static E get(py::handle value, const std::string& name) {
    const std::string word = FromPython<std::string>::get(value, name);
    const auto known = words(E{});
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (word == known[i]) return static_cast<E>(i);
    }
    std::string listed;
    for (const auto& one : known) listed += (listed.empty() ? "'" : ", '") + std::string(one) + "'";
    throw core::InvalidInput(name + ": '" + word + "' is not one of " + listed);
  }
};

template <class T>
  requires std::is_class_v<T>
struct FromPython<T> {
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
  static std::optional<T> get(py::handle value, const std::string& name) {
    if (value.is_none()) return std::nullopt;
    return FromPython<T>::get(value, name);
  }
};

/// One of several records.
template <class... Ts>
struct FromPython<std::variant<Ts...>> {
  static std::variant<Ts...> get(py::handle value, const std::string& name) {
    std::optional<std::variant<Ts...>> found;
    const auto take = [&]<class T>(const T*) {
      if (!found && py::isinstance<T>(value)) found = value.cast<T>();
    };
    (take(static_cast<const Ts*>(nullptr)), ...);
    if (found) return *found;
    std::string known;
    for (const py::type& type : {py::type::of<Ts>()...})
      known += (known.empty() ? "" : " or ") + std::string(py::str(type.attr("__name__")));
    throw py::type_error(name + ": expected " + known + ", got " + shown(value));
  }
  static py::object back(const std::variant<Ts...>& value) {
    return std::visit([](const auto& one) { return py::cast(one); }, value);
  }
};

/// The way back. A list of records comes as a tuple: what Python holds is as fixed as the record itself.
template <class V>
py::object to_python(const V& value) {
  if constexpr (std::is_enum_v<V>)
    return py::cast(words(value)[static_cast<std::size_t>(value)]);
  else if constexpr (requires { FromPython<V>::back(value); })
    return FromPython<V>::back(value);
  else
    return py::cast(value);
}

template <class T>
py::object to_python(const std::vector<T>& values) {
  py::list items = py::cast(values);
  if constexpr (std::is_class_v<T> && !std::is_same_v<T, std::string>)
    return py::tuple(items);
  else
    return items;
}

template <class T>
py::object to_python(const std::optional<T>& value) {
  return value ? to_python(*value) : py::none();
}

template <class V>
struct Annotation {  ///< how types are written: of what is taken, and of what is given back
  static std::string in() {
    if constexpr (requires { FromPython<V>::annotation; })
      return FromPython<V>::annotation;
    else
      return std::string(py::str(py::type::of<V>().attr("__module__"))) + "." +
             std::string(py::str(py::type::of<V>().attr("__name__")));
  }
  static std::string out() { return in(); }
};
template <class T>
struct Annotation<std::vector<T>> {
  static std::string in() { return "collections.abc.Sequence[" + Annotation<T>::in() + "]"; }
  static std::string out() {
    const bool records = std::is_class_v<T> && !std::is_same_v<T, std::string>;
    return records ? "tuple[" + Annotation<T>::out() + ", ...]" : "list[" + Annotation<T>::out() + "]";
  }
};
template <class... Ts>
struct Annotation<std::variant<Ts...>> {
  static std::string in() {
    std::string text;
    ((text += (text.empty() ? "" : " | ") + Annotation<Ts>::in()), ...);
    return text;
  }
  static std::string out() { return in(); }
};
template <class T>
struct Annotation<std::optional<T>> {
  static std::string in() { return Annotation<T>::in() + " | None"; }
  static std::string out() { return Annotation<T>::out() + " | None"; }
};

}  // namespace constellm::bindings
