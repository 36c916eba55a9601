#include "rans_avx2.hpp"

#if CONSTELLM_HAS_AVX2_CODE
#include <immintrin.h>
#endif

namespace constellm::codec {

#if CONSTELLM_HAS_AVX2_CODE
namespace {

// Moves those of eight words that a mask has to the upper end, in order.
constexpr auto kToEnd = [] {
  std::array<std::array<std::uint8_t, 16>, 256> shuffles{};
  for (std::size_t mask = 0; mask < 256; ++mask) {
    std::size_t to = 16;
    for (std::size_t lane = 8; lane-- > 0;) {
      if ((mask >> lane & 1) == 0) continue;
      shuffles[mask][--to] = static_cast<std::uint8_t>(2 * lane + 1);
      shuffles[mask][--to] = static_cast<std::uint8_t>(2 * lane);
    }
  }
  return shuffles;
}();

CONSTELLM_AVX2 inline __m128i two_ranges(const Range* low, const Range* high) {
  const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(low));
  return _mm_castpd_si128(_mm_loadh_pd(_mm_castsi128_pd(first), reinterpret_cast<const double*>(high)));
}

}  // namespace

template <class Id>
CONSTELLM_AVX2 std::uint16_t* encode_avx2(const Id* ids, const Range* table, const Strips& at,
                                          std::int64_t begin, std::int64_t end, std::uint32_t* states,
                                          std::uint16_t* word) {
  const __m256i low_half = _mm256_set1_epi32(0xffff);
  const __m256i low_twelve = _mm256_set1_epi32(kTotal - 1);
  const __m256i total = _mm256_set1_epi32(kTotal);
  __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(states));
  std::array<const Id*, kMostLanes> id;
  for (std::size_t l = 0; l < id.size(); ++l) id[l] = ids + at[l];
  for (std::int64_t i = end; i-- > begin;) {
    const __m128i a = two_ranges(table + id[0][i], table + id[1][i]);
    const __m128i b = two_ranges(table + id[2][i], table + id[3][i]);
    const __m128i c = two_ranges(table + id[4][i], table + id[5][i]);
    const __m128i d = two_ranges(table + id[6][i], table + id[7][i]);
    const __m256 ac = _mm256_castsi256_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(a), c, 1));
    const __m256 bd = _mm256_castsi256_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(b), d, 1));
    const __m256i reciprocal = _mm256_castps_si256(_mm256_shuffle_ps(ac, bd, 0x88));
    const __m256i rest = _mm256_castps_si256(_mm256_shuffle_ps(ac, bd, 0xdd));
    const __m256i freq = _mm256_and_si256(rest, low_half);
    const __m256i first = _mm256_and_si256(_mm256_srli_epi32(rest, 16), low_twelve);
    const __m256i shift = _mm256_srli_epi32(rest, 28);

    const __m256i keeps = _mm256_cmpgt_epi32(freq, _mm256_srli_epi32(x, 32 - kTotalBits));
    const auto full = static_cast<unsigned>(~_mm256_movemask_ps(_mm256_castsi256_ps(keeps)) & 0xff);
    const __m256i half = _mm256_and_si256(x, low_half);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    const __m128i to_end = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kToEnd[full].data()));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(word - 8), _mm_shuffle_epi8(words, to_end));
    word -= __builtin_popcount(full);
    x = _mm256_blendv_epi8(_mm256_srli_epi32(x, 16), x, keeps);

    const __m256i even = _mm256_mul_epu32(x, reciprocal);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(reciprocal, 32));
    const __m256i product = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    const __m256i quotient = _mm256_srlv_epi32(_mm256_add_epi32(x, product), shift);
    x = _mm256_add_epi32(_mm256_add_epi32(x, first),
                         _mm256_mullo_epi32(quotient, _mm256_sub_epi32(total, freq)));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(states), x);
  return word;
}
#else
template <class Id>
std::uint16_t* encode_avx2(const Id*, const Range*, const Strips&, std::int64_t, std::int64_t, std::uint32_t*,
                           std::uint16_t* word) {
  return word;  // never called
}
#endif

template std::uint16_t* encode_avx2(const std::uint8_t*, const Range*, const Strips&, std::int64_t,
                                    std::int64_t, std::uint32_t*, std::uint16_t*);
template std::uint16_t* encode_avx2(const std::uint16_t*, const Range*, const Strips&, std::int64_t,
                                    std::int64_t, std::uint32_t*, std::uint16_t*);

}  // namespace constellm::codec
