#include "constellm/codec/rans.hpp"

#include <limits>

namespace constellm::codec {
namespace {

// ceil(2^64 / freq): with it the upper half of a product is the quotient, exactly for states of 32
// bits. That of 1 does not fit and is one too small, see `Range`.
constexpr auto kReciprocal = [] {
  std::array<std::uint64_t, kTotal + 1> reciprocal{};
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  reciprocal[1] = kMost;
  for (std::uint64_t freq = 2; freq <= kTotal; ++freq) reciprocal[freq] = kMost / freq + 1;
  return reciprocal;
}();

std::uint64_t quotient(std::uint64_t x, std::uint32_t freq) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(x) * kReciprocal[freq]) >> 64);
}

// The state after `range`; the word that it gives up goes before `word`.
std::uint64_t step(std::uint64_t x, Range range, std::uint16_t*& word) {
  const std::uint64_t limit = static_cast<std::uint64_t>(range.freq) << (32 - kTotalBits);
  word[-1] = static_cast<std::uint16_t>(x);
  // As arithmetic: which way it goes is as good as random, and a branch would be guessed wrong.
  const std::uint64_t full = x >= limit ? 1 : 0;
  word -= full;
  x ^= (x ^ (x >> 16)) & (0u - full);
  return x + range.bias + quotient(x, range.freq) * (kTotal - range.freq);
}

template <int Lanes, class Id>
void encode(const Id* ids, const Range* table, const Strips& at, core::StopToken& stop,
            Buffer<std::uint16_t>& words, Bytes& out) {
  const std::int64_t n = at[Lanes];
  const std::size_t room = static_cast<std::size_t>(n) + 1;  // at most a word a symbol, one written ahead
  if (words.size() < room) words.resize(room);
  std::uint16_t* const end = words.data() + words.size();
  std::uint16_t* word = end;
  std::array<std::uint64_t, Lanes> state;
  state.fill(detail::kLeastState);

  std::int64_t shortest = n;
  std::int64_t longest = 0;
  for (std::size_t l = 0; l < Lanes; ++l) {
    shortest = std::min(shortest, at[l + 1] - at[l]);
    longest = std::max(longest, at[l + 1] - at[l]);
  }
  std::int64_t i = longest - 1;
  constexpr std::int64_t kSteps = kPart / Lanes;
  for (; i >= shortest; --i) {
    if (i % kSteps == 0) pass(stop, kPart);
    for (std::size_t l = Lanes; l-- > 0;) {
      if (at[l] + i < at[l + 1]) state[l] = step(state[l], table[ids[at[l] + i]], word);
    }
  }
  while (i >= 0) {
    const std::int64_t before = i;
    for (const std::int64_t until = std::max<std::int64_t>(i - kSteps, -1); i > until; --i) {
      for (std::size_t l = Lanes; l-- > 0;) state[l] = step(state[l], table[ids[at[l] + i]], word);
    }
    pass(stop, Lanes * (before - i));
  }
  for (const std::uint64_t x : state) put(out, static_cast<std::uint32_t>(x));
  const auto* first = reinterpret_cast<const std::uint8_t*>(word);
  out.insert(out.end(), first, first + 2 * (end - word));
}

}  // namespace

Strips even_strips(std::int64_t items, int lanes, std::int64_t width) {
  Strips at{};
  for (std::int64_t l = 0; l <= lanes; ++l) {
    at[static_cast<std::size_t>(l)] = (items / lanes * l + std::min(items % lanes, l)) * width;
  }
  return at;
}

template <class Id>
void rans_encode(const Id* ids, const Range* table, const Strips& at, int lanes, core::StopToken& stop,
                 Buffer<std::uint16_t>& words, Bytes& out) {
  switch (lanes) {
    case 2: return encode<2>(ids, table, at, stop, words, out);
    case 4: return encode<4>(ids, table, at, stop, words, out);
    default: return encode<kMostLanes>(ids, table, at, stop, words, out);
  }
}

template void rans_encode(const std::uint8_t*, const Range*, const Strips&, int, core::StopToken&,
                          Buffer<std::uint16_t>&, Bytes&);
template void rans_encode(const std::uint16_t*, const Range*, const Strips&, int, core::StopToken&,
                          Buffer<std::uint16_t>&, Bytes&);

}  // namespace constellm::codec
