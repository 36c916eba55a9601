#pragma once
#include <algorithm>
#include <array>
#include <bit>
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

/// The part of [0, kTotal) that stands for a symbol, and how a state is divided by its freq without a
/// division: x / freq = (x + (x * reciprocal >> 32)) >> shift for all x < freq * 2^20, with
/// 2^32 + reciprocal = ceil(2^(32 + shift) / freq) and shift = ceil(log2 freq). (The error of the reciprocal
/// is less than freq / 2^(32 + shift), so that of the quotient is less than 1 / freq, since freq <= 2^12; and
/// the product stays below 2^64.)
struct Range {
  std::uint32_t reciprocal = 0;
  std::uint16_t freq = 0;
  std::uint16_t begin_and_shift = 0;  ///< twelve bits, and four above them

  [[nodiscard]] constexpr std::uint32_t begin() const { return begin_and_shift & (kTotal - 1); }
  [[nodiscard]] constexpr int shift() const { return begin_and_shift >> kTotalBits; }
};

/// The divisors of all freqs, [kTotal + 1]: ranges that begin at 0.
extern const std::array<Range, kTotal + 1> kDivisors;

constexpr Range divisor_of(std::uint32_t freq) {
  const auto shift = static_cast<int>(std::bit_width(freq - 1));
  const std::uint64_t power = std::uint64_t{1} << (32 + shift);
  const auto reciprocal = static_cast<std::uint32_t>((power + freq - 1) / freq);  // without its highest bit
  return {reciprocal, static_cast<std::uint16_t>(freq), static_cast<std::uint16_t>(shift << kTotalBits)};
}

/// Of [begin, end), not empty.
constexpr Range range_of(std::uint32_t begin, Range divisor) {
  divisor.begin_and_shift = static_cast<std::uint16_t>(divisor.begin_and_shift | begin);
  return divisor;
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

// Keeps the compiler from packing the states of several lanes into a register, which costs more to fill than
// it saves.
inline void keep_apart([[maybe_unused]] std::uint32_t& x) {
#if defined(__GNUC__)
  asm("" : "+r"(x));
#endif
}

}  // namespace detail

/// Reads states and words; `model(lane, i, slot)` finds the symbol at index i of a strip that `slot` in
/// [0, kTotal) stands for, stores it and returns its freq and how far the slot is into its range.
template <int Lanes>
struct RansDecoder {
  std::array<std::uint32_t, Lanes> state;
  const std::uint8_t* word;
  const std::uint8_t* end;

  explicit RansDecoder(std::span<const std::uint8_t> data) : end(data.data() + data.size()) {
    if (data.size() < sizeof(state) || (data.size() - sizeof(state)) % 2 != 0)
      throw_corrupt("entropy-coded part too short");
    std::memcpy(state.data(), data.data(), sizeof(state));
    for (const std::uint32_t x : state) {
      if (x < detail::kLeastState) throw_corrupt("a state is too small");
    }
    word = data.data() + sizeof(state);
  }

  /// Symbols [begin, until) of the strips for which `active(lane, i)`, those of all strips at i before i + 1.
  template <class Active, class Model>
  void run_some(std::int64_t begin, std::int64_t until, Active&& active, Model&& model) {
    for (std::int64_t i = begin; i < until; ++i) {
      for (std::size_t l = 0; l < Lanes; ++l) {
        if (!active(l, i)) continue;
        state[l] = step(state[l], l, i, model);
        if (state[l] >= detail::kLeastState) continue;
        if (word == end) throw_corrupt("entropy-coded part too short");
        state[l] = (state[l] << 16) | next(word);
        word += 2;
      }
    }
  }

  /// Of all strips.
  template <class Model>
  void run(std::int64_t begin, std::int64_t until, Model&& model) {
    // What a step takes at most is there; local, so that nothing the model stores can change it.
    const std::int64_t safe = std::min(until, begin + (end - word) / (2 * Lanes));
    std::array<std::uint32_t, Lanes> states = state;
    const std::uint8_t* at = word;
    std::int64_t i = begin;
    for (; i < safe; ++i) {
#pragma GCC unroll 8
      for (std::size_t l = 0; l < Lanes; ++l) {
        const std::uint32_t x = step(states[l], l, i, model);
        std::uint32_t longer = (x << 16) | next(at);
        detail::keep_apart(longer);
        // A move under a condition: a branch would be guessed wrong half the time.
        const bool low = x < detail::kLeastState;
        states[l] = __builtin_expect_with_probability(low, 1, 0.5) ? longer : x;
        at += 2 * static_cast<std::int64_t>(low);
      }
    }
    state = states;
    word = at;
    run_some(i, until, [](std::size_t, std::int64_t) { return true; }, model);
  }

  /// Throws unless all is used up and every state is where encoding began.
  void finish() const {
    for (const std::uint32_t x : state) {
      if (x != detail::kLeastState) throw_corrupt("entropy-coded part does not end where it should");
    }
    if (word != end) throw_corrupt("entropy-coded part too long");
  }

 private:
  static std::uint16_t next(const std::uint8_t* at) {
    std::uint16_t value;
    std::memcpy(&value, at, 2);
    return value;
  }
  template <class Model>
  static std::uint32_t step(std::uint32_t x, std::size_t lane, std::int64_t i, Model&& model) {
    const detail::Slot slot = model(lane, i, x & (kTotal - 1));
    return slot.freq * (x >> kTotalBits) + slot.offset;
  }
};

/// Calls `decode` with a decoder of `data` that has `lanes` lanes, then looks whether all is used up.
template <class Decode>
void with_decoder(std::span<const std::uint8_t> data, int lanes, Decode&& decode) {
  const auto with = [&]<int Lanes>() {
    RansDecoder<Lanes> decoder(data);
    decode(decoder);
    decoder.finish();
  };
  switch (lanes) {
    case 2: return with.template operator()<2>();
    case 4: return with.template operator()<4>();
    default: return with.template operator()<kMostLanes>();
  }
}

/// Decodes strips that are of any lengths.
template <int Lanes, class Model>
void rans_decode(RansDecoder<Lanes>& decoder, const Strips& at, core::StopToken& stop, Model&& model) {
  std::int64_t shortest = at[1] - at[0];
  std::int64_t longest = shortest;
  for (std::size_t l = 1; l < Lanes; ++l) {
    shortest = std::min(shortest, at[l + 1] - at[l]);
    longest = std::max(longest, at[l + 1] - at[l]);
  }
  constexpr std::int64_t kSteps = kPart / Lanes;
  const auto of_strip = [&](std::size_t l, std::int64_t i, std::uint32_t slot) {
    return model(l, at[l] + i, slot);
  };
  for (std::int64_t i = 0; i < longest;) {
    const std::int64_t until = std::min(i < shortest ? shortest : longest, i + kSteps);
    if (i < shortest) {
      decoder.run(i, until, of_strip);
    } else {
      decoder.run_some(
          i, until, [&](std::size_t l, std::int64_t k) { return at[l] + k < at[l + 1]; }, of_strip);
    }
    pass(stop, Lanes * (until - i));
    i = until;
  }
}

template <class Model>
void rans_decode(std::span<const std::uint8_t> data, const Strips& at, int lanes, core::StopToken& stop,
                 Model&& model) {
  with_decoder(data, lanes, [&](auto& decoder) { rans_decode(decoder, at, stop, model); });
}

}  // namespace constellm::codec
