#include "constellm/codec/codec.hpp"
#include "constellm/codec/laplace.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

void register_codec(py::module_& m) {
  using codec::Codec;
  record<Codec>(m, "Codec", "One way to send an activation over a cut.",
                required("name", &Codec::name, "unique in its menu"),
                required("ratio", &Codec::ratio, "uncompressed / compressed bytes"),
                required("error", &Codec::error, "relative L2 error of the activation (a fraction)"),
                optional("encode_s_per_byte", &Codec::encode_s_per_byte, "per uncompressed byte [s/B]"),
                optional("decode_s_per_byte", &Codec::decode_s_per_byte, "per uncompressed byte [s/B]"),
                optional("layer_ratio", &Codec::layer_ratio,
                         "in place of `ratio` at the cut after each layer [layers]"),
                optional("layer_error", &Codec::layer_error,
                         "in place of error * error_gain at the cut after each layer [layers]"));
  m.def("quantisation_error", &codec::quantisation_error, py::arg("bits"),
        "See `constellm.codec.quantisation_error`.");
}

}  // namespace constellm::bindings
