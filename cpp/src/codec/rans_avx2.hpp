#pragma once
#include "constellm/codec/rans.hpp"
#include "constellm/core/simd.hpp"

// Eight states in one register.
namespace constellm::codec {

/// Encodes the symbols [begin, end) of every strip, the last first; returns where the words begin then.
/// Eight words before `word` may be written.
template <class Id>
CONSTELLM_AVX2 std::uint16_t* encode_avx2(const Id* ids, const Range* table, const Strips& at,
                                          std::int64_t begin, std::int64_t end, std::uint32_t* states,
                                          std::uint16_t* word);

}  // namespace constellm::codec
