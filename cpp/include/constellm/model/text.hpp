#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/model/profile.hpp"
#include "constellm/model/transformer.hpp"

namespace constellm::model {

/// Input and output layers of a decoder.
struct TextEnds {
  std::int64_t vocabulary = 1;   ///< V
  std::int64_t embed_width = 0;  ///< e
  std::int64_t positions = 0;
  std::int64_t embed_vectors = 0;
  std::int64_t norm_vectors = 0;
  bool tied = false;
  bool head_bias = false;

  bool operator==(const TextEnds&) const = default;
};

constexpr auto fields(const TextEnds*) {
  using core::optional;
  using core::required;
  return core::record(
      "TextEnds", "Input and output layers of a decoder.",
      required("vocabulary", &TextEnds::vocabulary, "tokens known", "", kAtLeastOne),
      optional("embed_width", &TextEnds::embed_width,
               "numbers per token embedding, projected to the width; 0: the width", "", core::kNonNegative),
      optional("positions", &TextEnds::positions, "learned position embeddings; 0: none (rotary)", "",
               core::kNonNegative),
      optional("embed_vectors", &TextEnds::embed_vectors, "parameters of a norm behind the embedding", "",
               core::kNonNegative),
      optional("norm_vectors", &TextEnds::norm_vectors, "parameters of the final norm", "",
               core::kNonNegative),
      optional("tied", &TextEnds::tied, "the output matrix is the token embedding"),
      optional("head_bias", &TextEnds::head_bias, "of the output matrix"));
}

/// Throws core::InvalidInput that names `where` and the field.
void validate(const TextEnds& ends, std::string_view where);

/// A whole decoder that yields one sampled token per sequence.
std::vector<LayerProfile> decoder(const std::vector<BlockShape>& shapes, const TextEnds& ends,
                                  const Pass& pass, Granularity granularity, bool separate_ends);

}  // namespace constellm::model
