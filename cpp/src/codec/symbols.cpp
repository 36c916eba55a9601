#include "constellm/codec/symbols.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "symbols_context.hpp"

namespace constellm::codec {
namespace {

enum class Form : std::uint8_t { packed, constant, table, context };

int bits_for(int alphabet) { return static_cast<int>(std::bit_width(static_cast<unsigned>(alphabet - 1))); }

void put_packed(std::span<const std::uint8_t> symbols, int bits, core::StopToken& stop, Bytes& out) {
  if (bits == 8) return append(out, symbols, stop);
  BitWriter writer(out);
  in_parts(std::ssize(symbols), stop, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) writer.put(symbols[static_cast<std::size_t>(i)], bits);
  });
}

void get_packed(ByteReader& in, int bits, core::StopToken& stop, std::span<std::uint8_t> symbols) {
  BitReader reader(in);
  in_parts(std::ssize(symbols), stop, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      symbols[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(reader.get(bits));
    }
  });
}

void put_table(std::span<const std::uint8_t> symbols, const Frequencies& freq, core::StopToken& stop,
               CoderScratch& scratch, Bytes& out) {
  std::array<Range, kMostSymbols> ranges;
  fill_ranges(freq, ranges.data());
  const auto n = static_cast<std::int64_t>(symbols.size());
  const int lanes = lanes_for(n);
  rans_encode(symbols.data(), ranges.data(), even_strips(n, lanes), lanes, stop, scratch.words, out);
}

void get_table(ByteReader& in, int alphabet, core::StopToken& stop, CoderScratch& scratch,
               std::span<std::uint8_t> symbols) {
  scratch.tables.resize(1);
  fill_slots(read_frequencies(in, alphabet), scratch.tables[0]);
  const auto n = static_cast<std::int64_t>(symbols.size());
  const int lanes = lanes_for(n);
  const Strips at = even_strips(n, lanes);
  rans_decode(
      in.take(in.left()), at, lanes, stop,
      [&table = scratch.tables[0], out = symbols.data()](std::size_t, std::int64_t i, std::uint32_t slot) {
        const std::uint8_t symbol = table.symbol[slot];
        out[i] = symbol;
        return detail::Slot{table.freq[symbol], slot - table.begin[symbol]};
      });
}

}  // namespace

void fill_ranges(const Frequencies& freq, Range* ranges) {
  std::uint32_t begin = 0;
  for (const std::uint32_t f : freq) {
    *ranges++ = range_of(begin, kDivisors[f]);
    begin += f;
  }
}

void fill_slots(const Frequencies& freq, SlotTable& table) {
  table.freq = freq;
  std::uint32_t begin = 0;
  for (std::size_t s = 0; s < freq.size(); ++s) {
    table.begin[s] = static_cast<std::uint16_t>(begin);
    std::fill_n(table.symbol.data() + begin, freq[s], static_cast<std::uint8_t>(s));
    begin += freq[s];
  }
}

void count_symbols(std::span<const std::uint8_t> symbols, core::StopToken& stop, Histogram& out) {
  // Eight counters each, so that equal neighbours do not wait for one another.
  std::array<Histogram, 8> part{};
  in_parts(std::ssize(symbols), stop, [&](std::int64_t begin, std::int64_t end) {
    const std::uint8_t* symbol = symbols.data() + begin;
    const std::uint8_t* const last = symbols.data() + end;
    for (; last - symbol >= 8; symbol += 8) {
      for (std::size_t k = 0; k < 8; ++k) ++part[k][symbol[k]];
    }
    for (; symbol != last; ++symbol) ++part[0][*symbol];
  });
  out = part[0];
  for (std::size_t k = 1; k < part.size(); ++k) {
    for (std::size_t s = 0; s < out.size(); ++s) out[s] += part[k][s];
  }
}

void put_symbols(std::span<const std::uint8_t> symbols, int alphabet, Entropy entropy, const Grid* grid,
                 core::StopToken& stop, CoderScratch& scratch, Bytes& out) {
  if (symbols.empty()) return;
  const int bits = bits_for(alphabet);
  Form form = Form::packed;
  if (entropy != Entropy::none) {
    Histogram histogram;
    count_symbols(symbols, stop, histogram);
    if (histogram[symbols[0]] == symbols.size()) {
      form = Form::constant;
    } else {
      const auto states_bits = [](int lanes) { return 32 * static_cast<std::uint64_t>(lanes); };
      constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
      const std::uint64_t packed = symbols.size() * static_cast<std::uint64_t>(bits);
      std::uint64_t context = kNone;
      if (entropy == Entropy::context && grid != nullptr) {
        context =
            fit_context(symbols, alphabet, *grid, stop, scratch) + states_bits(lanes_for_rows(grid->tokens));
      }
      std::uint64_t table = states_bits(lanes_for(std::ssize(symbols)));
      if (table + least_cost_bits(histogram) < std::min(packed, context)) {
        fit_frequencies(histogram, alphabet, scratch.fitted);
        table += scratch.fitted.cost_bits;
      } else {
        table = kNone;
      }
      if (table < packed) form = Form::table;
      if (context < std::min(table, packed)) form = Form::context;
    }
  }
  put(out, form);
  switch (form) {
    case Form::packed: put_packed(symbols, bits, stop, out); break;
    case Form::constant: put(out, symbols[0]); break;
    case Form::table:
      out.insert(out.end(), scratch.fitted.description.begin(), scratch.fitted.description.end());
      put_table(symbols, scratch.fitted.freq, stop, scratch, out);
      break;
    case Form::context: put_context(*grid, stop, scratch, out); break;
  }
}

void get_symbols(std::span<const std::uint8_t> data, int alphabet, const Grid* grid, core::StopToken& stop,
                 CoderScratch& scratch, std::span<std::uint8_t> symbols) {
  ByteReader in(data);
  if (!symbols.empty()) {
    switch (static_cast<Form>(in.get<std::uint8_t>())) {
      case Form::packed: get_packed(in, bits_for(alphabet), stop, symbols); break;
      case Form::constant: std::fill(symbols.begin(), symbols.end(), in.get<std::uint8_t>()); break;
      case Form::table: get_table(in, alphabet, stop, scratch, symbols); break;
      case Form::context:
        if (grid == nullptr) throw_corrupt("form of the symbols");
        get_context(in, alphabet, *grid, stop, scratch, symbols);
        break;
      default: throw_corrupt("form of the symbols");
    }
  }
  if (in.left() != 0) throw_corrupt("bytes after the symbols");
}

}  // namespace constellm::codec
