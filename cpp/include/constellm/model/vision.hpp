#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/model/profile.hpp"
#include "constellm/model/transformer.hpp"

namespace constellm::model {

/// Input and output layers of a vision transformer.
struct VisionEnds {
  std::int64_t image_px = 224;
  std::int64_t patch_px = 16;
  std::int64_t channels = 3;
  std::int64_t extra_tokens = 1;
  std::int64_t positions = 0;
  std::int64_t embed_vectors = 0;
  std::int64_t head_vectors = 0;
  std::int64_t pool_mlp_width = 0;
  std::int64_t pooler_width = 0;
  std::int64_t feature_tokens = 1;
  std::int64_t classes = 1000;
  std::int64_t classifiers = 1;

  bool operator==(const VisionEnds&) const = default;
};

/// Blocks that see the same number of tokens. From one stage to the next, patches are merged.
struct VisionStage {
  std::vector<BlockShape> blocks;
  double tokens = 1.0;

  bool operator==(const VisionStage&) const = default;
};

constexpr auto fields(const VisionEnds*) {
  using core::optional;
  using core::required;
  return core::record(
      "VisionEnds", "Input and output layers of a vision transformer.",
      required("image_px", &VisionEnds::image_px, "side of the square image", "px", kAtLeastOne),
      required("patch_px", &VisionEnds::patch_px, "side of a patch", "px", kAtLeastOne),
      optional("channels", &VisionEnds::channels, "of the image", "", kAtLeastOne),
      optional("extra_tokens", &VisionEnds::extra_tokens,
               "without a place in the image: class, distillation, registers", "", core::kNonNegative),
      optional("positions", &VisionEnds::positions, "learned position embeddings", "", core::kNonNegative),
      optional("embed_vectors", &VisionEnds::embed_vectors,
               "other parameters of the embedding: bias, learned tokens, norms", "", core::kNonNegative),
      optional("head_vectors", &VisionEnds::head_vectors, "parameters of the norms behind the last block", "",
               core::kNonNegative),
      optional("pool_mlp_width", &VisionEnds::pool_mlp_width,
               "one learned query attends to all tokens, then an MLP of this width; 0: none", "",
               core::kNonNegative),
      optional("pooler_width", &VisionEnds::pooler_width, "a dense layer over what is read out; 0: none", "",
               core::kNonNegative),
      optional("feature_tokens", &VisionEnds::feature_tokens, "pooled vectors read out side by side", "",
               kAtLeastOne),
      optional("classes", &VisionEnds::classes, "0: the pooled features are the output", "",
               core::kNonNegative),
      optional("classifiers", &VisionEnds::classifiers, "whose results are averaged", "", kAtLeastOne));
}

constexpr auto fields(const VisionStage*) {
  using core::required;
  return core::record("VisionStage", "Blocks that see the same number of tokens.",
                      required("blocks", &VisionStage::blocks, "one after the other"),
                      required("tokens", &VisionStage::tokens, "of one image", "", core::kPositive));
}

/// Throw core::InvalidInput that names `where` and the field.
void validate(const VisionEnds& ends, std::string_view where);
void validate(const VisionStage& stage, std::string_view where);

/// Patches and extra tokens of one image.
double token_count(const VisionEnds& ends);

/// A whole vision transformer; `pass.tokens` is read from each stage, and the first has token_count(ends).
std::vector<LayerProfile> vision_transformer(const std::vector<VisionStage>& stages, const VisionEnds& ends,
                                             const Pass& pass, Granularity granularity, bool separate_ends);

}  // namespace constellm::model
