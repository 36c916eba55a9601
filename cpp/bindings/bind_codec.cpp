#include "constellm/codec/codec.hpp"
#include "constellm/codec/laplace.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

void register_codec(py::module_& m) {
  record<codec::Codec>(m);
  m.def("quantisation_error", &codec::quantisation_error, py::arg("bits"),
        "See `constellm.codec.quantisation_error`.");
}

}  // namespace constellm::bindings
