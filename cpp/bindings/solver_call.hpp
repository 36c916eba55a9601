#pragma once
#include <optional>
#include <utility>

#include "constellm/search/solver.hpp"
#include "constellm/split/answer.hpp"
#include "gil.hpp"

namespace constellm::bindings {

/// True when a signal's Python handler has raised. Ctrl-C only ends the solver, which then returns
/// what it has; any other exception stays set and is raised then.
inline bool interrupted() {
  const GilTaken gil;
  if (PyErr_CheckSignals() == 0) return false;
  if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0) PyErr_Clear();
  return true;
}

/// The calling thread's memory for solvers. A signal handler may call a solver while one is
/// running in the same thread; it then gets memory of its own.
class WorkspaceLease {
 public:
  WorkspaceLease() : nested_(std::exchange(busy(), true)) {
    if (nested_) own_.emplace();
  }
  ~WorkspaceLease() {
    if (!nested_) busy() = false;
  }
  WorkspaceLease(const WorkspaceLease&) = delete;
  WorkspaceLease& operator=(const WorkspaceLease&) = delete;

  search::Workspace& get() { return nested_ ? *own_ : shared(); }

 private:
  static bool& busy() {
    thread_local bool flag = false;
    return flag;
  }
  static search::Workspace& shared() {
    thread_local search::Workspace workspace;
    return workspace;
  }
  bool nested_;
  std::optional<search::Workspace> own_;
};

/// Calls `solver(stop token, workspace)` without the GIL.
template <class Solver>
auto run_solver(double time_limit_s, Solver solver) {
  core::StopToken stop(time_limit_s, &interrupted);
  WorkspaceLease lease;
  auto result = [&] {
    const GilReleased no_gil;
    return solver(stop, lease.get());
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return result;
}

/// Says in an infeasible plan why it is, within what is left of the time limit and as long as the search
/// itself took, or a second.
void explain_infeasible(split::Answer& found, double time_limit_s);

}  // namespace constellm::bindings
