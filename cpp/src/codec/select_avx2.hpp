#pragma once
#include <cstdint>

#include "constellm/core/simd.hpp"

// Steps from bytes to bits of a mask and from bits to what is kept.
namespace constellm::codec {

/// How many of n magnitudes, all below 2^31, are at least `least`, which is not 0.
CONSTELLM_AVX2 std::int64_t count_from_avx2(const std::uint32_t* magnitude, std::int64_t n,
                                            std::uint32_t least);

/// Sets the bits of those that are, in whole bytes, the last filled up with zeros.
CONSTELLM_AVX2 void mark_from_avx2(const std::uint32_t* magnitude, std::int64_t n, std::uint32_t least,
                                   std::uint8_t* bits);

/// Bits of whole groups of 32 bytes, 1 for any but 0; returns how many bytes that are.
CONSTELLM_AVX2 std::int64_t pack_avx2(const std::uint8_t* kept, std::int64_t features, std::uint8_t* bits);

/// Puts those of n values whose bit is set one after the other, and up to seven floats beyond; returns where
/// they end.
CONSTELLM_AVX2 float* gather_avx2(const float* values, std::int64_t n, const std::uint8_t* bits, float* out);

/// The way back: the next value where a bit is set, else 0. Up to seven values are read beyond the last;
/// returns where they end.
CONSTELLM_AVX2 const float* scatter_avx2(const float* values, std::int64_t n, const std::uint8_t* bits,
                                         float* out);

/// Gathers the features' numbers, from `first` on.
CONSTELLM_AVX2 std::uint32_t* list_avx2(std::uint32_t first, std::int64_t bytes, const std::uint8_t* bits,
                                        std::uint32_t* out);

}  // namespace constellm::codec
