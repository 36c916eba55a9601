#include "constellm/model/block.hpp"

#include <string>

#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {

void validate(const AttentionShape& shape, std::string_view where) {
  core::check_ranges(shape, where);
  const std::string prefix(where);
  if (shape.chunked && shape.window == 0) core::throw_out_of_range(prefix + "window", 0.0, "[1, inf)");
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
  core::check_ranges(shape, where);
  const std::string prefix(where);
  const std::int64_t least = shape.experts > 0 ? 1 : 0;
  if (shape.experts_per_token < least || shape.experts_per_token > shape.experts) {
    core::throw_out_of_range(
        prefix + "experts_per_token", real(shape.experts_per_token),
        "[" + std::to_string(least) + ", experts = " + std::to_string(shape.experts) + "]");
  }
}

void validate(const BlockShape& shape, std::string_view where) {
  const std::string prefix(where);
  core::check_ranges(shape, where);
  validate(shape.attention, prefix + "attention.");
  validate(shape.mlp, prefix + "mlp.");
}

}  // namespace constellm::model
