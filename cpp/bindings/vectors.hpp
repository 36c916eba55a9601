#pragma once
#include <Eigen/Core>
#include <span>
#include <string>
#include <vector>

#include "columns.hpp"
#include "gil.hpp"

// Arrays of vectors (..., 3) and of numbers over the same leading dimensions, as orbits have them.
namespace constellm::bindings {

using Doubles = py::array_t<double, py::array::c_style>;
using Shape = std::vector<py::ssize_t>;

/// Numbers of any shape, row-major, copied only where they are not so already.
inline Doubles doubles(const py::object& value, const char* name) {
  const py::array array = numbers(value, name, "iuf", "numbers");
  return py::array_t<double, py::array::c_style | py::array::forcecast>(array);
}

inline Shape shape_of(const py::array& array) { return {array.shape(), array.shape() + array.ndim()}; }

/// Vectors (..., 3).
class Vectors {
 public:
  Vectors(const py::object& value, const char* name) : array_(doubles(value, name)), data_(array_.data()) {
    if (array_.ndim() == 0 || array_.shape(array_.ndim() - 1) != 3)
      throw core::InvalidInput(std::string(name) + ": expected shape (..., 3), got shape " +
                               shape_text(array_));
  }
  /// Of the same shape as others; `like` names those.
  Vectors(const py::object& value, const char* name, const Vectors& others, const char* like)
      : Vectors(value, name) {
    if (shape_of(array_) != shape_of(others.array_)) {
      throw core::InvalidInput(std::string(name) + ": shape " + shape_text(array_) + " beside " + like +
                               " of shape " + shape_text(others.array_));
    }
  }

  [[nodiscard]] py::ssize_t count() const { return array_.size() / 3; }
  [[nodiscard]] Eigen::Vector3d operator[](py::ssize_t i) const {
    return Eigen::Map<const Eigen::Vector3d>(data_ + 3 * i);
  }
  /// With the last dimension, and without it.
  [[nodiscard]] Shape shape() const { return shape_of(array_); }
  [[nodiscard]] Shape leading() const { return {array_.shape(), array_.shape() + array_.ndim() - 1}; }

 private:
  Doubles array_;
  const double* data_;
};

/// New vectors, or new numbers.
class Made {
 public:
  explicit Made(const Shape& shape) : array_(shape), data_(array_.mutable_data()) {}
  double& operator[](py::ssize_t i) { return data_[i]; }
  void set(py::ssize_t i, const Eigen::Vector3d& vector) {
    Eigen::Map<Eigen::Vector3d>(data_ + 3 * i) = vector;
  }
  [[nodiscard]] std::span<double> values() { return {data_, static_cast<std::size_t>(array_.size())}; }
  [[nodiscard]] py::array array() const { return array_; }

 private:
  Doubles array_;
  double* data_;
};

/// `call(i)` for every i below `count`, without the GIL.
template <class Call>
void each(py::ssize_t count, Call call) {
  const GilReleased no_gil;
  for (py::ssize_t i = 0; i < count; ++i) call(i);
}

}  // namespace constellm::bindings
