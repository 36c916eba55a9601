#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "constellm/core/error.hpp"
#include "record.hpp"

// Arrays at the border: columns of C++ as read-only views, columns from Python without silent narrowing.
namespace constellm::bindings {

/// `values`, which lie in `owner`, as an array that keeps it alive and cannot be written.
template <class T>
py::array view(const std::vector<T>& values, const py::handle& owner) {
  py::array_t<T> array({static_cast<py::ssize_t>(values.size())}, {static_cast<py::ssize_t>(sizeof(T))},
                       values.data(), owner);
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

/// `values` as an array that takes their memory over.
template <class T>
py::array moved(std::vector<T>&& values, std::vector<py::ssize_t> shape) {
  auto* kept = new std::vector<T>(std::move(values));
  const py::capsule owner(kept, [](void* memory) { delete static_cast<std::vector<T>*>(memory); });
  return py::array_t<T>(std::move(shape), kept->data(), owner);
}

/// What numpy makes of a value; anything but numbers of these kinds of its is refused.
inline py::array numbers(const py::object& value, const char* name, const char* kinds, const char* wanted) {
  const py::array array = py::module_::import("numpy").attr("asarray")(value);
  const char kind = array.dtype().kind();
  if (array.size() > 0 && std::string(kinds).find(kind) == std::string::npos) {
    throw py::type_error(std::string(name) + ": expected " + wanted + ", got " + shown(value));
  }
  return array;
}

inline std::string shape_text(const py::array& array) {
  return std::string(py::str(py::object(array.attr("shape"))));
}

/// One figure for each of `count` items, from a scalar or an array of them.
inline std::vector<double> figures(const py::object& value, const char* name, std::size_t count) {
  const py::array array = numbers(value, name, "iuf", "numbers");
  if (array.ndim() == 0) return std::vector<double>(count, array.attr("item")().cast<double>());
  if (array.ndim() != 1 || static_cast<std::size_t>(array.size()) != count) {
    throw core::InvalidInput(std::string(name) + ": expected a scalar or shape (" + std::to_string(count) +
                             ",), got shape " + shape_text(array));
  }
  const auto values = py::array_t<double, py::array::c_style | py::array::forcecast>(array);
  return {values.data(), values.data() + values.size()};
}

/// Positions of nodes below `count`, from an array of integers.
inline std::vector<std::int32_t> positions(const py::object& value, const char* name, std::size_t count) {
  const py::array array = numbers(value, name, "iu", "integers");
  if (array.ndim() != 1) {
    throw core::InvalidInput(std::string(name) + ": expected one dimension, got shape " + shape_text(array));
  }
  const auto values = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(array);
  std::vector<std::int32_t> result;
  result.reserve(static_cast<std::size_t>(values.size()));
  for (py::ssize_t i = 0; i < values.size(); ++i) {
    const std::int64_t position = values.at(i);
    if (position < 0 || static_cast<std::uint64_t>(position) >= count) {
      const auto given = std::string(py::str(py::object(array[py::int_(i)])));
      throw core::InvalidInput(std::string(name) + "[" + std::to_string(i) + "]: " + given +
                               " is not in [0, " + std::to_string(count) + ")");
    }
    result.push_back(static_cast<std::int32_t>(position));
  }
  return result;
}

}  // namespace constellm::bindings
