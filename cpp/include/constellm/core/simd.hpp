#pragma once
#include <atomic>

// Loops over options are compiled twice, for baseline x86-64 and for AVX2, and the machine
// chooses at load time. Only the width changes: no fused multiply-add, no reordering of sums.
// Sanitizers run before the choice is made and cannot have it.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CONSTELLM_SIMD __attribute__((target_clones("avx2", "default")))
#else
#define CONSTELLM_SIMD
#endif

// Functions that are written in AVX2's own instructions, for what no compiler finds by itself; `has_avx2`
// says whether they may be called.
#if defined(__GNUC__) && defined(__x86_64__)
#define CONSTELLM_HAS_AVX2_CODE 1
#define CONSTELLM_AVX2 __attribute__((target("avx2,popcnt,sse4.2")))
#else
#define CONSTELLM_HAS_AVX2_CODE 0
#define CONSTELLM_AVX2
#endif

namespace constellm::core {

/// Tests switch those functions off to compare.
inline std::atomic<bool> avx2_allowed{true};

inline bool has_avx2() {
#if CONSTELLM_HAS_AVX2_CODE
  return avx2_allowed.load(std::memory_order_relaxed) && __builtin_cpu_supports("avx2") != 0 &&
         __builtin_cpu_supports("popcnt") != 0;
#else
  return false;
#endif
}

}  // namespace constellm::core
