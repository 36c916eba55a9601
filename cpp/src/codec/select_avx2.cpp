#include "select_avx2.hpp"

#include <array>
#include <cstring>

#include "ranks.hpp"

#if CONSTELLM_HAS_AVX2_CODE
#include <immintrin.h>
#endif

namespace constellm::codec {

#if CONSTELLM_HAS_AVX2_CODE
namespace {

// Which of eight values are kept, those first that are.
constexpr auto kKept = [] {
  std::array<std::array<std::uint8_t, 8>, 256> kept{};
  for (std::size_t mask = 0; mask < 256; ++mask) {
    std::size_t n = 0;
    for (std::uint8_t i = 0; i < 8; ++i) {
      if ((mask >> i & 1) != 0) kept[mask][n++] = i;
    }
  }
  return kept;
}();

}  // namespace

CONSTELLM_AVX2 std::int64_t count_from_avx2(const std::uint32_t* magnitude, std::int64_t n,
                                            std::uint32_t least) {
  const __m256i below = _mm256_set1_epi32(static_cast<std::int32_t>(least - 1));
  __m256i sum[4] = {};  // negative; below 2^31 for any array
  std::int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (int k = 0; k < 4; ++k) {
      const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(magnitude + i + 8 * k));
      sum[k] = _mm256_add_epi32(sum[k], _mm256_cmpgt_epi32(eight, below));
    }
  }
  const __m256i eight = _mm256_add_epi32(_mm256_add_epi32(sum[0], sum[1]), _mm256_add_epi32(sum[2], sum[3]));
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  std::int64_t count = -(_mm_cvtsi128_si32(four) + _mm_extract_epi32(four, 1));
  for (; i < n; ++i) count += magnitude[i] >= least ? 1 : 0;
  return count;
}

CONSTELLM_AVX2 void mark_from_avx2(const std::uint32_t* magnitude, std::int64_t n, std::uint32_t least,
                                   std::uint8_t* bits) {
  const __m256i below = _mm256_set1_epi32(static_cast<std::int32_t>(least - 1));
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(magnitude + i));
    const int mask = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(eight, below)));
    *bits++ = static_cast<std::uint8_t>(mask);
  }
  if (i == n) return;
  *bits = 0;
  for (; i < n; ++i) *bits = static_cast<std::uint8_t>(*bits | (magnitude[i] >= least ? 1 : 0) << (i % 8));
}

CONSTELLM_AVX2 std::int64_t pack_avx2(const std::uint8_t* kept, std::int64_t features, std::uint8_t* bits) {
  std::int64_t i = 0;
  for (; i + 32 <= features; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kept + i));
    const int zeros = _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256()));
    const int ones = ~zeros;
    std::memcpy(bits + i / 8, &ones, 4);
  }
  return i;
}

CONSTELLM_AVX2 float* gather_avx2(const float* values, std::int64_t n, const std::uint8_t* bits, float* out) {
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const std::uint8_t mask = bits[i / 8];
    const __m128i at = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kKept[mask].data()));
    _mm256_storeu_ps(out, _mm256_permutevar8x32_ps(_mm256_loadu_ps(values + i), _mm256_cvtepu8_epi32(at)));
    out += __builtin_popcount(mask);
  }
  for (; i < n; ++i) {
    *out = values[i];
    out += bits[i / 8] >> (i % 8) & 1;
  }
  return out;
}

CONSTELLM_AVX2 const float* scatter_avx2(const float* values, std::int64_t n, const std::uint8_t* bits,
                                         float* out) {
  const __m256i one_each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const std::uint8_t mask = bits[i / 8];
    const __m128i rank = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kRanks[mask].data()));
    const __m256i kept = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(mask), one_each), one_each);
    const __m256 next = _mm256_permutevar8x32_ps(_mm256_loadu_ps(values), _mm256_cvtepu8_epi32(rank));
    _mm256_storeu_ps(out + i, _mm256_and_ps(next, _mm256_castsi256_ps(kept)));
    values += __builtin_popcount(mask);
  }
  for (; i < n; ++i) {
    const bool kept = (bits[i / 8] >> (i % 8) & 1) != 0;
    out[i] = kept ? *values : 0.0f;
    values += kept ? 1 : 0;
  }
  return values;
}

CONSTELLM_AVX2 std::uint32_t* list_avx2(std::uint32_t first, std::int64_t bytes, const std::uint8_t* bits,
                                        std::uint32_t* out) {
  for (std::int64_t b = 0; b < bytes; ++b, first += 8) {
    const __m128i at = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kKept[bits[b]].data()));
    const __m256i features =
        _mm256_add_epi32(_mm256_cvtepu8_epi32(at), _mm256_set1_epi32(static_cast<std::int32_t>(first)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), features);
    out += __builtin_popcount(bits[b]);
  }
  return out;
}
#else
std::int64_t count_from_avx2(const std::uint32_t*, std::int64_t, std::uint32_t) { return 0; }  // never called
void mark_from_avx2(const std::uint32_t*, std::int64_t, std::uint32_t, std::uint8_t*) {}
std::int64_t pack_avx2(const std::uint8_t*, std::int64_t, std::uint8_t*) { return 0; }
float* gather_avx2(const float*, std::int64_t, const std::uint8_t*, float* out) { return out; }
const float* scatter_avx2(const float* values, std::int64_t, const std::uint8_t*, float*) { return values; }
std::uint32_t* list_avx2(std::uint32_t, std::int64_t, const std::uint8_t*, std::uint32_t* out) { return out; }
#endif

}  // namespace constellm::codec
