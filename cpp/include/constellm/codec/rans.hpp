#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/codec/buffer.hpp"
#include "constellm/codec/bytes.hpp"
#include "constellm/codec/in_parts.hpp"

// Range asymmetric numeral systems (Duda, arXiv 1311.2540), interleaved: several independent states
// write to one stream of 16-bit words, so that the processor works on all of them at once.
//
// What is coded lies in strips, one a state. The decoder takes symbol 0 of every strip, then symbol 1
// of every strip that has one, and so on; the encoder goes the same way backwards. Within its strip a
// symbol may depend on all before it without one state waiting for another.
namespace constellm::codec {

inline constexpr int kTotalBits = 12;
inline constexpr std::uint32_t kTotal = 1u << kTotalBits;  ///< probabilities are freq / kTotal
inline constexpr int kMostLanes = 8;

/// Few states where their four bytes each would weigh, many where speed does.
constexpr int lanes_for(std::int64_t symbols) { return symbols < 16384 ? 2 : kMostLanes; }

/// The same where each strip has to learn about its columns anew.
constexpr int lanes_for_rows(std::int64_t rows) { return rows < 256 ? 2 : rows < 1024 ? 4 : kMostLanes; }

/// Where the strips begin and end: strip l is [at[l], at[l + 1]).
using Strips = std::array<std::int64_t, kMostLanes + 1>;

/// `items` shared out evenly, in order; each is `width` symbols.
Strips even_strips(std::int64_t items, int lanes, std::int64_t width = 1);

/// The part of [0, kTotal) that stands for a symbol. `bias` is where it begins, and kTotal - 1 more
/// where freq is 1: the reciprocal of 1 is one too small.
struct Range {
  std::uint16_t freq;
  std::uint16_t bias;
};

constexpr Range range_of(std::uint32_t begin, std::uint32_t end) {
  const std::uint32_t freq = end - begin;
  return {static_cast<std::uint16_t>(freq),
          static_cast<std::uint16_t>(begin + (freq == 1 ? kTotal - 1 : 0u))};
}

/// Appends states and words of the symbols with numbers `ids` [end of the last strip], whose ranges are
/// in `table`; `words` is scratch. `Id` is an unsigned integer of one or two bytes.
template <class Id>
void rans_encode(const Id* ids, const Range* table, const Strips& at, int lanes, core::StopToken& stop,
                 Buffer<std::uint16_t>& words, Bytes& out);

namespace detail {

inline constexpr std::uint32_t kLeastState = 1u << 16;

struct Slot {
  std::uint32_t freq;
  std::uint32_t offset;  ///< in the symbol's range
};

}  // namespace detail

/// Decodes; `model(lane, i, slot)` finds the symbol at index i that `slot` in [0, kTotal) stands for,
/// stores it and returns its freq and how far the slot is into its range.
template <int Lanes, class Model>
void rans_decode(std::span<const std::uint8_t> data, const Strips& at, core::StopToken& stop, Model&& model) {
  constexpr std::size_t kStates = Lanes * sizeof(std::uint32_t);
  if (data.size() < kStates || (data.size() - kStates) % 2 != 0)
    throw_corrupt("entropy-coded part too short");
  std::array<std::uint32_t, Lanes> state;
  std::memcpy(state.data(), data.data(), kStates);
  const std::uint8_t* word = data.data() + kStates;
  const std::uint8_t* const end = data.data() + data.size();

  const auto step = [&](std::size_t lane, std::int64_t i) {
    const std::uint32_t x = state[lane];
    const detail::Slot slot = model(lane, i, x & (kTotal - 1));
    return slot.freq * (x >> kTotalBits) + slot.offset;
  };
  std::int64_t shortest = at[1] - at[0];
  std::int64_t longest = shortest;
  for (std::size_t l = 1; l < Lanes; ++l) {
    shortest = std::min(shortest, at[l + 1] - at[l]);
    longest = std::max(longest, at[l + 1] - at[l]);
  }
  constexpr std::int64_t kSteps = kPart / Lanes;
  std::int64_t i = 0;
  while (i < shortest && end - word >= 2 * Lanes) {
    const std::int64_t begin = i;
    for (const std::int64_t until = std::min(shortest, i + kSteps); i < until && end - word >= 2 * Lanes;
         ++i) {
      for (std::size_t l = 0; l < Lanes; ++l) {
        const std::uint32_t x = step(l, at[l] + i);
        std::uint16_t next;
        std::memcpy(&next, word, 2);
        // As arithmetic: a branch would be guessed wrong half the time.
        const std::uint32_t low = x < detail::kLeastState ? 1 : 0;
        state[l] = x ^ ((x ^ ((x << 16) | next)) & (0u - low));
        word += 2 * low;
      }
    }
    pass(stop, Lanes * (i - begin));
  }
  for (; i < longest; ++i) {  // near the end of the words, or some strips are done
    if (i % kSteps == 0) pass(stop, kPart);
    for (std::size_t l = 0; l < Lanes; ++l) {
      if (at[l] + i >= at[l + 1]) continue;
      const std::uint32_t x = step(l, at[l] + i);
      state[l] = x;
      if (x >= detail::kLeastState) continue;
      if (word == end) throw_corrupt("entropy-coded part too short");
      std::uint16_t next;
      std::memcpy(&next, word, 2);
      state[l] = (x << 16) | next;
      word += 2;
    }
  }
  for (const std::uint32_t x : state) {
    if (x != detail::kLeastState) throw_corrupt("entropy-coded part does not end where it should");
  }
  if (word != end) throw_corrupt("entropy-coded part too long");
}

/// The same with the number of lanes known at run time.
template <class Model>
void rans_decode(std::span<const std::uint8_t> data, const Strips& at, int lanes, core::StopToken& stop,
                 Model&& model) {
  switch (lanes) {
    case 2: return rans_decode<2>(data, at, stop, model);
    case 4: return rans_decode<4>(data, at, stop, model);
    default: return rans_decode<kMostLanes>(data, at, stop, model);
  }
}

}  // namespace constellm::codec
