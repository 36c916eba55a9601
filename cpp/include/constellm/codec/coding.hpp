#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "constellm/codec/array.hpp"
#include "constellm/codec/bytes.hpp"
#include "constellm/codec/quantiser.hpp"
#include "constellm/codec/scheme.hpp"
#include "constellm/codec/select.hpp"
#include "constellm/codec/symbols.hpp"

// Activations to byte strings that describe themselves, and back. docs/codec.md has the format.
//
// Encoding and decoding set the thread's floating point to IEEE 754's default while they run: a thread that
// flushes subnormal numbers to zero, or rounds otherwise, gets the same bytes and values as any other. Large
// arrays take seconds: all look at a stop token some thousand times a second and throw `core::Stopped` then.
namespace constellm::codec {

/// What a message says of itself, and where its parts are.
struct Header {
  Dtype dtype = Dtype::float32;
  std::vector<std::int64_t> shape;
  Scheme scheme;
  Quantiser quantiser;
  std::span<const std::uint8_t> mask;
  std::span<const std::uint8_t> scales;
  std::span<const std::uint8_t> symbols;
  std::int64_t message_bytes = 0;

  [[nodiscard]] std::int64_t raw_bytes() const { return rows_of(shape).elements() * bytes_of(dtype); }
};

/// A message of n bytes never stands for more than n times this, so that a short one cannot ask for a
/// large allocation.
inline constexpr std::int64_t kMostExpansion = 1 << 16;

/// Scratch of encoding and decoding, one a thread; reuse gives the same bytes as a fresh one.
struct Workspace {
  MaskBits mask;
  SelectorScratch selector;
  CoderScratch coder;
  Buffer<float> row;
  Buffer<float> kept;
  Buffer<float> scaled;
  Buffer<float> draws;
  Buffer<std::uint32_t> features;
  Buffer<std::int64_t> group_end;
  Buffer<std::uint16_t> scale;
  Buffer<std::uint8_t> symbols;
  Buffer<std::uint8_t> bytes;

  [[nodiscard]] std::size_t held_bytes() const;
};

/// Decoding holds at most this many times the array's bytes as scratch, and some tables: with one feature of
/// two bytes each token takes a word of the mask, value, symbol, scale and prediction.
inline constexpr std::int64_t kMostScratch = 12;

/// `mask`, of bytes of which 0 drops an element, exactly with Sparsify::mask. Throws `core::InvalidInput`
/// where an element is not finite or the shapes differ.
Bytes encode(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask, const Scheme& scheme,
             core::StopToken& stop, Workspace& workspace);

/// Checks length, checksum, version and every number. The spans point into `message`.
Header read_header(std::span<const std::uint8_t> message, core::StopToken& stop);

/// Writes all elements, C-contiguous, to `out` [header.raw_bytes()]. Throws on anything corrupt.
void decode(const Header& header, core::StopToken& stop, Workspace& workspace, std::byte* out);

/// Zero-order empirical entropy of what a scheme sends, in bytes.
struct EntropyBound {
  double mask_bytes = 0.0;  ///< elements * H(kept share) / 8
  double symbols_bytes =
      0.0;  ///< of the histogram of symbols, or of each byte of values that travel as they are
};
EntropyBound entropy_bound(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask,
                           const Scheme& scheme, core::StopToken& stop, Workspace& workspace);

}  // namespace constellm::codec
