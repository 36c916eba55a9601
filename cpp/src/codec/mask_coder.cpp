#include "constellm/codec/mask_coder.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "mask_context.hpp"

namespace constellm::codec {
namespace {

enum class Form : std::uint8_t { packed, all, none, density, counted, context };

constexpr std::int64_t kGroup = 4;
constexpr int kProbabilityBits = 16;
constexpr std::uint32_t kOne = 1u << kProbabilityBits;
constexpr std::int64_t kDensities = 64;  // of what is left in a row, when its count is known

std::uint32_t pattern_of(const std::uint64_t* row, std::int64_t group) {
  return static_cast<std::uint32_t>(row[group / 16] >> (4 * (group % 16))) & 15u;
}

int ones_of(std::uint32_t pattern) { return static_cast<int>(0x4332322132212110u >> (4 * pattern)) & 15; }

// Where each pattern of a group begins in [0, kTotal); the last feature is the highest bit.
using Table = std::array<std::uint16_t, 17>;

// `one` [features] are the probabilities of a feature to be kept, in 1/kOne; patterns that keep a feature
// beyond the last do not occur. Intervals are halved by feature, and every pattern keeps at least 1.
Table make_table(const std::array<std::uint32_t, kGroup>& one, int features) {
  Table begin;
  begin.fill(kTotal);
  begin[0] = 0;
  for (int f = features; f-- > 0;) {
    const std::uint32_t half = 1u << f;
    for (std::uint32_t low = 0; low < (1u << features); low += 2 * half) {
      const std::uint32_t from = begin[low];
      const std::uint32_t to = begin[low + 2 * half];
      const std::uint32_t upper =
          ((to - from) * one[static_cast<std::size_t>(f)] + kOne / 2) >> kProbabilityBits;
      begin[low + half] = static_cast<std::uint16_t>(to - std::clamp(upper, half, to - from - half));
    }
  }
  return begin;
}

std::uint32_t find_pattern(const Table& begin, std::uint32_t slot) {
  std::uint32_t pattern = slot >= begin[8] ? 8 : 0;
  pattern += slot >= begin[pattern + 4] ? 4 : 0;
  pattern += slot >= begin[pattern + 2] ? 2 : 0;
  pattern += slot >= begin[pattern + 1] ? 1 : 0;
  return pattern;
}

// Which table serves a group: for a density there is one; where every row keeps `count`, that of what
// is left to keep by what is left of the row.
struct Model {
  std::int64_t features;
  std::int64_t count;         // -1: rows differ
  std::vector<Table> tables;  // of whole groups; from `tables.size() / 2` on, of the group that ends a row

  static Model of_density(std::int64_t features, std::uint32_t probability) {
    Model model{features, -1, {}};
    model.add(probability, kGroup);
    model.add(probability, model.last_group());
    return model;
  }
  static Model of_count(std::int64_t features, std::int64_t count) {
    Model model{features, count, {}};
    for (const int width : {static_cast<int>(kGroup), model.last_group()}) {
      for (std::int64_t i = 0; i <= kDensities; ++i) {
        model.add(static_cast<std::uint32_t>(i * (kOne / kDensities)), width);
      }
    }
    return model;
  }

  [[nodiscard]] std::int64_t groups() const { return (features + kGroup - 1) / kGroup; }

  [[nodiscard]] std::size_t index(std::int64_t group, std::int64_t left_to_keep) const {
    const std::int64_t left = features - group * kGroup;
    const std::size_t last = left >= kGroup ? 0 : tables.size() / 2;
    if (count < 0) return last;
    const std::int64_t density = (left_to_keep * kDensities + left / 2) / left;
    return last + static_cast<std::size_t>(std::clamp<std::int64_t>(density, 0, kDensities));
  }

