#pragma once
#include "constellm/codec/symbols.hpp"

// Symbols as differences from a prediction.
//
// The symbols of a feature resemble those of the tokens nearby. The prediction is the mean of two: the symbol
// that the feature had last, and the one that it had last as of `stride` tokens before, the token above in an
// image. Where the two agree the prediction is good: how far they differ says which of up to five tables of
// probabilities serves the difference.
namespace constellm::codec {

/// Fits the tables and leaves all in `scratch`; what it will take, in bits.
std::uint64_t fit_context(std::span<const std::uint8_t> symbols, int alphabet, const Grid& grid,
                          core::StopToken& stop, CoderScratch& scratch);

/// Appends what `fit_context` has prepared.
void put_context(const Grid& grid, core::StopToken& stop, CoderScratch& scratch, Bytes& out);

void get_context(ByteReader& in, int alphabet, const Grid& grid, core::StopToken& stop, CoderScratch& scratch,
                 std::span<std::uint8_t> symbols);

}  // namespace constellm::codec
