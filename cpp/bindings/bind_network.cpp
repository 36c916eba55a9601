#include "constellm/network/network.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

void register_network(py::module_& m) {
  record<network::Node>(m);
  // The file format's `from` is a keyword in Python: its value reads as `from_`.
  record<network::Link>(m).def_property_readonly(
      "from_", py::cpp_function([](const network::Link& link) { return link.from; }, "from_(self) -> str"),
      "id of the sender");
  record<network::Network>(m);
  register_graph(m);
}

}  // namespace constellm::bindings
