#include "least_costs_avx2.hpp"

#include <bit>

#if CONSTELLM_HAS_AVX2_CODE
#include <immintrin.h>

namespace constellm::network {
namespace {

constexpr std::size_t kVectors = LeastCosts::kTogether / 4;

/// Follows the links of a place.
CONSTELLM_AVX2 inline void follow(const Sweeping at, std::size_t place) {
  at.waiting[place / 64] &= ~(std::uint64_t{1} << (place % 64));
  __m256d here[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k) here[k] = _mm256_load_pd(at.cost[place].from.data() + 4 * k);
  const LeastCosts::Arc* const end = at.arcs + at.begin[place + 1];
  for (const LeastCosts::Arc* arc = at.arcs + at.begin[place]; arc < end; ++arc) {
    const auto to = static_cast<std::size_t>(arc->to);
    double* const cost = at.cost[to].from.data();
    const __m256d weight = _mm256_set1_pd(arc->weight);
    __m256d fell = _mm256_setzero_pd();
    for (std::size_t k = 0; k < kVectors; ++k) {
      const __m256d there = _mm256_load_pd(cost + 4 * k);
      const __m256d by_here = _mm256_add_pd(here[k], weight);
      fell = _mm256_or_pd(fell, _mm256_cmp_pd(by_here, there, _CMP_LT_OQ));
      _mm256_store_pd(cost + 4 * k, _mm256_min_pd(by_here, there));
    }
    // Without a branch, which the processor would guess wrong half of the time.
    const std::uint64_t any = _mm256_movemask_pd(fell) != 0 ? 1 : 0;
    at.waiting[to / 64] |= any << (to % 64);
  }
}

CONSTELLM_AVX2 bool sweep_up(const Sweeping at) {
  bool any = false;
  for (std::size_t word = 0; word < at.waiting.size(); ++word) {
    std::uint64_t ahead = ~std::uint64_t{0};
    while ((at.waiting[word] & ahead) != 0) {
      const int bit = std::countr_zero(at.waiting[word] & ahead);
      ahead = (~std::uint64_t{1}) << bit;
      follow(at, 64 * word + static_cast<std::size_t>(bit));
      any = true;
    }
  }
  return any;
}

CONSTELLM_AVX2 bool sweep_down(const Sweeping at) {
  bool any = false;
  for (std::size_t word = at.waiting.size(); word-- > 0;) {
    std::uint64_t ahead = ~std::uint64_t{0};
    while ((at.waiting[word] & ahead) != 0) {
      const int bit = 63 - std::countl_zero(at.waiting[word] & ahead);
      ahead = (std::uint64_t{1} << bit) - 1;
      follow(at, 64 * word + static_cast<std::size_t>(bit));
      any = true;
    }
  }
  return any;
}

}  // namespace

CONSTELLM_AVX2 void sweep_avx2(const Sweeping at) {
  while (sweep_up(at) && sweep_down(at)) {
  }
}

}  // namespace constellm::network
#endif
