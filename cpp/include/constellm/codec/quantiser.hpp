#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/codec/bytes.hpp"
#include "constellm/codec/in_parts.hpp"
#include "constellm/codec/scheme.hpp"

// Uniform quantisation of what is kept, with separate ranges for negative and positive values.
//
// What a selection keeps has two tails and nothing between: cells in the gap would be lost. So the 2^bits
// cells are shared between the range of the negative values and that of the others so that the wider step is
// as narrow as it can be, nearly in proportion to their widths, and a value goes to the middle of its cell.
// Where nothing was dropped the ranges meet near 0 and this is the affine quantiser; where all values have
// one sign all cells are theirs.
namespace constellm::codec {

/// Equal cells over [low, high], whose values have one sign.
struct Piece {
  float low = 0.0f;
  float high = 0.0f;
  int cells = 0;

  bool operator==(const Piece&) const = default;
};

/// All cells, pieces from the lowest values up; a symbol is the number of its cell.
struct Quantiser {
  std::vector<Piece> pieces;
  Rounding rounding = Rounding::nearest;

  [[nodiscard]] int symbols() const;
};

/// Most pieces: four ranges of magnitude for each sign.
inline constexpr int kMostClasses = 4;
inline constexpr int kMostPieces = 2 * kMostClasses;

/// Values that symbols stand for.
std::array<float, 256> levels_of(const Quantiser& quantiser);

/// A quantiser of 2^bits cells for `values` (finite). `classes` > 1 splits the magnitudes of each sign into
/// as many ranges of equal count, each with a power of two cells, shared out so that the squared error is
/// least. Clipping as in QuantPipe (arXiv 2211.04515): at t + W(3 * 4^bits) * sqrt(mean square of |x| - t,
/// halved), t the least magnitude, W Lambert's function.
Quantiser fit_quantiser(std::span<const float> values, const Scheme& scheme, core::StopToken& stop);

/// Symbols of values that were divided by the scale of their group. With stochastic rounding `draws` [values]
/// are uniform in [0, 1), else there are none.
void quantise(const Quantiser& quantiser, std::span<const float> values, const float* draws,
              core::StopToken& stop, std::uint8_t* symbols);

/// Uniform numbers in [0, 1) for `features` of a token: a hash of seed, token and feature, so that they
/// depend neither on the layout of the array nor on what else is kept.
void draw(std::uint64_t seed, std::int64_t token, std::span<const std::uint32_t> features, float* draws);

/// A scale in 13 bits, eight of exponent and five of mantissa, rounded up.
inline constexpr int kScaleDropped = 18;
std::uint16_t scale_code(float largest);
float scale_of(std::uint16_t code);

/// Where the values of a group are clipped, if `scheme` say so, else their largest magnitude.
float reach_of(std::span<const float> values, const Scheme& scheme, core::StopToken& stop);

void put_quantiser(Bytes& out, const Quantiser& quantiser);
Quantiser get_quantiser(ByteReader& in, Rounding rounding);

}  // namespace constellm::codec
