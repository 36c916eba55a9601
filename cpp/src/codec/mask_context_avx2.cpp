#include "mask_context_avx2.hpp"

#include <cstring>

#include "ranks.hpp"

#if CONSTELLM_HAS_AVX2_CODE
#include <immintrin.h>
#endif

namespace constellm::codec {

#if CONSTELLM_HAS_AVX2_CODE
namespace {

struct Lookup {
  __m256i part[4];
};

CONSTELLM_AVX2 inline Lookup lookup(const std::array<std::uint8_t, 64>& table) {
  Lookup all;
  for (int p = 0; p < 4; ++p) {
    all.part[p] =
        _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data() + 16 * p)));
  }
  return all;
}

// Entries by six bits, the lower four of which say where in a part, the others in which.
CONSTELLM_AVX2 inline __m256i find(const Lookup& table, __m256i at) {
  const __m256i odd = _mm256_slli_epi16(at, 3);
  const __m256i upper = _mm256_slli_epi16(at, 2);
  const __m256i low =
      _mm256_blendv_epi8(_mm256_shuffle_epi8(table.part[0], at), _mm256_shuffle_epi8(table.part[1], at), odd);
  const __m256i high =
      _mm256_blendv_epi8(_mm256_shuffle_epi8(table.part[2], at), _mm256_shuffle_epi8(table.part[3], at), odd);
  return _mm256_blendv_epi8(low, high, upper);
}

// Words of the states of `lanes`, whose bits say who wants one, each in its lane; none when they run out.
CONSTELLM_AVX2 inline __m256i take(unsigned lanes, const std::uint8_t*& word, const std::uint8_t* end) {
  const int bytes = 2 * __builtin_popcount(lanes);
  __m128i next;
  if (end - word >= 16) {
    next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(word));
  } else {
    if (end - word < bytes) throw_corrupt("entropy-coded part too short");
    alignas(16) std::array<std::uint8_t, 16> last{};
    std::memcpy(last.data(), word, static_cast<std::size_t>(end - word));
    next = _mm_load_si128(reinterpret_cast<const __m128i*>(last.data()));
  }
  word += bytes;
  const __m128i rank = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kRanks[lanes].data()));
  return _mm256_permutevar8x32_epi32(_mm256_cvtepu16_epi32(next), _mm256_cvtepu8_epi32(rank));
}

// Whether each lane's slot is below the second threshold, thus the first bit 0, and whether the second is 0.
struct Below {
  __m256i first;
  __m256i second;
};

// One pair of every lane; `begin` are where the pair's second, third and fourth pattern begin.
CONSTELLM_AVX2 inline Below step(const __m128i (&begin)[3], __m256i& state, const std::uint8_t*& word,
                                 const std::uint8_t* end) {
  const __m256i one = _mm256_cvtepu16_epi32(begin[0]);
  const __m256i two = _mm256_cvtepu16_epi32(begin[1]);
  const __m256i three = _mm256_cvtepu16_epi32(begin[2]);
  const __m256i slot = _mm256_and_si256(state, _mm256_set1_epi32(kTotal - 1));
  const __m256i below_one = _mm256_cmpgt_epi32(one, slot);
  const __m256i below_two = _mm256_cmpgt_epi32(two, slot);
  const __m256i below_three = _mm256_cmpgt_epi32(three, slot);
  const __m256i freq =
      _mm256_blendv_epi8(_mm256_blendv_epi8(_mm256_sub_epi32(_mm256_set1_epi32(kTotal), three),
                                            _mm256_sub_epi32(three, two), below_three),
                         _mm256_blendv_epi8(_mm256_sub_epi32(two, one), one, below_one), below_two);
  const __m256i first = _mm256_blendv_epi8(_mm256_blendv_epi8(three, two, below_three),
                                           _mm256_andnot_si256(below_one, one), below_two);
  const __m256i x = _mm256_add_epi32(_mm256_mullo_epi32(freq, _mm256_srli_epi32(state, kTotalBits)),
                                     _mm256_sub_epi32(slot, first));
  const __m256i low = _mm256_cmpeq_epi32(_mm256_srli_epi32(x, 16), _mm256_setzero_si256());
  const auto lanes = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(low)));
  const __m256i next = take(lanes, word, end);
  state = _mm256_blendv_epi8(x, _mm256_or_si256(_mm256_slli_epi32(x, 16), next), low);
  return {below_two, _mm256_blendv_epi8(below_three, below_one, below_two)};
}

}  // namespace