 private:
  [[nodiscard]] int last_group() const {
    return static_cast<int>(features % kGroup == 0 ? kGroup : features % kGroup);
  }
  void add(std::uint32_t probability, int width) {
    std::array<std::uint32_t, kGroup> one;
    one.fill(probability);
    tables.push_back(make_table(one, width));
  }
};

void put_modelled(const Grid& grid, const Model& model, core::StopToken& stop, CoderScratch& scratch,
                  Bytes& out) {
  const std::int64_t groups = model.groups();
  const std::int64_t n = grid.tokens * groups;
  scratch.wide_ids.resize(static_cast<std::size_t>(n));
  std::uint16_t* id = scratch.wide_ids.data();
  for (std::int64_t t = 0; t < grid.tokens; ++t) {
    std::int64_t left = model.count;
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::uint32_t pattern = pattern_of(grid.mask->row(t), g);
      *id++ = static_cast<std::uint16_t>(16 * model.index(g, left) + pattern);
      left -= ones_of(pattern);
    }
    pass(stop, grid.features);
  }
  std::vector<Range> ranges;
  ranges.reserve(16 * model.tables.size());
  for (const Table& begin : model.tables) {
    for (std::size_t pattern = 0; pattern < 16; ++pattern) {
      ranges.push_back(range_of(begin[pattern], kDivisors[begin[pattern + 1] - begin[pattern]]));
    }
  }
  const int lanes = lanes_for(n);
  rans_encode(scratch.wide_ids.data(), ranges.data(), even_strips(grid.tokens, lanes, groups), lanes, stop,
              scratch.words, out);
}

void get_modelled(std::span<const std::uint8_t> data, std::int64_t tokens, const Model& model,
                  core::StopToken& stop, MaskBits& mask) {
  const std::int64_t groups = model.groups();
  const int lanes = lanes_for(tokens * groups);
  // The rows of each lane follow one another, so that what a row depends on is long decoded.
  const Strips rows = even_strips(tokens, lanes);
  struct Place {
    std::uint64_t* row = nullptr;
    std::int64_t group = 0;
    std::int64_t left = 0;
  };
  std::array<Place, kMostLanes> place;
  for (std::size_t l = 0; l < static_cast<std::size_t>(lanes); ++l) {
    place[l] = {mask.row(rows[l]), 0, model.count};
  }
  std::fill(mask.words.begin(), mask.words.end(), 0);
  rans_decode(data, even_strips(tokens, lanes, groups), lanes, stop,
              [&](std::size_t l, std::int64_t, std::uint32_t slot) {
                Place& p = place[l];
                const Table& begin = model.tables[model.index(p.group, p.left)];
                const std::uint32_t pattern = find_pattern(begin, slot);
                p.row[p.group / 16] |= static_cast<std::uint64_t>(pattern) << (4 * (p.group % 16));
                p.left -= ones_of(pattern);
                if (++p.group == groups) p = {p.row + mask.words_per_row, 0, model.count};
                return detail::Slot{static_cast<std::uint32_t>(begin[pattern + 1] - begin[pattern]),
                                    slot - begin[pattern]};
              });
}

void put_packed(const MaskBits& mask, std::int64_t tokens, core::StopToken& stop, Bytes& out) {
  BitWriter bits(out);
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t f = 0; f < mask.features; f += 32) {
      const auto width = static_cast<int>(std::min<std::int64_t>(32, mask.features - f));
      bits.put(static_cast<std::uint32_t>(mask.row(t)[f / 64] >> (f % 64)), width);
    }
    pass(stop, mask.features);
  }
}

void get_packed(ByteReader& in, std::int64_t tokens, core::StopToken& stop, MaskBits& mask) {
  BitReader bits(in);
  for (std::int64_t t = 0; t < tokens; ++t) {
    std::fill_n(mask.row(t), mask.words_per_row, 0);
    for (std::int64_t f = 0; f < mask.features; f += 32) {
      const auto width = static_cast<int>(std::min<std::int64_t>(32, mask.features - f));
      mask.row(t)[f / 64] |= static_cast<std::uint64_t>(bits.get(width)) << (f % 64);
    }
    pass(stop, mask.features);
  }
}

