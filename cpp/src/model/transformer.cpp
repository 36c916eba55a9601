#include "constellm/model/transformer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {
namespace {

/// Query-key pairs of one sequence and head.
///
/// All see all: n(s + n). Causal: sum over i = 1..n of min(s + i, w), which is n s + n(n + 1)/2
/// without a window, as kernels count that skip the masked half. n `tokens`, s `past_tokens`,
/// w `attention_window`. Derived here; exact for whole numbers.
double attention_pairs(const TransformerShape& shape, const Pass& pass) {
  const double n = pass.tokens;
  const double s = pass.past_tokens;
  if (!pass.causal) return n * (s + n);
  const auto growing = [&](double m) { return m * s + m * (m + 1.0) / 2.0; };
  if (shape.attention_window == 0) return growing(n);
  const double w = real(shape.attention_window);
  const double until_full = std::clamp(w - s, 0.0, n);
  return growing(until_full) + (n - until_full) * w;
}

double in_window(const TransformerShape& shape, double tokens) {
  return shape.attention_window == 0 ? tokens : std::min(tokens, real(shape.attention_window));
}

/// The four parts of a block.
///
/// FLOP per sequence, with n tokens, P query-key pairs per head, q = h d_h, v = g d_h, and
/// m matrices up (1, gated 2):
///   attention      2 n d (q + 2v) + 4 P q        (QKV, then scores and weighted values)
///   attention out  2 n q d
///   MLP up         2 n k m d f (+ 2 n d E for the router)
///   MLP down       2 n k f d
/// For q = v = d, f = 4d, P = n^2 it is 24 n d^2 + 4 n^2 d, the usual count of a ViT block.
/// Norms, softmax, activations and sums are left out (under 0.5 % from ViT-Ti upwards).
///
/// Experts read from memory: E(1 - (1 - k/E)^t) of E for t tokens, the mean number of distinct ones
/// if each token draws its k independently and evenly (assumption; exact for one token).
///
/// Workspace: the tensors alive at once at the fullest moment, softmax scores not stored (fused
/// attention). Cuts carry the residual stream beside the inner tensor (PipeEdge, models.yml).
std::array<LayerProfile, 4> block_parts(const TransformerShape& shape, const Pass& pass) {
  const Step step(pass);
  const double chunks = real(pass.chunks);
  const double d = real(shape.width);
  const double q = real(shape.heads) * real(shape.head_width);
  const double v = real(shape.kv_heads) * real(shape.head_width);
  const double k = real(shape.experts_per_token);
  const double experts = real(shape.experts);
  const double f = real(shape.mlp_width);
  const double up = shape.gated_mlp ? 2.0 : 1.0;
  const double norm = real(shape.norm_parameters) * d;
  const bool sparse = shape.experts > 1;
  const double hidden = sparse ? k * (f + 2.0) : f;  // and, of each chosen expert, number and weight

  const double cached_numbers = step.batch * 2.0 * v * step.activation_element;
  // The mean chunk reads what came before the pass, before the chunk, and the chunk itself.
  const double seen = pass.past_tokens + pass.tokens * (chunks + 1.0) / (2.0 * chunks);

  LayerProfile attention;
  attention.name = "attention";
  attention.parameters = d * (q + 2.0 * v) + norm + (shape.qkv_bias ? q + 2.0 * v : 0.0);
  attention.flop =
      step.matrix_flop(d * (q + 2.0 * v)) + 4.0 * step.batch * attention_pairs(shape, pass) / chunks * q;
  attention.kv_cache_bytes = cached_numbers * in_window(shape, pass.cache_tokens);
  attention.read_bytes = pass.cache_tokens > 0.0 ? cached_numbers * in_window(shape, seen) : 0.0;
  attention.workspace_bytes = step.per_token_bytes(d + (q + 2.0 * v) + std::max(d, q));
  attention.output_bytes = step.per_token_bytes(d + q);

  LayerProfile out;
  out.name = "attention-out";
  out.parameters = q * d + (shape.attention_out_bias ? d : 0.0);
  out.flop = step.matrix_flop(q * d);
  out.workspace_bytes = step.per_token_bytes(d + q + d);
  out.output_bytes = step.per_token_bytes(d);

  LayerProfile mlp_up;
  mlp_up.name = "mlp-up";
  mlp_up.parameters =
      experts * up * (d * f + (shape.mlp_bias ? f : 0.0)) + norm + (sparse ? d * experts : 0.0);
  mlp_up.flop = step.matrix_flop(k * up * d * f + (sparse ? d * experts : 0.0));
  mlp_up.workspace_bytes = step.per_token_bytes(2.0 * d + up * k * f);
  mlp_up.output_bytes = step.per_token_bytes(d + hidden);

  LayerProfile mlp_down;
  mlp_down.name = "mlp-down";
  mlp_down.parameters = experts * (f * d + (shape.mlp_bias ? d : 0.0));
  mlp_down.flop = step.matrix_flop(k * f * d);
  mlp_down.workspace_bytes = step.per_token_bytes(d + hidden + d);
  mlp_down.output_bytes = step.per_token_bytes(d);

  std::array<LayerProfile, 4> parts{complete(attention, step), complete(out, step), complete(mlp_up, step),
                                    complete(mlp_down, step)};
  if (sparse) {
    const double idle_share = std::pow(1.0 - k / experts, step.batch * step.tokens);
    const double shared = norm + d * experts;
    parts[2].read_bytes -= idle_share * (mlp_up.parameters - shared) * step.weight_element;
    parts[3].read_bytes -= idle_share * parts[3].weight_bytes;
  }
  return parts;
}

}  // namespace

