#pragma once
#include <array>
#include <cstdint>

#include "constellm/codec/rans.hpp"
#include "constellm/core/simd.hpp"

// Masks with contexts, 32 bytes at a time. In decoding: a row of eight strips at once, one state each; what
// belongs to a feature lies together, eight bytes.
namespace constellm::codec {

/// What `number_pairs` of mask_context.cpp does, for whole groups of 16 pairs; returns how many pairs that
/// are.
CONSTELLM_AVX2 std::int64_t number_pairs_avx2(const std::array<std::uint8_t, 64>& levels,
                                              const std::uint8_t* ids, std::int64_t pairs,
                                              std::uint16_t* numbers);

/// Probabilities of a one in 1/kTotal, by context: their lower and their upper bytes.
struct MaskProbabilities {
  std::array<std::uint8_t, 64> low;
  std::array<std::uint8_t, 64> high;
};

/// Decodes `pairs` pairs of features of the first `active` strips, 1 to 8, whose `contexts` [pairs, 2, 8] are
/// below 64, to bytes of 0 or 1, and puts zeros for the other strips. Both arrays are read and written in
/// steps of two pairs.
CONSTELLM_AVX2 void decode_mask_row_avx2(const MaskProbabilities& one, const std::uint8_t* contexts,
                                         std::int64_t pairs, int active, RansDecoder<kMostLanes>& decoder,
                                         std::uint8_t* row);

}  // namespace constellm::codec
