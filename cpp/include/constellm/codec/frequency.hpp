#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "constellm/codec/bytes.hpp"
#include "constellm/codec/rans.hpp"

// Probabilities of symbols and their description in few bytes: a curve of log-probability in steps of
// an eighth of a bit (which costs less than 0.001 bits a symbol) through knots 1 to 32 symbols apart.
// Knots that are far apart cost little and suit the smooth histograms of quantised activations; one knot a
// symbol describes any histogram.
namespace constellm::codec {

inline constexpr int kMostSymbols = 256;

using Histogram = std::array<std::uint32_t, kMostSymbols>;
using Frequencies = std::array<std::uint16_t, kMostSymbols>;  ///< their sum is kTotal; 0: does not occur

/// A table that describes `histogram` over `symbols` >= 2 symbols, not all counts 0.
struct Fitted {
  Frequencies freq;
  Bytes description;
  std::uint64_t cost_bits = 0;  ///< of the description and all symbols
};
void fit_frequencies(const Histogram& histogram, int symbols, Fitted& out);

/// What coding `histogram`, not all counts 0, takes at least, whatever the probabilities.
std::uint64_t least_cost_bits(const Histogram& histogram);

/// What `fit_frequencies` described.
Frequencies read_frequencies(ByteReader& in, int symbols);

/// log2(kTotal / freq) in 1/256, freq in [1, kTotal].
std::uint32_t cost_of(std::uint32_t freq);

/// What coding `histogram` with `freq` takes, in 1/256 bits.
std::uint64_t cost_of(const Histogram& histogram, const Frequencies& freq, int symbols);

}  // namespace constellm::codec
