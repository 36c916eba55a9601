#pragma once

// Loops over options are compiled twice, for baseline x86-64 and for AVX2, and the machine
// chooses at load time. Only the width changes: no fused multiply-add, no reordering of sums.
// Sanitizers run before the choice is made and cannot have it.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CONSTELLM_SIMD_DISPATCH 1
#define CONSTELLM_SIMD __attribute__((target_clones("avx2", "default")))
#else
#define CONSTELLM_SIMD_DISPATCH 0
#define CONSTELLM_SIMD
#endif
