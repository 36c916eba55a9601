#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/codec/buffer.hpp"
#include "constellm/codec/bytes.hpp"
#include "constellm/codec/frequency.hpp"
#include "constellm/codec/rans.hpp"
#include "constellm/codec/scheme.hpp"
#include "constellm/codec/select.hpp"

// Streams of symbols of up to eight bits.
namespace constellm::codec {

/// What the slots of a table stand for: symbols, and where their ranges are. Small enough that five tables
/// stay in the first-level cache.
struct SlotTable {
  std::array<std::uint8_t, kTotal> symbol;
  Frequencies freq;
  Frequencies begin;
};

/// Scratch of the entropy coder, reused from call to call.
struct CoderScratch {
  Buffer<std::uint8_t> ids;
  Buffer<std::uint16_t> wide_ids;
  Buffer<std::uint16_t> words;
  std::vector<SlotTable> tables;
  Buffer<std::uint32_t> columns;
  Buffer<std::uint8_t> memory;
  Buffer<std::uint16_t> prediction;
  Fitted fitted;
  std::array<Fitted, 5> context;  // one a class of `symbols_context`
  std::size_t merging = 0;
  std::array<int, 64> mask_levels{};  // of `mask_context`
};

/// Where symbols lie: those that `mask` keeps, or all, of rows of features.
struct Grid {
  std::int64_t tokens = 0;
  std::int64_t features = 0;
  const MaskBits* mask = nullptr;  ///< none: all are kept
  std::int64_t stride = 1;         ///< rows between a token and the one above it, if tokens are an image
};

/// The largest stride that is looked for; it bounds what a decoder has to remember.
constexpr std::int64_t most_stride(std::int64_t tokens) {
  return std::clamp<std::int64_t>(tokens / 2, 1, 32);
}

/// Counts of `symbols`.
void count_symbols(std::span<const std::uint8_t> symbols, core::StopToken& stop, Histogram& out);

/// Appends `symbols`, all below `alphabet` (1 to 256), in the shortest of the forms that `entropy` allows:
/// one repeated symbol, packed bits, a static table of probabilities, and, where a grid says what lies
/// where, tables of differences from a prediction (symbols_context.hpp).
void put_symbols(std::span<const std::uint8_t> symbols, int alphabet, Entropy entropy, const Grid* grid,
                 core::StopToken& stop, CoderScratch& scratch, Bytes& out);

/// Fills `symbols` from all of `data`.
void get_symbols(std::span<const std::uint8_t> data, int alphabet, const Grid* grid, core::StopToken& stop,
                 CoderScratch& scratch, std::span<std::uint8_t> symbols);

void fill_ranges(const Frequencies& freq, Range* ranges);
void fill_slots(const Frequencies& freq, SlotTable& table);

}  // namespace constellm::codec
