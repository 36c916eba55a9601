#pragma once
#include "constellm/search/solver.hpp"
#include "pybind.hpp"

namespace constellm::bindings {

/// True once when Ctrl-C was pressed. The solver then ends and returns what it has, so the
/// KeyboardInterrupt is not raised.
inline bool interrupted() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() == 0) return false;
  PyErr_Clear();
  return true;
}

/// The calling thread's memory for solvers.
inline search::Workspace& workspace() {
  thread_local search::Workspace w;
  return w;
}

}  // namespace constellm::bindings
