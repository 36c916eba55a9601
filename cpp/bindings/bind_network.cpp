#include "constellm/network/network.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

void register_network(py::module_& m) {
  record<network::Node>(m);
  record<network::Link>(m);
  record<network::Network>(m);
  register_graph(m);
  register_timelines(m);
}

}  // namespace constellm::bindings
