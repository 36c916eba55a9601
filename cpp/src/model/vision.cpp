#include "constellm/model/vision.hpp"

#include <string>

#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {
namespace {

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
  layer.parameters =
      patch * d + d + d * (class_tokens + real(ends.registers)) + d * (side * side + class_tokens);
  layer.flop = 2.0 * step.batch * side * side * patch * d;
  layer.workspace_bytes =
      step.batch * side * side * patch * step.activation_element + step.per_token_bytes(d);
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

}  // namespace

void validate(const VisionEnds& ends, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "patch_px", ends.patch_px, 1);
  require_count(prefix + "image_px", ends.image_px, ends.patch_px);
  require_count(prefix + "channels", ends.channels, 1);
  require_count(prefix + "classes", ends.classes, 0);
  require_count(prefix + "registers", ends.registers, 0);
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
    core::throw_out_of_range("tokens", pass.tokens,
                             "{" + core::to_text(token_count(ends)) + "}, the image's own");
  }
  return with_ends(patch_embedding(ends, shape, pass), blocks(shape, pass, granularity),
                   classifier(ends, shape, pass), separate_ends);
}

}  // namespace constellm::model