void validate(const TransformerShape& shape, std::string_view where) {
  const std::string prefix(where);
  constexpr std::int64_t kMostBlocks = 100'000;  // each becomes a layer in memory
  if (shape.blocks < 1 || shape.blocks > kMostBlocks) {
    core::throw_out_of_range(prefix + "blocks", real(shape.blocks), "[1, 100000]");
  }
  require_count(prefix + "width", shape.width, 1);
  require_count(prefix + "heads", shape.heads, 1);
  require_count(prefix + "kv_heads", shape.kv_heads, 1);
  require_count(prefix + "head_width", shape.head_width, 1);
  require_count(prefix + "mlp_width", shape.mlp_width, 1);
  require_count(prefix + "experts", shape.experts, 1);
  require_count(prefix + "experts_per_token", shape.experts_per_token, 1);
  require_count(prefix + "attention_window", shape.attention_window, 0);
  require_count(prefix + "norm_parameters", shape.norm_parameters, 0);
  if (shape.heads % shape.kv_heads != 0) {
    core::throw_out_of_range(prefix + "kv_heads", real(shape.kv_heads),
                             "the divisors of heads = " + std::to_string(shape.heads));
  }
  if (shape.experts_per_token > shape.experts) {
    core::throw_out_of_range(prefix + "experts_per_token", real(shape.experts_per_token),
                             "[1, experts = " + std::to_string(shape.experts) + "]");
  }
}

void validate(const Pass& pass, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "batch", pass.batch, 1);
  require_count(prefix + "chunks", pass.chunks, 1);
  core::require_positive(prefix + "tokens", pass.tokens);
  core::require_non_negative(prefix + "past_tokens", pass.past_tokens);
  core::require_non_negative(prefix + "cache_tokens", pass.cache_tokens);
  core::require_positive(prefix + "weight_element_bytes", pass.weight_element_bytes);
  core::require_positive(prefix + "activation_element_bytes", pass.activation_element_bytes);
}

std::vector<LayerProfile> blocks(const TransformerShape& shape, const Pass& pass, Granularity granularity) {
  validate(shape, "");
  validate(pass, "");
  const std::array<LayerProfile, 4> parts = block_parts(shape, pass);
  std::vector<LayerProfile> layers;
  layers.reserve(static_cast<std::size_t>(shape.blocks) * (granularity == Granularity::block ? 1 : 4));
  for (std::int64_t i = 0; i < shape.blocks; ++i) {
    const std::string block = "block-" + std::to_string(i);
    if (granularity == Granularity::block) {
      layers.push_back(fold(fold(parts[0], parts[1], ""), fold(parts[2], parts[3], ""), block));
    } else {
      for (const LayerProfile& part : parts) {
        layers.push_back(part);
        layers.back().name = block + "/" + part.name;
      }
    }
  }
  return layers;
}

}  // namespace constellm::model
