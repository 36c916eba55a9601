#include "constellm/codec/symbols.hpp"

#include <algorithm>
#include <bit>

namespace constellm::codec {
namespace {

enum class Form : std::uint8_t { packed, constant, table };

Strips even_strips(std::int64_t n, int lanes) {
  Strips at{};
  for (std::int64_t l = 0; l <= lanes; ++l)
    at[static_cast<std::size_t>(l)] = n / lanes * l + std::min(n % lanes, l);
  return at;
}

int bits_for(int alphabet) { return std::bit_width(static_cast<unsigned>(alphabet - 1)); }

void put_packed(std::span<const std::uint8_t> symbols, int bits, Bytes& out) {
  if (bits == 8) {
    out.insert(out.end(), symbols.begin(), symbols.end());
    return;
  }
  BitWriter writer(out);
  for (const std::uint8_t symbol : symbols) writer.put(symbol, bits);
}

void get_packed(ByteReader& in, int bits, std::span<std::uint8_t> symbols) {
  BitReader reader(in);
  for (std::uint8_t& symbol : symbols) symbol = static_cast<std::uint8_t>(reader.get(bits));
}

void put_table(std::span<const std::uint8_t> symbols, const Frequencies& freq, CoderScratch& scratch,
               Bytes& out) {
  std::array<Range, kMostSymbols> range;
  std::uint32_t begin = 0;
  for (std::size_t s = 0; s < range.size(); ++s) {
    range[s] = range_of(begin, begin + freq[s]);
    begin += freq[s];
  }
  scratch.ranges.resize(symbols.size());
  for (std::size_t i = 0; i < symbols.size(); ++i) scratch.ranges[i] = range[symbols[i]];
  const auto n = static_cast<std::int64_t>(symbols.size());
  const int lanes = lanes_for(n);
  rans_encode(scratch.ranges, even_strips(n, lanes), lanes, scratch.words, out);
}

// Of every slot: symbol, freq - 1 and offset, in 8 + 12 + 12 bits.
void fill_slots(const Frequencies& freq, std::uint32_t* slots) {
  std::size_t slot = 0;
  for (std::uint32_t s = 0; s < kMostSymbols; ++s) {
    for (std::uint32_t offset = 0; offset < freq[s]; ++offset) {
      slots[slot++] = s | ((freq[s] - 1u) << 8) | (offset << 20);
    }
  }
}

void get_table(ByteReader& in, int alphabet, CoderScratch& scratch, std::span<std::uint8_t> symbols) {
  const Frequencies freq = read_frequencies(in, alphabet);
  scratch.slots.resize(kTotal);
  fill_slots(freq, scratch.slots.data());
  const auto n = static_cast<std::int64_t>(symbols.size());
  const int lanes = lanes_for(n);
  const Strips at = even_strips(n, lanes);
  rans_decode(
      in.take(in.left()), at, lanes,
      [slots = scratch.slots.data(), out = symbols.data()](std::size_t, std::int64_t i, std::uint32_t slot) {
        const std::uint32_t entry = slots[slot];
        out[i] = static_cast<std::uint8_t>(entry);
        return detail::Slot{((entry >> 8) & 0xfffu) + 1, entry >> 20};
      });
}

}  // namespace

void count_symbols(std::span<const std::uint8_t> symbols, Histogram& out) {
  // Four counters each, so that equal neighbours do not wait for one another.
  std::array<Histogram, 4> part{};
  std::size_t i = 0;
  for (; i + 4 <= symbols.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) ++part[k][symbols[i + k]];
  }
  for (; i < symbols.size(); ++i) ++part[0][symbols[i]];
  for (std::size_t s = 0; s < out.size(); ++s) out[s] = part[0][s] + part[1][s] + part[2][s] + part[3][s];
}

void put_symbols(std::span<const std::uint8_t> symbols, int alphabet, Entropy entropy, CoderScratch& scratch,
                 Bytes& out) {
  if (symbols.empty()) return;
  const int bits = bits_for(alphabet);
  Form form = Form::packed;
  if (entropy != Entropy::none) {
    Histogram histogram;
    count_symbols(symbols, histogram);
    if (histogram[symbols[0]] == symbols.size()) {
      form = Form::constant;
    } else {
      fit_frequencies(histogram, alphabet, scratch.fitted);
      const std::uint64_t states =
          32 * static_cast<std::uint64_t>(lanes_for(static_cast<std::int64_t>(symbols.size())));
      if (scratch.fitted.cost_bits + states < symbols.size() * static_cast<std::uint64_t>(bits))
        form = Form::table;
    }
  }
  put(out, form);
  switch (form) {
    case Form::packed: put_packed(symbols, bits, out); break;
    case Form::constant: put(out, symbols[0]); break;
    case Form::table:
      out.insert(out.end(), scratch.fitted.description.begin(), scratch.fitted.description.end());
      put_table(symbols, scratch.fitted.freq, scratch, out);
      break;
  }
}

void get_symbols(std::span<const std::uint8_t> data, int alphabet, CoderScratch& scratch,
                 std::span<std::uint8_t> symbols) {
  ByteReader in(data);
  if (!symbols.empty()) {
    switch (static_cast<Form>(in.get<std::uint8_t>())) {
      case Form::packed: get_packed(in, bits_for(alphabet), symbols); break;
      case Form::constant: std::fill(symbols.begin(), symbols.end(), in.get<std::uint8_t>()); break;
      case Form::table: get_table(in, alphabet, scratch, symbols); break;
      default: throw_corrupt("form of the symbols");
    }
  }
  if (in.left() != 0) throw_corrupt("bytes after the symbols");
}

}  // namespace constellm::codec
