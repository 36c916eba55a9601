#include "register.hpp"

namespace constellm::bindings {

void register_services_bound(py::module_&) {}

}  // namespace constellm::bindings
