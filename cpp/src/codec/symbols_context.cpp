#include "symbols_context.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <utility>

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

using ClassOf = std::array<std::uint8_t, 256>;

ClassOf classes(int alphabet, const Merging& merging) {
  ClassOf of;
  for (int d = 0; d < 256; ++d) {
    const auto ends = std::count_if(kClassEnds.begin(), kClassEnds.end(),
                                    [&](int end) { return d * 256 >= end * alphabet; });
    of[static_cast<std::size_t>(d)] = merging[static_cast<std::size_t>(ends)];
  }
  return of;
}

// The last symbols of every feature in one strip, now and after each of the last `stride` rows.
class Memory {
 public:
  /// `room` holds `size_of(grid)` bytes.
  Memory(const Grid& grid, int alphabet, std::uint8_t* room)
      : features_(grid.features), stride_(grid.stride), last_(room) {
    std::fill_n(room, features_, static_cast<std::uint8_t>(alphabet / 2));
  }
  static std::size_t size_of(const Grid& grid) {
    return static_cast<std::size_t>(grid.features * (grid.stride == 1 ? 1 : grid.stride + 1));
  }

  [[nodiscard]] std::uint8_t* last() const { return last_; }
  [[nodiscard]] const std::uint8_t* above() const {
    return stride_ == 1 || rows_ < stride_ ? last_ : last_ + (1 + rows_ % stride_) * features_;
  }
  void end_row() {
    if (stride_ > 1) std::copy_n(last_, features_, last_ + (1 + rows_ % stride_) * features_);
    ++rows_;
  }

 private:
  std::int64_t features_;
  std::int64_t stride_;
  std::int64_t rows_ = 0;
  std::uint8_t* last_;
};

// Between 0 and the alphabet, whatever a corrupt message made of the memory.
int wrap(int value, int alphabet) {
  value += value < 0 ? alphabet : 0;
  return value >= alphabet ? value - alphabet : value;
}

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

template <class Visit>
void for_each_in_row(const Grid& grid, std::int64_t t, core::StopToken& stop, Visit&& visit) {
  if (grid.mask != nullptr) return for_each_kept(grid.mask->row(t), grid.mask->words_per_row, stop, visit);
  in_parts(grid.features, stop, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t f = begin; f < end; ++f) visit(f);
  });
}

}  // namespace

std::uint64_t fit_context(std::span<const std::uint8_t> symbols, int alphabet, const Grid& grid,
                          core::StopToken& stop, CoderScratch& scratch) {
  scratch.wide_ids.resize(symbols.size());
  scratch.memory.resize(Memory::size_of(grid));
  const int lanes = lanes_for_rows(grid.tokens);
  const Strips rows = even_strips(grid.tokens, lanes);
  const ClassOf class_of = classes(alphabet, kMergings[0]);
  // Two of each, in turn: equal neighbours, which are frequent, need not wait for one another.
  std::array<std::array<Histogram, kClasses>, 2> histogram{};
  std::size_t turn = 0;
  const int half = alphabet / 2;
  const std::uint8_t* symbol = symbols.data();
  std::uint16_t* id = scratch.wide_ids.data();
  for (std::size_t l = 0; l < static_cast<std::size_t>(lanes); ++l) {
    Memory memory(grid, alphabet, scratch.memory.data());
    for (std::int64_t t = rows[l]; t < rows[l + 1]; ++t) {
      const std::uint8_t* above = memory.above();
      std::uint8_t* last = memory.last();
      for_each_in_row(grid, t, stop, [&](std::int64_t f) {
        const int a = last[f];
        const int b = above[f];
        const int code = wrap(*symbol - ((a + b) >> 1) + half, alphabet);
        const std::uint8_t which = class_of[static_cast<std::size_t>(std::abs(a - b))];
        last[f] = *symbol++;
        ++histogram[turn][which][static_cast<std::size_t>(code)];
        turn ^= 1;
        *id++ = static_cast<std::uint16_t>(which << 8 | code);
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
      if (count == 0) merged[static_cast<std::size_t>(half)] = 1;  // of no use, but there
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
              stop, scratch.rans, out);
}

void get_context(ByteReader& in, int alphabet, const Grid& given, core::StopToken& stop,
                 CoderScratch& scratch, std::span<std::uint8_t> symbols) {
  const auto m = in.get<std::uint8_t>();
  if (m >= kMergings.size()) throw_corrupt("number of tables");
  Grid grid = given;
  grid.stride = in.get<std::uint8_t>();
  if (grid.stride < 1 || grid.stride > most_stride(grid.tokens)) throw_corrupt("stride");
  scratch.slots.resize(kTables[m] * kTotal);
  for (std::size_t table = 0; table < kTables[m]; ++table) {
    fill_slots(read_frequencies(in, alphabet), scratch.slots.data() + table * kTotal);
  }
  // Which feature each symbol is of, without looking at the mask again.
  scratch.columns.resize(symbols.size());
  std::uint32_t* column = scratch.columns.data();
  for (std::int64_t t = 0; t < grid.tokens; ++t) {
    for_each_in_row(grid, t, stop, [&](std::int64_t f) { *column++ = static_cast<std::uint32_t>(f); });
  }
  const Buffer<std::int64_t> row_ends = row_ends_of(grid, stop);
  const int lanes = lanes_for_rows(grid.tokens);
  const Strips rows = even_strips(grid.tokens, lanes);
  const Strips at = strips_of(grid, lanes, row_ends);
  const std::size_t room = Memory::size_of(grid);
  scratch.memory.resize(room * static_cast<std::size_t>(lanes));

  struct Lane {
    Memory memory;
    const std::int64_t* row_end;
    const std::uint8_t* above;
    std::uint8_t* last;
    std::int64_t end;
  };
  std::vector<Lane> lane_of;
  for (std::size_t l = 0; l < static_cast<std::size_t>(lanes); ++l) {
    const Memory memory(grid, alphabet, scratch.memory.data() + l * room);
    const std::int64_t* row_end = row_ends.data() + rows[l];
    lane_of.push_back({memory, row_end, memory.above(), memory.last(), rows[l] < rows[l + 1] ? *row_end : 0});
  }
  const ClassOf class_of = classes(alphabet, kMergings[m]);
  const int half = alphabet / 2;
  const std::uint32_t* slots = scratch.slots.data();
  rans_decode(in.take(in.left()), at, lanes, stop, [&](std::size_t l, std::int64_t i, std::uint32_t slot) {
    Lane& lane = lane_of[l];
    while (i >= lane.end) {  // rows may be empty
      lane.memory.end_row();
      lane.above = lane.memory.above();
      lane.end = *++lane.row_end;
    }
    const std::uint32_t f = scratch.columns[static_cast<std::size_t>(i)];
    const int a = lane.last[f];
    const int b = lane.above[f];
    const std::uint32_t table = class_of[static_cast<std::size_t>(std::abs(a - b))];
    const std::uint32_t entry = slots[table * kTotal + slot];
    const int symbol = wrap(static_cast<int>(entry & 0xff) + ((a + b) >> 1) - half, alphabet);
    lane.last[f] = symbols[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(symbol);
    return detail::Slot{((entry >> 8) & 0xfffu) + 1, entry >> 20};
  });
}

}  // namespace constellm::codec
