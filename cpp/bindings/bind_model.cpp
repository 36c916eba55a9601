#include "constellm/model/layer.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

void register_model(py::module_& m) {
  using model::Layer;
  record<Layer>(m, "Layer", "One layer as the planner sees it; all figures for one micro-batch.",
                required("name", &Layer::name, "label"),
                required("flop", &Layer::flop, "computation [FLOP]"),
                required("memory_bytes", &Layer::memory_bytes, "resident on the host: weights, state, workspace [B]"),
                required("output_bytes", &Layer::output_bytes, "uncompressed activation after the layer [B]"),
                optional("error_gain", &Layer::error_gain, "weight of a codec's error at the cut after the layer"));
}

}  // namespace constellm::bindings
