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
  std::int64_t positions = 0;  ///< learned position embeddings; 0: none (rotary)
  bool tied = false;           ///< the output matrix is the token embedding

  bool operator==(const TextEnds&) const = default;
};

void validate(const TextEnds& ends, std::string_view where);

/// A whole decoder that yields one sampled token per sequence.
std::vector<LayerProfile> decoder(const TransformerShape& shape, const TextEnds& ends, const Pass& pass,
                                  Granularity granularity, bool separate_ends);

}  // namespace constellm::model
