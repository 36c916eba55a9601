#pragma once
#include <cstdint>
#include <string_view>

#include "constellm/core/fields.hpp"

namespace constellm::model {

inline constexpr core::Range kAtLeastOne{.least = 1.0, .most = core::kLargest, .text = "[1, inf)"};

/// Attention of one block: h query heads of a numbers, g key and value heads of a and b numbers.
struct AttentionShape {
  std::int64_t heads = 1;        ///< h
  std::int64_t kv_heads = 1;     ///< g
  std::int64_t head_width = 1;   ///< a
  std::int64_t value_width = 1;  ///< b
  std::int64_t query_rank = 0;
  std::int64_t kv_rank = 0;
  std::int64_t rope_width = 0;
  std::int64_t cached_heads = 0;
  std::int64_t window = 0;
  bool chunked = false;
  std::int64_t vectors = 0;
  std::int64_t out_vectors = 0;

  bool operator==(const AttentionShape&) const = default;
};

/// Multilayer perceptron of one block, or its E experts of which each token takes k.
struct MlpShape {
  std::int64_t width = 1;  ///< f
  bool gated = false;
  bool bias = false;
  std::int64_t experts = 0;            ///< E
  std::int64_t experts_per_token = 0;  ///< k
  std::int64_t shared_width = 0;       ///< f_s
  bool shared_gate = false;
  std::int64_t vectors = 0;

  bool operator==(const MlpShape&) const = default;
};

/// One block of a transformer: attention and MLP, each added to the residual stream.
struct BlockShape {
  std::int64_t width = 1;  ///< d
  AttentionShape attention;
  MlpShape mlp;
  bool parallel = false;

  bool operator==(const BlockShape&) const = default;
};

constexpr auto fields(const AttentionShape*) {
  using core::optional;
  using core::required;
  return core::record(
             "AttentionShape", "Attention of one block.",
             required("heads", &AttentionShape::heads, "query heads", "", kAtLeastOne),
             required("kv_heads", &AttentionShape::kv_heads,
                      "key and value heads; fewer than heads: grouped queries", "", kAtLeastOne),
             required("head_width", &AttentionShape::head_width, "numbers per query and key", "",
                      kAtLeastOne),
             required("value_width", &AttentionShape::value_width, "numbers per value", "", kAtLeastOne),
             optional("query_rank", &AttentionShape::query_rank,
                      "queries made through so many numbers; 0: at once", "", core::kNonNegative),
             optional("kv_rank", &AttentionShape::kv_rank,
                      "latent attention: numbers that stand for all keys and values; 0: none", "",
                      core::kNonNegative),
             optional("rope_width", &AttentionShape::rope_width,
                      "latent attention: the part of a key that carries the position, shared by the heads",
                      "", core::kNonNegative),
             optional("cached_heads", &AttentionShape::cached_heads,
                      "heads whose keys and values are kept; 0: kv_heads", "", core::kNonNegative),
             optional("window", &AttentionShape::window, "newest tokens that a query sees; 0: all", "",
                      core::kNonNegative),
             optional("chunked", &AttentionShape::chunked,
                      "the window does not slide: tokens see their own chunk of so many"),
             optional("vectors", &AttentionShape::vectors,
                      "parameters beside the matrices: norms, biases, sinks, position tables", "",
                      core::kNonNegative),
             optional("out_vectors", &AttentionShape::out_vectors,
                      "the same of the output matrix: bias, scale", "", core::kNonNegative))
      .with_example("clm.model.AttentionShape(heads=12, kv_heads=12, head_width=64, value_width=64)");
}

constexpr auto fields(const MlpShape*) {
  using core::optional;
  using core::required;
  return core::record(
             "MlpShape", "Multilayer perceptron of one block, or its mixture of experts.",
             required("width", &MlpShape::width, "hidden width, of one expert", "", kAtLeastOne),
             optional("gated", &MlpShape::gated, "two matrices up, their outputs multiplied, one down"),
             optional("bias", &MlpShape::bias, "of the matrices, of every expert"),
             optional("experts", &MlpShape::experts, "chosen by a router; 0: dense", "", core::kNonNegative),
             optional("experts_per_token", &MlpShape::experts_per_token, "chosen for each token", "",
                      core::kNonNegative),
             optional("shared_width", &MlpShape::shared_width,
                      "hidden width of all the experts that every token takes", "", core::kNonNegative),
             optional("shared_gate", &MlpShape::shared_gate,
                      "the shared ones' output is weighed by the token"),
             optional("vectors", &MlpShape::vectors,
                      "parameters beside the matrices: norms, router bias, scales", "", core::kNonNegative))
      .with_example("clm.model.MlpShape(width=3072)");
}

constexpr auto fields(const BlockShape*) {
  using core::optional;
  using core::required;
  return core::record("BlockShape", "One block of a transformer: attention and MLP.",
                      required("width", &BlockShape::width, "numbers per token in the residual stream", "",
                               kAtLeastOne),
                      required("attention", &BlockShape::attention, "its attention"),
                      required("mlp", &BlockShape::mlp, "its multilayer perceptron, or experts"),
                      optional("parallel", &BlockShape::parallel,
                               "both read the block's input, so a cut between them carries two streams"))
      .with_example(
          "clm.model.BlockShape(width=768, mlp=clm.model.MlpShape(width=3072), attention="
          "clm.model.AttentionShape(heads=12, kv_heads=12, head_width=64, value_width=64))");
}

/// Throw core::InvalidInput that names `where` and the field.
void validate(const AttentionShape& shape, std::string_view where);
void validate(const MlpShape& shape, std::string_view where);
void validate(const BlockShape& shape, std::string_view where);

}  // namespace constellm::model
