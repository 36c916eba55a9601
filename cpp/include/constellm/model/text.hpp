#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/model/profile.hpp"
#include "constellm/model/transformer.hpp"

namespace constellm::model {

/// What feeds a decoder and what reads it out.
struct TextEnds {
  std::int64_t vocabulary = 1;
  std::int64_t embed_width = 0;    ///< numbers per token embedding, projected to the width; 0: the width
  std::int64_t positions = 0;      ///< learned position embeddings; 0: none (rotary)
  std::int64_t embed_vectors = 0;  ///< parameters of a norm behind the embedding
  std::int64_t norm_vectors = 0;   ///< parameters of the final norm
  bool tied = false;               ///< the output matrix is the token embedding
  bool head_bias = false;          ///< of the output matrix

  bool operator==(const TextEnds&) const = default;
};

void validate(const TextEnds& ends, std::string_view where);

/// A whole decoder that yields one sampled token per sequence.
std::vector<LayerProfile> decoder(const std::vector<BlockShape>& shapes, const TextEnds& ends,
                                  const Pass& pass, Granularity granularity, bool separate_ends);

}  // namespace constellm::model
