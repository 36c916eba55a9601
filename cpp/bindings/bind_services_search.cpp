#include "register.hpp"

namespace constellm::bindings {

void register_services_search(py::module_&) {}

}  // namespace constellm::bindings
