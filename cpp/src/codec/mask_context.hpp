#pragma once
#include "constellm/codec/symbols.hpp"

// Masks feature by feature: whether one is kept depends on whether the token before and the one above
// (`stride` tokens before) keep it, and on how often it was kept of late, a running mean with weight 1/4.
// Each combination has its probability.
namespace constellm::codec {

/// Prepares `scratch`; what the mask will take, in bits.
std::uint64_t fit_mask_context(const Grid& grid, core::StopToken& stop, CoderScratch& scratch);

/// Appends what `fit_mask_context` has prepared.
void put_mask_context(const Grid& grid, core::StopToken& stop, CoderScratch& scratch, Bytes& out);

void get_mask_context(ByteReader& in, std::int64_t tokens, core::StopToken& stop, CoderScratch& scratch,
                      MaskBits& mask);

}  // namespace constellm::codec
