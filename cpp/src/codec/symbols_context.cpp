#include "symbols_context.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <utility>

#include "constellm/core/simd.hpp"

namespace constellm::codec {
namespace {

constexpr std::size_t kClasses = 5;
constexpr std::array<int, kClasses - 1> kClassEnds{3, 8, 20, 50};  // of differences, in 1/256 of the alphabet

// Small messages cannot pay for five tables: which one serves each class, and how many there are.
using Merging = std::array<std::uint8_t, kClasses>;
constexpr std::array<Merging, 3> kMergings{{{0, 1, 2, 3, 4}, {0, 0, 0, 1, 1}, {0, 0, 0, 0, 0}}};
constexpr std::array<std::size_t, 3> kTables{5, 2, 1};

// The first and last of them that may be best: fitting a table takes as long as coding some thousand symbols.
std::pair<std::size_t, std::size_t> mergings_worth(std::size_t symbols) {
  if (symbols < 4096) return {1, 2};
  return symbols < 32768 ? std::pair{0, 1} : std::pair{0, 0};
}

// How far the two of a prediction differ, at least, for the next table: where each begins that has one.
struct Steps {
  std::array<std::uint8_t, kClasses - 1> least{};
  std::array<std::uint8_t, kClasses - 1> next{};  // 1, or 0 where the table stays the same
};

Steps steps_of(int alphabet, const Merging& merging) {
  Steps steps;
  for (std::size_t c = 0; c + 1 < kClasses; ++c) {
    steps.least[c] = static_cast<std::uint8_t>((kClassEnds[c] * alphabet + 255) / 256);
    steps.next[c] = static_cast<std::uint8_t>(merging[c + 1] - merging[c]);
  }
  return steps;
}

// The means of two rows of symbols and 256 times the table of each; keeps a copy of the first.
CONSTELLM_SIMD void predict(const std::uint8_t* __restrict last, const std::uint8_t* __restrict above,
                            std::int64_t n, const Steps& steps, std::uint8_t* __restrict copy,
                            std::uint16_t* __restrict out) {
  const Steps s = steps;
  for (std::int64_t f = 0; f < n; ++f) {
    const std::uint8_t a = last[f];
    const std::uint8_t b = above[f];
    copy[f] = a;
    const auto apart = static_cast<std::uint8_t>(a < b ? b - a : a - b);
    std::uint8_t table = 0;
    for (std::size_t c = 0; c < s.least.size(); ++c) {
      table = static_cast<std::uint8_t>(table + (apart >= s.least[c] ? s.next[c] : 0));
    }
    out[f] = static_cast<std::uint16_t>((a + b) >> 1 | table << 8);
  }
}

// The last symbols of every feature in one strip, now and after each of the last `stride` rows; what they
// predict for the row that comes.
class Memory {
 public:
  /// `room` holds `size_of(grid)` numbers.
  Memory(const Grid& grid, int alphabet, const Steps& steps, std::uint16_t* room)
      : features_(grid.features),
        stride_(grid.stride),
        steps_(&steps),
        predicted_(room),
        last_(reinterpret_cast<std::uint8_t*>(room + features_)) {
    std::fill_n(last_, features_, static_cast<std::uint8_t>(alphabet / 2));
    std::fill_n(predicted_, features_, static_cast<std::uint16_t>(alphabet / 2));
  }
  static std::size_t size_of(const Grid& grid) {
    return static_cast<std::size_t>(grid.features * (1 + (2 + grid.stride) / 2));
  }

  [[nodiscard]] std::uint8_t* last() const { return last_; }
  [[nodiscard]] const std::uint16_t* predicted() const { return predicted_; }
  void end_row() {
    std::uint8_t* const copy = last_ + (1 + rows_ % stride_) * features_;
    ++rows_;
    const bool image = stride_ > 1 && rows_ >= stride_;
    const std::uint8_t* const above = image ? last_ + (1 + rows_ % stride_) * features_ : last_;
    predict(last_, above, features_, *steps_, copy, predicted_);
  }

 private:
  std::int64_t features_;
  std::int64_t stride_;
  const Steps* steps_;
  std::int64_t rows_ = 0;
  std::uint16_t* predicted_;
  std::uint8_t* last_;
};

Strips strips_of(const Grid& grid, int lanes, const Buffer<std::int64_t>& row_ends) {
  Strips at = even_strips(grid.tokens, lanes);
  for (auto& row : at) row = row == 0 ? 0 : row_ends[static_cast<std::size_t>(row) - 1];
  return at;
}

// Where the symbols of each row end.
Buffer<std::int64_t> row_ends_of(const Grid& grid, core::StopToken& stop) {
  Buffer<std::int64_t> ends(static_cast<std::size_t>(grid.tokens));
  std::int64_t end = 0;
  in_parts(grid.tokens, stop, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      end += grid.mask == nullptr ? grid.features : grid.mask->count(t);
      ends[static_cast<std::size_t>(t)] = end;
    }
  });
  return ends;
}

