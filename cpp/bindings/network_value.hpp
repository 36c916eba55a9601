#pragma once
#include <string>

#include "constellm/network/snapshot.hpp"
#include "record.hpp"

namespace constellm::bindings {

/// A network in any of its forms: as values, as a graph, or as the graph of a snapshot.
template <>
struct FromPython<network::Network> {
  static network::Network get(py::handle value, const std::string& name) {
    if (py::isinstance<network::Network>(value)) return value.cast<network::Network>();
    if (py::isinstance<network::Graph>(value)) return value.cast<const network::Graph&>().network();
    if (py::isinstance<network::Snapshot>(value))
      return value.cast<const network::Snapshot&>().graph().network();
    throw py::type_error(name + ": expected a Network, Graph or Snapshot, got " + shown(value));
  }
};

}  // namespace constellm::bindings
