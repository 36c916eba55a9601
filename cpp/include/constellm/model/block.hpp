#pragma once
#include <cstdint>
#include <string_view>

namespace constellm::model {

/// Attention of one block: h query heads, g key and value heads.
struct AttentionShape {
  std::int64_t heads = 1;         ///< query heads h
  std::int64_t kv_heads = 1;      ///< key and value heads g; fewer than h: grouped queries
  std::int64_t head_width = 1;    ///< numbers per query and key
  std::int64_t value_width = 1;   ///< numbers per value
  std::int64_t query_rank = 0;    ///< queries made through so many numbers; 0: at once
  std::int64_t kv_rank = 0;       ///< latent attention: numbers that stand for all keys and values; 0: none
  std::int64_t rope_width = 0;    ///< latent attention: the part of a key that carries the position, shared
  std::int64_t cached_heads = 0;  ///< heads whose keys and values are kept; 0: kv_heads
  std::int64_t window = 0;        ///< newest tokens that a query sees; 0: all
  bool chunked = false;           ///< the window does not slide: tokens see their own chunk of so many
  std::int64_t vectors = 0;       ///< parameters beside the matrices: norms, biases, sinks, position tables
  std::int64_t out_vectors = 0;   ///< the same of the output matrix: bias, scale

  bool operator==(const AttentionShape&) const = default;
};

/// Multilayer perceptron of one block, or its mixture of experts.
struct MlpShape {
  std::int64_t width = 1;              ///< hidden width, of one expert; f
  bool gated = false;                  ///< two matrices up, their outputs multiplied, one down
  bool bias = false;                   ///< of the matrices, of every expert
  std::int64_t experts = 0;            ///< E, chosen by a router; 0: dense
  std::int64_t experts_per_token = 0;  ///< k
  std::int64_t shared_width = 0;       ///< hidden width of all the experts that every token takes
  bool shared_gate = false;            ///< the shared ones' output is weighed by the token
  std::int64_t vectors = 0;            ///< parameters beside the matrices: norms, router bias, scales

  bool operator==(const MlpShape&) const = default;
};

/// One block of a transformer: attention and MLP, each added to the residual stream.
struct BlockShape {
  std::int64_t width = 1;  ///< d, numbers per token in the residual stream
  AttentionShape attention;
  MlpShape mlp;
  bool parallel = false;  ///< both read the block's input, so a cut between them carries two streams

  bool operator==(const BlockShape&) const = default;
};

void validate(const AttentionShape& shape, std::string_view where);
void validate(const MlpShape& shape, std::string_view where);
void validate(const BlockShape& shape, std::string_view where);

}  // namespace constellm::model