// The features of the symbols of row t, and numbers beyond; returns where they end.
std::uint32_t* list_row(const Grid& grid, std::int64_t t, core::StopToken& stop, std::uint32_t* out) {
  if (grid.mask != nullptr) return list_kept(grid.mask->row(t), grid.mask->words_per_row, stop, out);
  in_parts(grid.features, stop, [&](std::int64_t begin, std::int64_t end) {
    std::iota(out + begin, out + end, static_cast<std::uint32_t>(begin));
  });
  return out + grid.features;
}

constexpr std::size_t kAhead = 8;  // numbers that `list_row` may write beyond the last

// The code of a symbol by how much it is beyond its prediction, from -kMostSymbols on.
std::array<std::uint8_t, 2 * kMostSymbols> codes_of(int alphabet) {
  std::array<std::uint8_t, 2 * kMostSymbols> codes{};
  for (int beyond = -alphabet; beyond < alphabet; ++beyond) {
    codes[static_cast<std::size_t>(kMostSymbols + beyond)] =
        static_cast<std::uint8_t>((beyond + alphabet + alphabet / 2) % alphabet);
  }
  return codes;
}

// What sums of a symbol's code and its prediction stand for: the symbol, between 0 and the alphabet.
std::array<std::uint8_t, 2 * kMostSymbols> wrapped_sums(int alphabet) {
  std::array<std::uint8_t, 2 * kMostSymbols> wrapped{};
  for (int sum = 0; sum < 2 * alphabet; ++sum) {
    wrapped[static_cast<std::size_t>(sum)] =
        static_cast<std::uint8_t>((sum + alphabet - alphabet / 2) % alphabet);
  }
  return wrapped;
}

template <int Lanes>
void decode_rows(RansDecoder<Lanes>& decoder, const Grid& grid, int alphabet, const Merging& merging,
                 core::StopToken& stop, CoderScratch& scratch, std::span<std::uint8_t> symbols) {
  const Buffer<std::int64_t> row_ends = row_ends_of(grid, stop);
  const Strips rows = even_strips(grid.tokens, Lanes);
  const Strips at = strips_of(grid, Lanes, row_ends);
  const std::size_t room = Memory::size_of(grid);
  scratch.prediction.resize(room * Lanes);
  const Steps steps = steps_of(alphabet, merging);
  std::vector<Memory> memory;
  std::array<std::int64_t, Lanes> row;      // of each strip
  std::array<std::int64_t, Lanes> row_end;  // where it ends in the strip
  std::array<std::uint8_t*, Lanes> last;
  std::array<const std::uint16_t*, Lanes> predicted;
  std::array<const std::uint32_t*, Lanes> column;
  std::array<std::uint8_t*, Lanes> out;
  const auto end_of = [&](std::size_t l) { return row_ends[static_cast<std::size_t>(row[l])] - at[l]; };
  for (std::size_t l = 0; l < Lanes; ++l) {
    memory.emplace_back(grid, alphabet, steps, scratch.prediction.data() + l * room);
    last[l] = memory[l].last();
    predicted[l] = memory[l].predicted();
    column[l] = scratch.columns.data() + at[l];
    out[l] = symbols.data() + at[l];
    row[l] = rows[l];
    row_end[l] = rows[l] < rows[l + 1] ? end_of(l) : 0;
  }
  const SlotTable* const tables = scratch.tables.data();
  const auto wrapped = wrapped_sums(alphabet);
  const auto model = [=, &wrapped](std::size_t l, std::int64_t i, std::uint32_t slot) {
    const std::uint32_t f = column[l][i];
    const std::uint32_t p = predicted[l][f];
    const SlotTable& table = tables[p >> 8];
    const std::uint32_t code = table.symbol[slot];
    last[l][f] = out[l][i] = wrapped[code + (p & 0xff)];
    return detail::Slot{table.freq[code], slot - table.begin[code]};
  };
  constexpr std::int64_t kSteps = kPart / Lanes;
  for (std::int64_t i = 0;;) {
    std::int64_t until = std::numeric_limits<std::int64_t>::max();
    bool all = true;
    for (std::size_t l = 0; l < Lanes; ++l) {
      while (row_end[l] == i && row[l] < rows[l + 1]) {  // rows may be empty
        if (++row[l] == rows[l + 1]) break;
        memory[l].end_row();
        row_end[l] = end_of(l);
      }
      const bool active = row_end[l] > i;
      all = all && active;
      if (active) until = std::min({until, row_end[l], i + kSteps});
    }
    if (until == std::numeric_limits<std::int64_t>::max()) return;
    if (all) {
      decoder.run(i, until, model);
    } else {
      decoder.run_some(i, until, [&](std::size_t l, std::int64_t k) { return row_end[l] > k; }, model);
    }
    pass(stop, Lanes * (until - i));
    i = until;
  }
}

}  // namespace

