#include "constellm/network/network.hpp"
#include "record.hpp"
#include "register.hpp"
#include "remark.hpp"

namespace constellm::bindings {

void register_network(py::module_& m) {
  record<network::Node>(m);
  record<network::Link>(m);
  record(m, core::fields_of<network::Network>(), [](const network::Network& made) { look_at(made); });
  register_graph(m);
  register_timelines(m);
  register_routing(m);
  register_contact_plan(m);
}

}  // namespace constellm::bindings
