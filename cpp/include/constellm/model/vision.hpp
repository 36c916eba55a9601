#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/model/profile.hpp"
#include "constellm/model/transformer.hpp"

namespace constellm::model {

/// What feeds a vision transformer and what reads it out.
struct VisionEnds {
  std::int64_t image_px = 224;  ///< side of the square image
  std::int64_t patch_px = 16;   ///< side of a patch
  std::int64_t channels = 3;
  std::int64_t extra_tokens = 1;    ///< without a place in the image: class, distillation, registers
  std::int64_t positions = 0;       ///< learned position embeddings
  std::int64_t embed_vectors = 0;   ///< other parameters of the embedding: bias, learned tokens, norms
  std::int64_t head_vectors = 0;    ///< parameters of the norms behind the last block
  std::int64_t pool_mlp_width = 0;  ///< one learned query attends to all tokens, then such an MLP (SigLIP)
  std::int64_t pooler_width = 0;    ///< a dense layer over what is read out; 0: none
  std::int64_t feature_tokens = 1;  ///< pooled vectors that are read out side by side
  std::int64_t classes = 1000;      ///< 0: the pooled features are the output
  std::int64_t classifiers = 1;     ///< whose results are averaged (DeiT's, one for each learned token)

  bool operator==(const VisionEnds&) const = default;
};

/// Blocks that see the same number of tokens. From one stage to the next, patches are merged.
struct VisionStage {
  std::vector<BlockShape> blocks;
  double tokens = 1.0;  ///< of one image

  bool operator==(const VisionStage&) const = default;
};

void validate(const VisionEnds& ends, std::string_view where);
void validate(const VisionStage& stage, std::string_view where);

/// Patches and extra tokens of one image.
double token_count(const VisionEnds& ends);

/// A whole vision transformer; `pass.tokens` is read from each stage, and the first has token_count(ends).
std::vector<LayerProfile> vision_transformer(const std::vector<VisionStage>& stages, const VisionEnds& ends,
                                             const Pass& pass, Granularity granularity, bool separate_ends);

}  // namespace constellm::model
