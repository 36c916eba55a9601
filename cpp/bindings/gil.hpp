#pragma once
#include <chrono>
#include <thread>

#include "pybind.hpp"
#ifdef __GLIBCXX__
#include <cxxabi.h>
#endif

namespace constellm::bindings {

/// Calls `take`, which takes the GIL. A daemon thread that wants it while the interpreter ends never gets
/// it: Python before 3.14 then ends the thread by pthread_exit, whose unwinding no destructor may see
/// (std::terminate). Such a thread sleeps here instead until the process is gone, as from 3.14 on.
template <class Take>
auto take_gil(Take take) {
#ifdef __GLIBCXX__
  try {
    return take();
  } catch (const abi::__forced_unwind&) {  // must not be swallowed: this handler never ends
    while (true) std::this_thread::sleep_for(std::chrono::hours(1));
  }
#else
  return take();
#endif
}

/// Without the GIL for a scope, in a thread that holds it.
class GilReleased {
 public:
  GilReleased() : state_(PyEval_SaveThread()) {}
  ~GilReleased() {
    take_gil([this] { PyEval_RestoreThread(state_); });
  }
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

 private:
  PyThreadState* state_;
};

/// With the GIL for a scope, inside one of `GilReleased`.
class GilTaken {
 public:
  GilTaken() : state_(take_gil([] { return PyGILState_Ensure(); })) {}
  ~GilTaken() { PyGILState_Release(state_); }
  GilTaken(const GilTaken&) = delete;
  GilTaken& operator=(const GilTaken&) = delete;

 private:
  PyGILState_STATE state_;
};

}  // namespace constellm::bindings
