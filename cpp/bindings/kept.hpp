#pragma once
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "pybind.hpp"

namespace constellm::bindings {

/// Holder of a value, with what Python has seen of it: what is dear to make is made at first access, once.
template <class T>
class Kept {
 public:
  explicit Kept(T* value) : value_(value) {}
  T* get() const { return value_.get(); }

  /// What `make()` gave the first time; `name` is of static storage.
  template <class Make>
  py::object once(const char* name, Make make) {
    for (const auto& [known, object] : made_) {
      if (std::strcmp(known, name) == 0) return object;
    }
    made_.emplace_back(name, make());
    return made_.back().second;
  }

 private:
  std::unique_ptr<T> value_;
  std::vector<std::pair<const char*, py::object>> made_;
};

/// The holder of `self`, which must be a T.
template <class T>
Kept<T>& kept(const py::handle& self) {
  (void)self.cast<const T&>();  // throws for another type
  auto* instance = reinterpret_cast<py::detail::instance*>(self.ptr());
  return instance->get_value_and_holder(py::detail::get_type_info(typeid(T))).template holder<Kept<T>>();
}

}  // namespace constellm::bindings

PYBIND11_DECLARE_HOLDER_TYPE(T, constellm::bindings::Kept<T>)
