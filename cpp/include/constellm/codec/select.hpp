#pragma once
#include <cstdint>
#include <vector>

#include "constellm/codec/buffer.hpp"
#include "constellm/codec/in_parts.hpp"
#include "constellm/codec/scheme.hpp"

// Choice of the features of a token that are kept.
namespace constellm::codec {

/// How many bits are set; in arithmetic, since the baseline processor has no instruction for it.
constexpr int ones_in(std::uint64_t bits) {
  bits -= (bits >> 1) & 0x5555555555555555u;
  bits = (bits & 0x3333333333333333u) + ((bits >> 2) & 0x3333333333333333u);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<int>((bits * 0x0101010101010101u) >> 56);
}

/// Which features of every token are kept, as bits: that of feature f of token t is bit f % 64 of
/// word t * words_per_row + f / 64. Bits beyond the last feature are 0.
struct MaskBits {
  std::int64_t features = 0;
  std::int64_t words_per_row = 0;
  std::vector<std::uint64_t> words;

  void reset(std::int64_t tokens, std::int64_t features_of_token);
  /// How many features of token t are kept.
  [[nodiscard]] std::int64_t count(std::int64_t t) const;
  [[nodiscard]] std::uint64_t* row(std::int64_t t) { return words.data() + t * words_per_row; }
  [[nodiscard]] const std::uint64_t* row(std::int64_t t) const { return words.data() + t * words_per_row; }
};

/// Calls `visit(feature)` for every kept feature of a row, in order.
template <class Visit>
void for_each_kept(const std::uint64_t* row, std::int64_t words, core::StopToken& stop, Visit&& visit) {
  in_parts(words, stop, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t w = begin; w < end; ++w) {
      for (std::uint64_t bits = row[w]; bits != 0; bits &= bits - 1) visit(64 * w + __builtin_ctzll(bits));
    }
  });
}

/// The kept features of a row, one after the other, and up to seven numbers beyond; returns where they end.
std::uint32_t* list_kept(const std::uint64_t* row, std::int64_t words, core::StopToken& stop,
                         std::uint32_t* out);

/// Scratch of `select`.
struct SelectorScratch {
  Buffer<std::uint32_t> magnitude;
  Buffer<std::uint8_t> kept;
  std::uint32_t guess = 0;
};

/// Keeps the largest magnitudes of a row of finite floats, the first of equal ones. [features] to bits. Top-k
/// and block-top-k look whether all are finite: where it returns false one is not, and what is kept is open.
///
/// top-k: ceil(keep * features) of the row. block-top-k: the same of every block of consecutive features.
/// slicer: as many as top-k, shared between the signs in proportion to their energies (sums of squares,
/// taken in order in double precision).
bool select(const float* row, std::int64_t features, const Scheme& scheme, core::StopToken& stop,
            SelectorScratch& scratch, std::uint64_t* bits);

/// Bytes to bits, 1 for any but 0, and back to 0 or 1; `unpack` writes up to 63 bytes more.
void pack(const std::uint8_t* kept, std::int64_t features, std::uint64_t* bits);
void unpack(const std::uint64_t* bits, std::int64_t words, std::uint8_t* kept);

}  // namespace constellm::codec
