#include "constellm/model/graph.hpp"
#include "constellm/model/layer.hpp"
#include "constellm/model/profile.hpp"
#include "constellm/model/text.hpp"
#include "constellm/model/transformer.hpp"
#include "constellm/model/vision.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

model::Granularity granularity(bool sub_blocks) {
  return sub_blocks ? model::Granularity::sub_block : model::Granularity::block;
}

void register_records(py::module_& m) {
  record<model::Layer>(m);
  record<model::LayerProfile>(m).def_property_readonly(
      "layer", py::cpp_function(&model::as_layer, "layer(self) -> Layer"), "The part that a planner reads.");
  record<model::AttentionShape>(m);
  record<model::MlpShape>(m);
  record<model::BlockShape>(m);
  record<model::Pass>(m);
  record<model::TextEnds>(m);
  record<model::VisionEnds>(m).def_property_readonly(
      "tokens", py::cpp_function(&model::token_count, "tokens(self) -> float"),
      "Patches and extra tokens of one image.");
  record<model::VisionStage>(m);
}

}  // namespace

void register_model(py::module_& m) {
  using model::BlockShape;
  using model::Pass;
  register_records(m);
  m.def(
      "vision_transformer",
      [](const std::vector<model::VisionStage>& stages, const model::VisionEnds& ends, const Pass& pass,
         bool sub_blocks, bool separate_ends) {
        return model::vision_transformer(stages, ends, pass, granularity(sub_blocks), separate_ends);
      },
      py::kw_only(), py::arg("stages"), py::arg("ends"), py::arg("pass_"), py::arg("sub_blocks"),
      py::arg("separate_ends"), "The layers of a whole vision transformer.");
  m.def(
      "decoder",
      [](const std::vector<BlockShape>& shapes, const model::TextEnds& ends, const Pass& pass,
         bool sub_blocks, bool separate_ends) {
        return model::decoder(shapes, ends, pass, granularity(sub_blocks), separate_ends);
      },
      py::kw_only(), py::arg("blocks"), py::arg("ends"), py::arg("pass_"), py::arg("sub_blocks"),
      py::arg("separate_ends"), "The layers of a whole decoder that yields one token per sequence.");
  m.def("topological_order", &model::topological_order, py::arg("count"), py::arg("edges"),
        "An order of nodes in which every edge points forward; the smallest node first where free.");
  m.def(
      "crossing_bytes",
      [](std::int64_t operators, const std::vector<std::tuple<double, std::int64_t, std::int64_t>>& tensors) {
        std::vector<model::Tensor> values;
        values.reserve(tensors.size());
        for (const auto& [bytes, produced_at, last_used_at] : tensors) {
          values.push_back({bytes, produced_at, last_used_at});
        }
        return model::crossing_bytes(operators, values);
      },
      py::arg("operators"), py::arg("tensors"),
      "Bytes across the cut after each operator; tensors are (bytes, produced at, last used at).");
}

}  // namespace constellm::bindings