void fill_all(std::int64_t tokens, MaskBits& mask) {
  std::fill(mask.words.begin(), mask.words.end(), ~std::uint64_t{0});
  if (mask.features % 64 == 0) return;
  for (std::int64_t t = 0; t < tokens; ++t) {
    mask.row(t)[mask.words_per_row - 1] = (std::uint64_t{1} << (mask.features % 64)) - 1;
  }
}

}  // namespace

void put_mask(const Grid& grid, std::int64_t kept, Entropy entropy, core::StopToken& stop,
              CoderScratch& scratch, Bytes& out) {
  const MaskBits& mask = *grid.mask;
  const std::int64_t elements = grid.tokens * grid.features;
  if (elements == 0) return;
  if (entropy == Entropy::none) {
    put(out, Form::packed);
    return put_packed(mask, grid.tokens, stop, out);
  }
  if (kept == 0 || kept == elements) return put(out, kept == 0 ? Form::none : Form::all);

  const std::int64_t count = mask.count(0);
  bool equal = true;
  for (std::int64_t t = 1; t < grid.tokens && equal; ++t) {
    equal = mask.count(t) == count;
    pass(stop, mask.words_per_row);
  }
  const auto density = static_cast<std::uint32_t>(
      std::clamp<double>(static_cast<double>(kept) / static_cast<double>(elements) * kOne, 1.0, kOne - 1.0));
  if (entropy == Entropy::context) {
    const std::uint32_t one = std::clamp<std::uint32_t>(density * kTotal / kOne, 1, kTotal - 1);
    std::uint64_t plain = (static_cast<std::uint64_t>(kept) * cost_of(one) +
                           static_cast<std::uint64_t>(elements - kept) * cost_of(kTotal - one)) /
                          256;
    // log2 of the binomial is less than n * H by half of log2(2 * pi * variance).
    const auto variance = static_cast<std::uint64_t>(6 * count * (mask.features - count) / mask.features);
    if (equal) {
      const auto width = static_cast<std::uint64_t>(std::bit_width(variance));
      plain -= std::min(plain, static_cast<std::uint64_t>(grid.tokens) * width / 2);
    }
    if (fit_mask_context(grid, stop, scratch) < plain) {
      put(out, Form::context);
      return put_mask_context(grid, stop, scratch, out);
    }
  }
  if (equal) {
    put(out, Form::counted);
    put_varint(out, static_cast<std::uint64_t>(count));
    put_modelled(grid, Model::of_count(mask.features, count), stop, scratch, out);
  } else {
    put(out, Form::density);
    put(out, static_cast<std::uint16_t>(density));
    put_modelled(grid, Model::of_density(mask.features, density), stop, scratch, out);
  }
}

std::int64_t get_mask(std::span<const std::uint8_t> data, std::int64_t tokens, core::StopToken& stop,
                      CoderScratch& scratch, MaskBits& mask) {
  ByteReader in(data);
  if (tokens * mask.features > 0) {
    switch (static_cast<Form>(in.get<std::uint8_t>())) {
      case Form::packed: get_packed(in, tokens, stop, mask); break;
      case Form::all: fill_all(tokens, mask); break;
      case Form::none: std::fill(mask.words.begin(), mask.words.end(), 0); break;
      case Form::density: {
        const auto density = in.get<std::uint16_t>();
        get_modelled(in.take(in.left()), tokens, Model::of_density(mask.features, density), stop, mask);
        break;
      }
      case Form::counted: {
        const std::uint64_t count = in.varint();
        if (count > static_cast<std::uint64_t>(mask.features)) throw_corrupt("a row keeps more than it has");
        const Model model = Model::of_count(mask.features, static_cast<std::int64_t>(count));
        get_modelled(in.take(in.left()), tokens, model, stop, mask);
        break;
      }
      case Form::context: get_mask_context(in, tokens, stop, scratch, mask); break;
      default: throw_corrupt("form of the mask");
    }
  }
  if (in.left() != 0) throw_corrupt("bytes after the mask");
  std::int64_t kept = 0;
  in_parts(std::ssize(mask.words), stop, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t w = begin; w < end; ++w) kept += ones_in(mask.words[static_cast<std::size_t>(w)]);
  });
  return kept;
}

}  // namespace constellm::codec
