#pragma once
#include "pybind.hpp"

namespace constellm::bindings {

/// True once when Ctrl-C was pressed. What runs then ends and returns what it has, so the
/// KeyboardInterrupt is not raised.
inline bool interrupted() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() == 0) return false;
  PyErr_Clear();
  return true;
}

}  // namespace constellm::bindings
