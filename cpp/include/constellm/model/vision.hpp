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
  std::int64_t classes = 1000;  ///< 0: the pooled features are the output
  std::int64_t registers = 0;   ///< learned tokens without a place in the image
  bool class_token = true;
  bool attention_pool = false;  ///< one learned query attends to all tokens (SigLIP)

  bool operator==(const VisionEnds&) const = default;
};

void validate(const VisionEnds& ends, std::string_view where);

/// Patches, class token and registers of one image.
double token_count(const VisionEnds& ends);

/// A whole vision transformer; `pass` needs `tokens` = token_count(ends). The ends are layers of
/// their own if `separate_ends`, else part of the first and last.
std::vector<LayerProfile> vision_transformer(const TransformerShape& shape, const VisionEnds& ends,
                                             const Pass& pass, Granularity granularity, bool separate_ends);

}  // namespace constellm::model
