#include "constellm/model/vision.hpp"

#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {
namespace {

/// Patches cut out by a strided convolution, learned tokens, position embeddings.
/// FLOP: 2 (p^2 c) d per patch.
LayerProfile patch_embedding(const VisionEnds& ends, double d, const Pass& pass) {
  const Step step(pass);
  const double patch = real(ends.patch_px) * real(ends.patch_px) * real(ends.channels);
  const double patches = step.tokens - real(ends.extra_tokens);
  LayerProfile layer;
  layer.name = "patch-embedding";
  layer.parameters = patch * d + d * real(ends.positions) + real(ends.embed_vectors);
  layer.flop = 2.0 * step.batch * patches * patch * d;
  layer.workspace_bytes = step.batch * patches * patch * step.activation_element + step.per_token_bytes(d);
  layer.output_bytes = step.per_token_bytes(d);
  return complete(layer, step);
}

/// Four neighbouring patches of width d side by side, normed, through one matrix to width d': 2 (4 d) d'
/// FLOP for each token that stays. Liu et al., "Swin Transformer" (2021), section 3.1.
LayerProfile patch_merging(double from_width, double to_width, const Pass& merged) {
  const Step step(merged);
  LayerProfile layer;
  layer.parameters = 4.0 * from_width * (to_width + 2.0);
  layer.flop = step.matrix_flop(4.0 * from_width * to_width);
  layer.workspace_bytes = step.per_token_bytes(4.0 * from_width + to_width);
  layer.output_bytes = step.per_token_bytes(to_width);
  return complete(layer, step);
}

/// Final norm, pooling, classifier: 2 d C FLOP. Attention pooling adds a learned query, its
/// attention over n tokens, and an MLP with residual: 2(2d^2 + 2n d^2) + 4 n d + 4 d f FLOP,
/// Zhai et al., "Scaling Vision Transformers" (2022), as SigLIP uses it.
LayerProfile classifier(const VisionEnds& ends, double d, const Pass& pass) {
  const Step step(pass);
  const double classes = real(ends.classes);
  const double pooler = real(ends.pooler_width);
  const double features = real(ends.feature_tokens) * (pooler > 0.0 ? pooler : d);
  LayerProfile layer;
  layer.name = "head";
  layer.parameters = real(ends.head_vectors);
  double workspace = step.per_token_bytes(d) + step.batch * (d + classes) * step.activation_element;
  if (ends.pool_mlp_width > 0) {
    const double f = real(ends.pool_mlp_width);
    layer.parameters += d + 4.0 * (d * d + d) + 2.0 * d * f + f + d;
    layer.flop += step.batch * 2.0 * (2.0 * d * d + 2.0 * d * f) + step.matrix_flop(2.0 * d * d + 2.0 * d);
    workspace += step.per_token_bytes(2.0 * d) + step.batch * f * step.activation_element;
  }
  if (ends.pooler_width > 0) {
    layer.parameters += pooler * (d + 1.0);
    layer.flop += step.batch * 2.0 * d * pooler;
  }
  if (ends.classes > 0) {
    layer.parameters += real(ends.classifiers) * classes * (features + 1.0);
    layer.flop += step.batch * 2.0 * real(ends.classifiers) * features * classes;
  }
  layer.workspace_bytes = workspace;
  layer.output_bytes = step.batch * (ends.classes > 0 ? classes : features) * step.activation_element;
  return complete(layer, step);
}

}  // namespace

void validate(const VisionEnds& ends, std::string_view where) {
  core::check_ranges(ends, where);
  if (ends.image_px < ends.patch_px) {
    core::throw_out_of_range(where, "image_px", real(ends.image_px),
                             "[" + std::to_string(ends.patch_px) + ", inf), a patch's side");
  }
}

void validate(const VisionStage& stage, std::string_view where) {
  core::check_ranges(stage, where);
  if (stage.blocks.empty()) {
    throw core::InvalidInput(std::string(where) + "blocks: a stage has at least one, got none");
  }
}

double token_count(const VisionEnds& ends) {
  // A strided convolution leaves out what does not fill a patch at the right and lower edge.
  const double side = real(ends.image_px / ends.patch_px);
  return side * side + real(ends.extra_tokens);
}

std::vector<LayerProfile> vision_transformer(const std::vector<VisionStage>& stages, const VisionEnds& ends,
                                             const Pass& pass, Granularity granularity, bool separate_ends) {
  validate(ends, "");
  if (stages.empty()) throw core::InvalidInput("stages: a vision transformer has at least one, got none");
  if (stages.front().tokens != token_count(ends)) {
    core::throw_out_of_range("stages[0].tokens", stages.front().tokens,
                             "{" + core::to_text(token_count(ends)) + "}, the image's own");
  }
  std::vector<LayerProfile> layers;
  Pass within = pass;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    validate(stages[i], "stages[" + std::to_string(i) + "].");
    within.tokens = stages[i].tokens;
    if (!layers.empty()) {
      const double from = real(stages[i - 1].blocks.back().width);
      const LayerProfile merging = patch_merging(from, real(stages[i].blocks.front().width), within);
      layers.back() = fold(layers.back(), merging, layers.back().name);
    }
    const std::string stage = stages.size() == 1 ? "" : "stage-" + std::to_string(i) + "/";
    for (LayerProfile& layer : blocks(stages[i].blocks, within, granularity)) {
      layer.name = stage + layer.name;
      layers.push_back(std::move(layer));
    }
  }
  Pass first = pass;
  first.tokens = stages.front().tokens;
  return with_ends(patch_embedding(ends, real(stages.front().blocks.front().width), first), std::move(layers),
                   classifier(ends, real(stages.back().blocks.back().width), within), separate_ends);
}

}  // namespace constellm::model
