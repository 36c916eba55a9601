#pragma once
#include <limits>

#include "constellm/core/stop.hpp"
#include "gil.hpp"

namespace constellm::bindings {

/// What `call` makes with a token that Ctrl-C stops, without the GIL.
template <class Call>
auto stoppable(Call call) {
  core::StopToken stop(std::numeric_limits<double>::infinity(), [] {
    const GilTaken gil;
    return PyErr_CheckSignals() != 0;
  });
  try {
    const GilReleased no_gil;
    return call(stop);
  } catch (const core::Stopped&) {
    throw py::error_already_set();
  }
}

}  // namespace constellm::bindings