CONSTELLM_AVX2 std::int64_t number_pairs_avx2(const std::array<std::uint8_t, 64>& levels,
                                              const std::uint8_t* ids, std::int64_t pairs,
                                              std::uint16_t* numbers) {
  const Lookup table = lookup(levels);
  const __m256i level_weights = _mm256_set1_epi16(4 << 8 | 128);
  const __m256i bit_weights = _mm256_set1_epi16(1 << 8 | 2);
  std::int64_t i = 0;
  for (; i + 16 <= pairs; i += 16) {
    const __m256i id = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ids + 2 * i));
    const __m256i context = _mm256_and_si256(_mm256_srli_epi16(id, 1), _mm256_set1_epi8(63));
    const __m256i bit = _mm256_and_si256(id, _mm256_set1_epi8(1));
    const __m256i number = _mm256_add_epi16(_mm256_maddubs_epi16(level_weights, find(table, context)),
                                            _mm256_maddubs_epi16(bit_weights, bit));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(numbers + i), number);
  }
  return i;
}

CONSTELLM_AVX2 void decode_mask_row_avx2(const MaskProbabilities& probabilities, const std::uint8_t* contexts,
                                         std::int64_t pairs, int active, RansDecoder<kMostLanes>& decoder,
                                         std::uint8_t* row) {
  const Lookup low = lookup(probabilities.low);
  const Lookup high = lookup(probabilities.high);
  const __m256i total = _mm256_set1_epi16(kTotal);
  const __m256i least = _mm256_set1_epi16(1);
  const __m256i lane = _mm256_broadcastsi128_si256(_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7));
  const __m256i idle = _mm256_cmpgt_epi16(lane, _mm256_set1_epi16(static_cast<short>(active - 1)));
  const __m256i by_feature = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  __m256i state = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(decoder.state.data()));
  const std::uint8_t* word = decoder.word;
  for (std::int64_t p = 0; p < pairs; p += 2) {
    const __m256i at = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(contexts + 16 * p));
    const __m256i low_bytes = find(low, at);
    const __m256i high_bytes = find(high, at);
    // The first features of both pairs, then the second ones, as in `pair_begin`; mulhrs is (a * b + 2^14)
    // >> 15.
    const __m256i ones = _mm256_unpacklo_epi8(low_bytes, high_bytes);
    const __m256i second = _mm256_slli_epi16(_mm256_unpackhi_epi8(low_bytes, high_bytes), 15 - kTotalBits);
    const __m256i zeros = _mm256_sub_epi16(total, ones);
    const __m256i of_zeros = _mm256_min_epi16(_mm256_max_epi16(_mm256_mulhrs_epi16(zeros, second), least),
                                              _mm256_sub_epi16(zeros, least));
    const __m256i of_ones = _mm256_min_epi16(_mm256_max_epi16(_mm256_mulhrs_epi16(ones, second), least),
                                             _mm256_sub_epi16(ones, least));
    // What has no row takes all for its first pattern, which leaves a state as it is.
    const __m256i one = _mm256_blendv_epi8(_mm256_sub_epi16(zeros, of_zeros), total, idle);
    const __m256i two = _mm256_blendv_epi8(zeros, total, idle);
    const __m256i three = _mm256_blendv_epi8(_mm256_sub_epi16(total, of_ones), total, idle);

    const __m128i begin[3] = {_mm256_castsi256_si128(one), _mm256_castsi256_si128(two),
                              _mm256_castsi256_si128(three)};
    const Below a = step(begin, state, word, decoder.end);
    Below b{_mm256_set1_epi32(-1), _mm256_set1_epi32(-1)};
    if (p + 1 < pairs) {
      const __m128i next[3] = {_mm256_extracti128_si256(one, 1), _mm256_extracti128_si256(two, 1),
                               _mm256_extracti128_si256(three, 1)};
      b = step(next, state, word, decoder.end);
    }
    const __m256i below =
        _mm256_packs_epi16(_mm256_packs_epi32(a.first, a.second), _mm256_packs_epi32(b.first, b.second));
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(row + 16 * p),
        _mm256_andnot_si256(_mm256_permutevar8x32_epi32(below, by_feature), _mm256_set1_epi8(1)));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(decoder.state.data()), state);
  decoder.word = word;
}
#else
std::int64_t number_pairs_avx2(const std::array<std::uint8_t, 64>&, const std::uint8_t*, std::int64_t,
                               std::uint16_t*) {
  return 0;  // never called
}
void decode_mask_row_avx2(const MaskProbabilities&, const std::uint8_t*, std::int64_t, int,
                          RansDecoder<kMostLanes>&, std::uint8_t*) {}  // never called
#endif

}  // namespace constellm::codec
