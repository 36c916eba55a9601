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

void register_blocks(py::module_& m) {
  using model::AttentionShape;
  using model::BlockShape;
  using model::MlpShape;
  record<AttentionShape>(
      m, "AttentionShape", "Attention of one block.",
      required("heads", &AttentionShape::heads, "query heads"),
      required("kv_heads", &AttentionShape::kv_heads,
               "key and value heads; fewer than heads: grouped queries"),
      required("head_width", &AttentionShape::head_width, "numbers per query and key"),
      required("value_width", &AttentionShape::value_width, "numbers per value"),
      optional("query_rank", &AttentionShape::query_rank, "queries made through so many numbers; 0: at once"),
      optional("kv_rank", &AttentionShape::kv_rank,
               "latent attention: numbers that stand for all keys and values; 0: none"),
      optional("rope_width", &AttentionShape::rope_width,
               "latent attention: the part of a key that carries the position, shared by the heads"),
      optional("cached_heads", &AttentionShape::cached_heads,
               "heads whose keys and values are kept; 0: kv_heads"),
      optional("window", &AttentionShape::window, "newest tokens that a query sees; 0: all"),
      optional("chunked", &AttentionShape::chunked,
               "the window does not slide: tokens see their own chunk of so many"),
      optional("vectors", &AttentionShape::vectors,
               "parameters beside the matrices: norms, biases, sinks, position tables"),
      optional("out_vectors", &AttentionShape::out_vectors, "the same of the output matrix: bias, scale"));
  record<MlpShape>(
      m, "MlpShape", "Multilayer perceptron of one block, or its mixture of experts.",
      required("width", &MlpShape::width, "hidden width, of one expert"),
      optional("gated", &MlpShape::gated, "two matrices up, multiplied, and one down"),
      optional("bias", &MlpShape::bias, "of the matrices, of every expert"),
      optional("experts", &MlpShape::experts, "chosen by a router; 0: dense"),
      optional("experts_per_token", &MlpShape::experts_per_token, "chosen for each token"),
      optional("shared_width", &MlpShape::shared_width,
               "hidden width of all the experts that every token takes"),
      optional("shared_gate", &MlpShape::shared_gate, "the shared ones' output is weighed by the token"),
      optional("vectors", &MlpShape::vectors, "parameters beside the matrices: norms, router bias, scales"));
  record<BlockShape>(m, "BlockShape", "One block of a transformer: attention and MLP.",
                     required("width", &BlockShape::width, "numbers per token in the residual stream"),
                     required("attention", &BlockShape::attention, "its attention"),
                     required("mlp", &BlockShape::mlp, "its multilayer perceptron, or experts"),
                     optional("parallel", &BlockShape::parallel,
                              "both read the block's input, so a cut between them carries two streams"));
}

void register_shapes(py::module_& m) {
  using model::Pass;
  using model::TextEnds;
  using model::VisionEnds;
  using model::VisionStage;
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
      optional("extra_tokens", &VisionEnds::extra_tokens,
               "without a place in the image: class, distillation, registers"),
      optional("positions", &VisionEnds::positions, "learned position embeddings"),
      optional("embed_vectors", &VisionEnds::embed_vectors,
               "other parameters of the embedding: bias, learned tokens, norms"),
      optional("head_vectors", &VisionEnds::head_vectors, "parameters of the norms behind the last block"),
      optional("pool_mlp_width", &VisionEnds::pool_mlp_width,
               "one learned query attends to all tokens, then an MLP of this width; 0: none"),
      optional("pooler_width", &VisionEnds::pooler_width, "a dense layer over what is read out; 0: none"),
      optional("feature_tokens", &VisionEnds::feature_tokens, "pooled vectors read out side by side"),
      optional("classes", &VisionEnds::classes, "0: the pooled features are the output"),
      optional("classifiers", &VisionEnds::classifiers, "whose results are averaged"))
      .def_property_readonly("tokens", py::cpp_function(&model::token_count, "tokens(self) -> float"),
                             "Patches and extra tokens of one image.");
  record<VisionStage>(m, "VisionStage", "Blocks that see the same number of tokens.",
                      required("blocks", &VisionStage::blocks, "one after the other"),
                      required("tokens", &VisionStage::tokens, "of one image"));
  record<TextEnds>(
      m, "TextEnds", "What feeds a decoder and what reads it out.",
      required("vocabulary", &TextEnds::vocabulary, "tokens known"),
      optional("embed_width", &TextEnds::embed_width,
               "numbers per token embedding, projected to the width; 0: the width"),
      optional("positions", &TextEnds::positions, "learned position embeddings; 0: none (rotary)"),
      optional("embed_vectors", &TextEnds::embed_vectors, "parameters of a norm behind the embedding"),
      optional("norm_vectors", &TextEnds::norm_vectors, "parameters of the final norm"),
      optional("tied", &TextEnds::tied, "the output matrix is the token embedding"),
      optional("head_bias", &TextEnds::head_bias, "of the output matrix"));
}

}  // namespace

void register_model(py::module_& m) {
  using model::BlockShape;
  using model::Pass;
  register_layers(m);
  register_blocks(m);
  register_shapes(m);
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
