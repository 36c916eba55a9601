#pragma once
#include <cstdint>
#include <span>

#include "constellm/codec/bytes.hpp"
#include "constellm/codec/select.hpp"
#include "constellm/codec/symbols.hpp"

// Masks, four features at a time: a group's 16 patterns are a symbol whose probabilities are products of
// those of its features.
namespace constellm::codec {

/// Appends the mask of `grid`, `kept` of whose elements are kept, in the shortest of the forms that `entropy`
/// allows: all, none, packed bits, one density, equal counts in all rows, contexts (mask_context.hpp).
void put_mask(const Grid& grid, std::int64_t kept, Entropy entropy, core::StopToken& stop,
              CoderScratch& scratch, Bytes& out);

/// Fills `mask`, which has its size, from all of `data`; returns how many elements are kept.
std::int64_t get_mask(std::span<const std::uint8_t> data, std::int64_t tokens, core::StopToken& stop,
                      CoderScratch& scratch, MaskBits& mask);

/// Tokens may be the patches of an image, row by row. The length of these rows: the distance of tokens at
/// which masks agree best, or 1 where no distance stands out.
std::int64_t find_stride(const MaskBits& mask, std::int64_t tokens, core::StopToken& stop);
/// The same by the sum of the differences of symbols, of which every element has one.
std::int64_t find_stride(std::span<const std::uint8_t> symbols, std::int64_t tokens, std::int64_t features,
                         core::StopToken& stop);

}  // namespace constellm::codec
