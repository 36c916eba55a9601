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

void register_layers(py::module_& m) {
  using model::Layer;
  using model::LayerProfile;
  record<Layer>(m);
  record<LayerProfile>(
      m, "LayerProfile", "What a layer is made of; all figures for one micro-batch.",
      required("name", &LayerProfile::name, "label"),
      required("flop", &LayerProfile::flop, "computation, a multiply-add counts 2 [FLOP]"),
      required("memory_bytes", &LayerProfile::memory_bytes,
               "resident on the host: weights + KV cache + workspace where computed, else as measured or "
               "stated [B]"),
      required("output_bytes", &LayerProfile::output_bytes,
               "everything that crosses a cut after the layer [B]"),
      optional("parameters", &LayerProfile::parameters, "shared ones count once, where they are first used"),
      optional("weight_bytes", &LayerProfile::weight_bytes, "weights stored at this layer [B]"),
      optional("kv_cache_bytes", &LayerProfile::kv_cache_bytes, "keys and values kept for later tokens [B]"),
      optional("workspace_bytes", &LayerProfile::workspace_bytes,
               "largest set of activations alive at once [B]"),
      optional("read_bytes", &LayerProfile::read_bytes, "weights and cache read from memory per pass [B]"),
      optional("error_gain", &LayerProfile::error_gain,
               "weight of a codec's error at the cut after the layer"))
      .def_property_readonly("layer", py::cpp_function(&model::as_layer, "layer(self) -> Layer"),
                             "The part that a planner reads.");
}

void register_shapes(py::module_& m) {
  using model::Pass;
  using model::TextEnds;
  using model::TransformerShape;
  using model::VisionEnds;
  record<TransformerShape>(
      m, "TransformerShape",
      "The repeated block of a transformer: attention, then a multilayer perceptron (MLP).",
      required("blocks", &TransformerShape::blocks, "how many"),
      required("width", &TransformerShape::width, "numbers per token in the residual stream"),
      required("heads", &TransformerShape::heads, "query heads"),
      required("kv_heads", &TransformerShape::kv_heads,
               "key and value heads; fewer than heads: grouped queries"),
      required("head_width", &TransformerShape::head_width, "numbers per head"),
      required("mlp_width", &TransformerShape::mlp_width, "hidden width of the MLP, of one expert"),
      optional("experts", &TransformerShape::experts, "1: dense"),
      optional("experts_per_token", &TransformerShape::experts_per_token, "chosen by the router"),
      optional("attention_window", &TransformerShape::attention_window,
               "newest tokens that a query sees; 0: all"),
      optional("norm_parameters", &TransformerShape::norm_parameters,
               "per number: 2 scale and shift, 1 scale only"),
      optional("gated_mlp", &TransformerShape::gated_mlp, "two matrices up, multiplied, and one down"),
      optional("qkv_bias", &TransformerShape::qkv_bias, "of queries, keys and values"),
      optional("attention_out_bias", &TransformerShape::attention_out_bias,
               "of the attention's output matrix"),
      optional("mlp_bias", &TransformerShape::mlp_bias, "of the MLP's matrices"));
  record<Pass>(
      m, "Pass", "One pass over a micro-batch. Counts of tokens may be means, hence fractions.",
      required("batch", &Pass::batch, "images or sequences in the micro-batch"),
      required("tokens", &Pass::tokens, "new tokens per sequence, over all chunks"),
      optional("past_tokens", &Pass::past_tokens, "already in the cache when the pass begins"),
      optional("cache_tokens", &Pass::cache_tokens, "room kept in the cache per sequence; 0: no cache"),
      optional("chunks", &Pass::chunks, "parts in which the tokens pass; figures are the mean of a part"),
      optional("causal", &Pass::causal, "a token sees itself and those before it"),
      optional("weight_element_bytes", &Pass::weight_element_bytes, "[B]"),
      optional("activation_element_bytes", &Pass::activation_element_bytes, "[B]"));
  record<VisionEnds>(
      m, "VisionEnds", "What feeds a vision transformer and what reads it out.",
      required("image_px", &VisionEnds::image_px, "side of the square image"),
      required("patch_px", &VisionEnds::patch_px, "side of a patch"),
      optional("channels", &VisionEnds::channels, "of the image"),
      optional("classes", &VisionEnds::classes, "0: the pooled features are the output"),
      optional("registers", &VisionEnds::registers, "learned tokens without a place in the image"),
      optional("class_token", &VisionEnds::class_token, "a learned token that is read out"),
      optional("attention_pool", &VisionEnds::attention_pool, "one learned query attends to all tokens"))
      .def_property_readonly("tokens", py::cpp_function(&model::token_count, "tokens(self) -> float"),
                             "Patches, class token and registers of one image.");
  record<TextEnds>(
      m, "TextEnds", "What feeds a decoder and what reads it out.",
      required("vocabulary", &TextEnds::vocabulary, "tokens known"),
      optional("positions", &TextEnds::positions, "learned position embeddings; 0: none (rotary)"),
      optional("tied", &TextEnds::tied, "the output matrix is the token embedding"));
}

}  // namespace

void register_model(py::module_& m) {
  using model::Pass;
  using model::TransformerShape;
  register_layers(m);
  register_shapes(m);
  m.def(
      "vision_transformer",
      [](const TransformerShape& shape, const model::VisionEnds& ends, const Pass& pass, bool sub_blocks,
         bool separate_ends) {
        return model::vision_transformer(shape, ends, pass, granularity(sub_blocks), separate_ends);
      },
      py::kw_only(), py::arg("shape"), py::arg("ends"), py::arg("pass_"), py::arg("sub_blocks"),
      py::arg("separate_ends"), "The layers of a whole vision transformer.");
  m.def(
      "decoder",
      [](const TransformerShape& shape, const model::TextEnds& ends, const Pass& pass, bool sub_blocks,
         bool separate_ends) {
        return model::decoder(shape, ends, pass, granularity(sub_blocks), separate_ends);
      },
      py::kw_only(), py::arg("shape"), py::arg("ends"), py::arg("pass_"), py::arg("sub_blocks"),
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
