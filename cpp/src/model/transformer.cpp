#include "constellm/model/transformer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"

namespace constellm::model {
namespace {

double real(std::int64_t count) { return static_cast<double>(count); }

void require_count(const std::string& where, std::int64_t value, std::int64_t least) {
  if (value < least) core::throw_out_of_range(where, real(value), "[" + std::to_string(least) + ", inf)");
}

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

/// Figures of one step of a pass, whatever the layer.
struct Step {
  double batch;
  double tokens;  ///< per sequence in one chunk
  double weight_element;
  double activation_element;

  explicit Step(const Pass& pass)
      : batch(real(pass.batch)),
        tokens(pass.tokens / real(pass.chunks)),
        weight_element(pass.weight_element_bytes),
        activation_element(pass.activation_element_bytes) {}

  /// Bytes of `numbers` per token, over the micro-batch.
  [[nodiscard]] double per_token_bytes(double numbers) const {
    return batch * tokens * numbers * activation_element;
  }
  /// A product with a matrix of `weights` entries: 2 FLOP an entry and token.
  [[nodiscard]] double matrix_flop(double weights) const { return 2.0 * batch * tokens * weights; }
};

/// `memory_bytes` from its parts, and weights read once unless told otherwise.
LayerProfile complete(LayerProfile layer, const Step& step) {
  layer.weight_bytes = layer.parameters * step.weight_element;
  layer.read_bytes += layer.weight_bytes;
  layer.memory_bytes = layer.weight_bytes + layer.kv_cache_bytes + layer.workspace_bytes;
  return layer;
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
  attention.flop = step.matrix_flop(d * (q + 2.0 * v)) +
                   4.0 * step.batch * attention_pairs(shape, pass) / chunks * q;
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
  mlp_up.parameters = experts * up * (d * f + (shape.mlp_bias ? f : 0.0)) + norm + (sparse ? d * experts : 0.0);
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

std::vector<LayerProfile> with_ends(LayerProfile first, std::vector<LayerProfile> middle, LayerProfile last,
                                    bool separate) {
  if (separate) {
    middle.insert(middle.begin(), std::move(first));
    middle.push_back(std::move(last));
  } else {
    middle.front() = fold(first, middle.front(), middle.front().name);
    middle.back() = fold(middle.back(), last, middle.back().name);
  }
  return middle;
}

/// Patches cut out by a strided convolution, class token, registers, position embeddings.
/// FLOP: 2 (p^2 c) d per patch. The positions cover patches and class token.
LayerProfile patch_embedding(const VisionEnds& ends, const TransformerShape& shape, const Pass& pass) {
  const Step step(pass);
  const double d = real(shape.width);
  const double patch = real(ends.patch_px) * real(ends.patch_px) * real(ends.channels);
  const double side = real(ends.image_px / ends.patch_px);
  const double class_tokens = ends.class_token ? 1.0 : 0.0;
  LayerProfile layer;
  layer.name = "patch-embedding";
  layer.parameters = patch * d + d + d * (class_tokens + real(ends.registers)) + d * (side * side + class_tokens);
  layer.flop = 2.0 * step.batch * side * side * patch * d;
  layer.workspace_bytes = step.batch * side * side * patch * step.activation_element + step.per_token_bytes(d);
  layer.output_bytes = step.per_token_bytes(d);
  return complete(layer, step);
}

/// Final norm, pooling, classifier: 2 d C FLOP. Attention pooling adds a learned query, its
/// attention over n tokens, and an MLP with residual: 2(2d^2 + 2n d^2) + 4 n d + 4 d f FLOP,
/// Zhai et al., "Scaling Vision Transformers" (2022), as SigLIP uses it.
LayerProfile classifier(const VisionEnds& ends, const TransformerShape& shape, const Pass& pass) {
  const Step step(pass);
  const double d = real(shape.width);
  const double f = real(shape.mlp_width);
  const double classes = real(ends.classes);
  LayerProfile layer;
  layer.name = "head";
  layer.parameters = real(shape.norm_parameters) * d + classes * (d + 1.0);
  layer.flop = step.batch * (ends.classes > 0 ? 2.0 * d * classes : 0.0);
  if (ends.classes == 0) layer.parameters = real(shape.norm_parameters) * d;
  double workspace = step.per_token_bytes(d) + step.batch * (d + classes) * step.activation_element;
  if (ends.attention_pool) {
    layer.parameters += d + 4.0 * (d * d + d) + 2.0 * d * f + f + d + real(shape.norm_parameters) * d;
    layer.flop += step.batch * 2.0 * (2.0 * d * d + 2.0 * d * f) + step.matrix_flop(2.0 * d * d + 2.0 * d);
    workspace += step.per_token_bytes(2.0 * d) + step.batch * f * step.activation_element;
  }
  layer.workspace_bytes = workspace;
  layer.output_bytes = step.batch * (ends.classes > 0 ? classes : d) * step.activation_element;
  return complete(layer, step);
}

/// A look-up: no FLOP, and only the rows of the tokens at hand are read.
LayerProfile token_embedding(const TextEnds& ends, const TransformerShape& shape, const Pass& pass) {
  const Step step(pass);
  const double d = real(shape.width);
  LayerProfile layer;
  layer.name = "token-embedding";
  layer.parameters = d * (real(ends.vocabulary) + real(ends.positions));
  layer.workspace_bytes = step.per_token_bytes(d);
  layer.output_bytes = step.per_token_bytes(d);
  layer = complete(layer, step);
  const double rows = ends.positions > 0 ? 2.0 : 1.0;
  layer.read_bytes = step.batch * step.tokens * rows * d * step.weight_element;
  return layer;
}

/// A sampled token travels as a 32-bit number.
constexpr double kTokenBytes = 4.0;

/// Final norm and logits of the newest token of each sequence: 2 d V FLOP. A tied matrix is
/// stored again here, because the embedding may be on another host, but is no new parameter.
/// Of several chunks only the last needs logits, hence the division.
LayerProfile language_head(const TextEnds& ends, const TransformerShape& shape, const Pass& pass) {
  const Step step(pass);
  const double matrix = real(shape.width) * real(ends.vocabulary);
  const double norm = real(shape.norm_parameters) * real(shape.width);
  const double share = 1.0 / real(pass.chunks);
  LayerProfile layer;
  layer.name = "head";
  layer.flop = share * 2.0 * step.batch * matrix;
  layer.parameters = norm + matrix;
  layer.workspace_bytes = step.batch * (real(shape.width) + real(ends.vocabulary)) * step.activation_element;
  layer.output_bytes = step.batch * kTokenBytes;
  layer = complete(layer, step);
  layer.read_bytes *= share;
  if (ends.tied) layer.parameters = norm;
  return layer;
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

void validate(const VisionEnds& ends, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "patch_px", ends.patch_px, 1);
  require_count(prefix + "image_px", ends.image_px, ends.patch_px);
  require_count(prefix + "channels", ends.channels, 1);
  require_count(prefix + "classes", ends.classes, 0);
  require_count(prefix + "registers", ends.registers, 0);
}

void validate(const TextEnds& ends, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "vocabulary", ends.vocabulary, 1);
  require_count(prefix + "positions", ends.positions, 0);
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

double token_count(const VisionEnds& ends) {
  // A strided convolution leaves out what does not fill a patch at the right and lower edge.
  const double side = real(ends.image_px / ends.patch_px);
  return side * side + real(ends.registers) + (ends.class_token ? 1.0 : 0.0);
}

std::vector<LayerProfile> vision_transformer(const TransformerShape& shape, const VisionEnds& ends,
                                             const Pass& pass, Granularity granularity, bool separate_ends) {
  validate(ends, "");
  if (pass.tokens != token_count(ends)) {
    core::throw_out_of_range("tokens", pass.tokens, "{" + core::to_text(token_count(ends)) + "}, the image's own");
  }
  return with_ends(patch_embedding(ends, shape, pass), blocks(shape, pass, granularity),
                   classifier(ends, shape, pass), separate_ends);
}

std::vector<LayerProfile> decoder(const TransformerShape& shape, const TextEnds& ends, const Pass& pass,
                                  Granularity granularity, bool separate_ends) {
  validate(ends, "");
  return with_ends(token_embedding(ends, shape, pass), blocks(shape, pass, granularity),
                   language_head(ends, shape, pass), separate_ends);
}

}  // namespace constellm::model
