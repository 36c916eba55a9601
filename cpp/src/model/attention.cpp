#include "attention.hpp"

#include <algorithm>
#include <cmath>

namespace constellm::model {
namespace {

/// Query-key pairs of one sequence and head, for n `tokens` behind s `past_tokens`.
///
/// All see all: n(s + n), or n w within windows of w. Causal: sum over i = 1..n of min(s + i, w), which
/// is n s + n(n + 1)/2 without a window, as kernels count that skip the masked half. In chunks of w a
/// token sees ((s + i - 1) mod w) + 1: whole chunks hold w(w + 1)/2 pairs. Derived here; exact for
/// whole numbers.
double query_key_pairs(const AttentionShape& shape, const Pass& pass) {
  const double n = pass.tokens;
  const double s = pass.past_tokens;
  const double w = real(shape.window);
  if (!pass.causal) return n * in_window(shape, s + n);
  const auto growing = [](double from, double m) { return m * from + m * (m + 1.0) / 2.0; };
  if (shape.window == 0) return growing(s, n);
  if (shape.chunked) {
    const auto until = [&](double tokens) {
      const double rest = std::fmod(tokens, w);
      return (tokens - rest) / w * growing(0.0, w) + growing(0.0, rest);
    };
    return until(s + n) - until(s);
  }
  const double until_full = std::clamp(w - s, 0.0, n);
  return growing(s, until_full) + (n - until_full) * w;
}

}  // namespace

double in_window(const AttentionShape& shape, double tokens) {
  return shape.window == 0 ? tokens : std::min(tokens, real(shape.window));
}

/// FLOP of one chunk and sequence, n tokens, P pairs per head, h heads, queries and keys of a numbers,
/// values of b:
///   ordinary   2 n d (h a + g (a + b)) + 2 P h (a + b)
///   latent     queries at once, 2 n d h a, or through r_q numbers, 2 n (d r_q + r_q h a); then
///              2 n d (r + a_r) for the latent and the shared rotary part. Keys and values are
///              either made from the latents of all t tokens seen,
///                2 t r h (a - a_r + b) + 2 P h (a + b),
///              or their matrices are absorbed into queries and output,
///                2 n r h (a - a_r + b) + 2 P h (2 r + a_r):
///              the cheaper is counted. DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix C.
LayerProfile attention_part(const BlockShape& block, const Pass& pass) {
  const AttentionShape& shape = block.attention;
  const Step step(pass);
  const double chunks = real(pass.chunks);
  const double d = real(block.width);
  const double h = real(shape.heads);
  const double g = real(shape.kv_heads);
  const double a = real(shape.head_width);
  const double b = real(shape.value_width);
  const double rank = real(shape.kv_rank);
  const double rope = real(shape.rope_width);
  const double query_rank = real(shape.query_rank);
  const double pairs = step.batch * query_key_pairs(shape, pass) / chunks;
  // The mean chunk reads what came before the pass, before the chunk, and the chunk itself.
  const double seen = pass.past_tokens + pass.tokens * (chunks + 1.0) / (2.0 * chunks);

  const double queries = query_rank > 0.0 ? query_rank * (d + h * a) : d * h * a;
  double expansion = 0.0;
  double keys_and_values = d * g * (a + b);
  double cached = (shape.cached_heads > 0 ? real(shape.cached_heads) : g) * (a + b);
  double attending = 2.0 * pairs * h * (a + b);
  if (rank > 0.0) {
    keys_and_values = d * (rank + rope);
    cached = rank + rope;
    expansion = rank * h * (a - rope + b);
    const double expanded = 2.0 * step.batch * seen * expansion + attending;
    const double absorbed = step.matrix_flop(expansion) + 2.0 * pairs * h * (2.0 * rank + rope);
    attending = std::min(expanded, absorbed);
  }
  const double cached_bytes = step.batch * cached * step.activation_element;

  LayerProfile layer;
  layer.name = "attention";
  layer.parameters = queries + keys_and_values + expansion + real(shape.vectors);
  layer.flop = step.matrix_flop(queries + keys_and_values) + attending;
  layer.kv_cache_bytes = cached_bytes * in_window(shape, pass.cache_tokens);
  layer.read_bytes = pass.cache_tokens > 0.0 ? cached_bytes * in_window(shape, seen) : 0.0;
  layer.workspace_bytes = step.per_token_bytes(d + h * a + g * (a + b) + std::max(d, h * b));
  layer.output_bytes = step.per_token_bytes(d + h * b);
  return complete(layer, step);
}

LayerProfile attention_out_part(const BlockShape& block, const Pass& pass) {
  const Step step(pass);
  const double d = real(block.width);
  const double values = real(block.attention.heads) * real(block.attention.value_width);
  LayerProfile layer;
  layer.name = "attention-out";
  layer.parameters = values * d + real(block.attention.out_vectors);
  layer.flop = step.matrix_flop(values * d);
  layer.workspace_bytes = step.per_token_bytes(d + values + d);
  layer.output_bytes = step.per_token_bytes(block.parallel ? 2.0 * d : d);
  return complete(layer, step);
}

}  // namespace constellm::model
