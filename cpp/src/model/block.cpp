#include "constellm/model/block.hpp"

#include <string>

#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {

void validate(const AttentionShape& shape, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "heads", shape.heads, 1);
  require_count(prefix + "kv_heads", shape.kv_heads, 1);
  require_count(prefix + "head_width", shape.head_width, 1);
  require_count(prefix + "value_width", shape.value_width, 1);
  require_count(prefix + "query_rank", shape.query_rank, 0);
  require_count(prefix + "kv_rank", shape.kv_rank, 0);
  require_count(prefix + "rope_width", shape.rope_width, 0);
  require_count(prefix + "cached_heads", shape.cached_heads, 0);
  require_count(prefix + "window", shape.window, shape.chunked ? 1 : 0);
  require_count(prefix + "vectors", shape.vectors, 0);
  require_count(prefix + "out_vectors", shape.out_vectors, 0);
  if (shape.heads % shape.kv_heads != 0) {
    core::throw_out_of_range(prefix + "kv_heads", real(shape.kv_heads),
                             "the divisors of heads = " + std::to_string(shape.heads));
  }
  if (shape.kv_rank > 0 && shape.kv_heads != shape.heads) {
    core::throw_out_of_range(prefix + "kv_heads", real(shape.kv_heads),
                             "{heads = " + std::to_string(shape.heads) + "}, as latent attention has");
  }
  const std::int64_t most_rope = shape.kv_rank > 0 ? shape.head_width : 0;
  if (shape.rope_width > most_rope) {
    core::throw_out_of_range(prefix + "rope_width", real(shape.rope_width),
                             "[0, " + std::to_string(most_rope) + "]");
  }
}

void validate(const MlpShape& shape, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "width", shape.width, 1);
  require_count(prefix + "experts", shape.experts, 0);
  require_count(prefix + "experts_per_token", shape.experts_per_token, shape.experts > 0 ? 1 : 0);
  require_count(prefix + "shared_width", shape.shared_width, 0);
  require_count(prefix + "vectors", shape.vectors, 0);
  if (shape.experts_per_token > shape.experts) {
    core::throw_out_of_range(prefix + "experts_per_token", real(shape.experts_per_token),
                             "[0, experts = " + std::to_string(shape.experts) + "]");
  }
}

void validate(const BlockShape& shape, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "width", shape.width, 1);
  validate(shape.attention, prefix + "attention.");
  validate(shape.mlp, prefix + "mlp.");
}

}  // namespace constellm::model