std::uint64_t fit_context(std::span<const std::uint8_t> symbols, int alphabet, const Grid& grid,
                          core::StopToken& stop, CoderScratch& scratch) {
  scratch.wide_ids.resize(symbols.size());
  scratch.prediction.resize(Memory::size_of(grid));
  const int lanes = lanes_for_rows(grid.tokens);
  const Strips rows = even_strips(grid.tokens, lanes);
  const Steps steps = steps_of(alphabet, kMergings[0]);
  // Two of each, in turn: equal neighbours, which are frequent, need not wait for one another.
  std::array<std::array<Histogram, kClasses>, 2> histogram{};
  std::uint32_t* const counts = histogram[0][0].data();
  std::size_t turn = 0;
  const auto codes = codes_of(alphabet);
  const std::uint8_t* next = symbols.data();
  scratch.columns.resize(static_cast<std::size_t>(grid.features) + kAhead);
  std::uint32_t* const columns = scratch.columns.data();
  std::uint32_t* columns_end = columns;
  std::uint16_t* id = scratch.wide_ids.data();
  for (std::size_t l = 0; l < static_cast<std::size_t>(lanes); ++l) {
    Memory memory(grid, alphabet, steps, scratch.prediction.data());
    for (std::int64_t t = rows[l]; t < rows[l + 1]; ++t) {
      if (grid.mask != nullptr || t == 0) columns_end = list_row(grid, t, stop, columns);
      const std::uint16_t* predicted = memory.predicted();
      std::uint8_t* last = memory.last();
      in_parts(columns_end - columns, stop, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::uint32_t f = columns[i];
          const std::uint32_t p = predicted[f];
          const std::uint8_t symbol = *next++;
          last[f] = symbol;
          const std::uint32_t number = (p & 0xff00) | codes[kMostSymbols + symbol - (p & 0xff)];
          ++counts[turn + number];
          turn ^= kClasses * kMostSymbols;
          *id++ = static_cast<std::uint16_t>(number);
        }
      });
      memory.end_row();
    }
  }
  // The merging that takes the fewest bits.
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  std::array<Fitted, kClasses> fitted;
  const auto [first, last] = mergings_worth(symbols.size());
  for (std::size_t m = first; m <= last; ++m) {
    std::uint64_t cost = 16 + 8;
    for (std::size_t table = 0; table < kTables[m]; ++table) {
      Histogram merged{};
      std::uint64_t count = 0;
      for (std::size_t c = 0; c < kClasses; ++c) {
        if (kMergings[m][c] != table) continue;
        for (std::size_t s = 0; s < merged.size(); ++s) merged[s] += histogram[0][c][s] + histogram[1][c][s];
      }
      for (const std::uint32_t n : merged) count += n;
      if (count == 0) merged[static_cast<std::size_t>(alphabet / 2)] = 1;  // of no use, but there
      fit_frequencies(merged, alphabet, fitted[table]);
      cost += fitted[table].cost_bits + 4;
    }
    if (cost >= least) continue;
    least = cost;
    scratch.merging = m;
    std::swap(scratch.context, fitted);
  }
  return least;
}

void put_context(const Grid& grid, core::StopToken& stop, CoderScratch& scratch, Bytes& out) {
  put(out, static_cast<std::uint8_t>(scratch.merging));
  put(out, static_cast<std::uint8_t>(grid.stride));
  const Merging& merging = kMergings[scratch.merging];
  std::vector<Range> ranges(kClasses * kMostSymbols);
  for (std::size_t table = 0; table < kTables[scratch.merging]; ++table) {
    const Bytes& description = scratch.context[table].description;
    out.insert(out.end(), description.begin(), description.end());
  }
  for (std::size_t c = 0; c < kClasses; ++c) {
    fill_ranges(scratch.context[merging[c]].freq, ranges.data() + c * kMostSymbols);
  }
  const int lanes = lanes_for_rows(grid.tokens);
  rans_encode(scratch.wide_ids.data(), ranges.data(), strips_of(grid, lanes, row_ends_of(grid, stop)), lanes,
              stop, scratch.words, out);
}

void get_context(ByteReader& in, int alphabet, const Grid& given, core::StopToken& stop,
                 CoderScratch& scratch, std::span<std::uint8_t> symbols) {
  const auto m = in.get<std::uint8_t>();
  if (m >= kMergings.size()) throw_corrupt("number of tables");
  Grid grid = given;
  grid.stride = in.get<std::uint8_t>();
  if (grid.stride < 1 || grid.stride > most_stride(grid.tokens)) throw_corrupt("stride");
  scratch.tables.resize(kTables[m]);
  for (SlotTable& table : scratch.tables) fill_slots(read_frequencies(in, alphabet), table);
  // Which feature each symbol is of, without looking at the mask again.
  scratch.columns.resize(symbols.size() + kAhead);
  std::uint32_t* column = scratch.columns.data();
  for (std::int64_t t = 0; t < grid.tokens; ++t) column = list_row(grid, t, stop, column);
  with_decoder(in.take(in.left()), lanes_for_rows(grid.tokens), [&](auto& decoder) {
    decode_rows(decoder, grid, alphabet, kMergings[m], stop, scratch, symbols);
  });
}

}  // namespace constellm::codec
