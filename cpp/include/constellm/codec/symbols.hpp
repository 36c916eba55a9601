#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/codec/bytes.hpp"
#include "constellm/codec/frequency.hpp"
#include "constellm/codec/rans.hpp"
#include "constellm/codec/scheme.hpp"

// Streams of symbols of up to eight bits.
namespace constellm::codec {

/// Scratch of the entropy coder, reused from call to call.
struct CoderScratch {
  std::vector<Range> ranges;
  std::vector<std::uint16_t> words;
  std::vector<std::uint32_t> slots;
  Fitted fitted;
};

/// Counts of `symbols`.
void count_symbols(std::span<const std::uint8_t> symbols, Histogram& out);

/// Appends `symbols`, all below `alphabet` (1 to 256), in the shortest of the forms that `entropy` allows:
/// one repeated symbol, packed bits, a static table of probabilities.
void put_symbols(std::span<const std::uint8_t> symbols, int alphabet, Entropy entropy, CoderScratch& scratch,
                 Bytes& out);

/// Fills `symbols` from all of `data`.
void get_symbols(std::span<const std::uint8_t> data, int alphabet, CoderScratch& scratch,
                 std::span<std::uint8_t> symbols);

}  // namespace constellm::codec
