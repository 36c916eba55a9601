#include "constellm/codec/mask_coder.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

namespace constellm::codec {
namespace {

enum class Form : std::uint8_t { packed, all, none, density, counted };

constexpr std::int64_t kGroup = 4;
constexpr int kProbabilityBits = 16;
constexpr std::uint32_t kOne = 1u << kProbabilityBits;
constexpr std::int64_t kDensities = 64;  // of what is left in a row, when its count is known

std::int64_t count_row(const MaskBits& mask, std::int64_t t) {
  std::int64_t count = 0;
  for (std::int64_t w = 0; w < mask.words_per_row; ++w) count += std::popcount(mask.row(t)[w]);
  return count;
}

std::uint32_t pattern_of(const std::uint64_t* row, std::int64_t group) {
  return static_cast<std::uint32_t>(row[group / 16] >> (4 * (group % 16))) & 15u;
}

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

// The rows of each lane follow one another, so that what a row depends on is long decoded.
Strips row_strips(std::int64_t tokens, std::int64_t groups, int lanes) {
  Strips at{};
  for (std::int64_t l = 0; l <= lanes; ++l) {
    at[static_cast<std::size_t>(l)] = (tokens / lanes * l + std::min(tokens % lanes, l)) * groups;
  }
  return at;
}

// Tables of one density for whole groups, and of the group that ends a row.
struct Pair {
  Table whole;
  Table last;
};

Pair pair_of(std::uint32_t probability, std::int64_t features) {
  std::array<std::uint32_t, kGroup> one;
  one.fill(probability);
  const auto rest = static_cast<int>(features % kGroup);
  return {make_table(one, kGroup), make_table(one, rest == 0 ? kGroup : rest)};
}

// Which table serves a group: for a density there is one; where every row keeps `count`, that of what
// is left to keep by what is left of the row.
struct Model {
  std::vector<Pair> tables;
  std::int64_t features = 0;
  std::int64_t count = -1;

  Model(std::int64_t row_features, std::uint32_t probability) : features(row_features) {
    tables.push_back(pair_of(probability, features));
  }
  Model(std::int64_t row_features, std::int64_t row_count, Form) : features(row_features), count(row_count) {
    for (std::int64_t i = 0; i <= kDensities; ++i) {
      tables.push_back(pair_of(static_cast<std::uint32_t>(i * (kOne / kDensities)), features));
    }
  }

  [[nodiscard]] const Table& at(std::int64_t group, std::int64_t left_to_keep) const {
    const std::int64_t left = features - group * kGroup;
    std::size_t index = 0;
    if (count >= 0) {
      index = static_cast<std::size_t>(
          std::clamp<std::int64_t>((left_to_keep * kDensities + left / 2) / left, 0, kDensities));
    }
    return left >= kGroup ? tables[index].whole : tables[index].last;
  }
};

void put_modelled(const MaskBits& mask, std::int64_t tokens, const Model& model, CoderScratch& scratch,
                  Bytes& out) {
  const std::int64_t groups = (mask.features + kGroup - 1) / kGroup;
  const std::int64_t n = tokens * groups;
  scratch.ranges.resize(static_cast<std::size_t>(n));
  Range* range = scratch.ranges.data();
  for (std::int64_t t = 0; t < tokens; ++t) {
    std::int64_t left = model.count;
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::uint32_t pattern = pattern_of(mask.row(t), g);
      const Table& begin = model.at(g, left);
      *range++ = range_of(begin[pattern], begin[pattern + 1]);
      left -= std::popcount(pattern);
    }
  }
  const int lanes = lanes_for(n);
  rans_encode(scratch.ranges, row_strips(tokens, groups, lanes), lanes, scratch.words, out);
}

void get_modelled(std::span<const std::uint8_t> data, std::int64_t tokens, const Model& model,
                  MaskBits& mask) {
  const std::int64_t groups = (mask.features + kGroup - 1) / kGroup;
  const int lanes = lanes_for(tokens * groups);
  const Strips at = row_strips(tokens, groups, lanes);
  struct Place {
    std::uint64_t* row = nullptr;
    std::int64_t group = 0;
    std::int64_t left = 0;
  };
  std::array<Place, kManyLanes> place;
  for (std::size_t l = 0; l < static_cast<std::size_t>(lanes); ++l) {
    place[l] = {mask.row(at[l] / groups), 0, model.count};
  }
  std::fill(mask.words.begin(), mask.words.end(), 0);
  rans_decode(data, at, lanes, [&](std::size_t lane, std::int64_t, std::uint32_t slot) {
    Place& p = place[lane];
    const Table& begin = model.at(p.group, p.left);
    const std::uint32_t pattern = find_pattern(begin, slot);
    p.row[p.group / 16] |= static_cast<std::uint64_t>(pattern) << (4 * (p.group % 16));
    p.left -= std::popcount(pattern);
    if (++p.group == groups) p = {p.row + mask.words_per_row, 0, model.count};
    return detail::Slot{static_cast<std::uint32_t>(begin[pattern + 1] - begin[pattern]),
                        slot - begin[pattern]};
  });
}

void put_packed(const MaskBits& mask, std::int64_t tokens, Bytes& out) {
  BitWriter bits(out);
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t f = 0; f < mask.features; f += 32) {
      const auto width = static_cast<int>(std::min<std::int64_t>(32, mask.features - f));
      bits.put(static_cast<std::uint32_t>(mask.row(t)[f / 64] >> (f % 64)), width);
    }
  }
}

void get_packed(ByteReader& in, std::int64_t tokens, MaskBits& mask) {
  BitReader bits(in);
  for (std::int64_t t = 0; t < tokens; ++t) {
    std::fill_n(mask.row(t), mask.words_per_row, 0);
    for (std::int64_t f = 0; f < mask.features; f += 32) {
      const auto width = static_cast<int>(std::min<std::int64_t>(32, mask.features - f));
      mask.row(t)[f / 64] |= static_cast<std::uint64_t>(bits.get(width)) << (f % 64);
    }
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

void put_mask(const MaskBits& mask, std::int64_t tokens, std::int64_t kept, Entropy entropy,
              CoderScratch& scratch, Bytes& out) {
  const std::int64_t elements = tokens * mask.features;
  if (elements == 0) return;
  if (entropy == Entropy::none) {
    put(out, Form::packed);
    put_packed(mask, tokens, out);
  } else if (kept == 0 || kept == elements) {
    put(out, kept == 0 ? Form::none : Form::all);
  } else {
    const std::int64_t count = count_row(mask, 0);
    bool equal = true;
    for (std::int64_t t = 1; t < tokens && equal; ++t) equal = count_row(mask, t) == count;
    if (equal) {
      put(out, Form::counted);
      put_varint(out, static_cast<std::uint64_t>(count));
      put_modelled(mask, tokens, Model(mask.features, count, Form::counted), scratch, out);
    } else {
      const auto density = static_cast<std::uint16_t>(std::clamp<double>(
          static_cast<double>(kept) / static_cast<double>(elements) * kOne, 1.0, kOne - 1.0));
      put(out, Form::density);
      put(out, density);
      put_modelled(mask, tokens, Model(mask.features, density), scratch, out);
    }
  }
}

std::int64_t get_mask(std::span<const std::uint8_t> data, std::int64_t tokens, CoderScratch&,
                      MaskBits& mask) {
  ByteReader in(data);
  if (tokens * mask.features > 0) {
    switch (static_cast<Form>(in.get<std::uint8_t>())) {
      case Form::packed: get_packed(in, tokens, mask); break;
      case Form::all: fill_all(tokens, mask); break;
      case Form::none: std::fill(mask.words.begin(), mask.words.end(), 0); break;
      case Form::density: {
        const auto density = in.get<std::uint16_t>();
        get_modelled(in.take(in.left()), tokens, Model(mask.features, density), mask);
        break;
      }
      case Form::counted: {
        const std::uint64_t count = in.varint();
        if (count > static_cast<std::uint64_t>(mask.features)) throw_corrupt("a row keeps more than it has");
        get_modelled(in.take(in.left()), tokens,
                     Model(mask.features, static_cast<std::int64_t>(count), Form::counted), mask);
        break;
      }
      default: throw_corrupt("form of the mask");
    }
  }
  if (in.left() != 0) throw_corrupt("bytes after the mask");
  std::int64_t kept = 0;
  for (const std::uint64_t word : mask.words) kept += std::popcount(word);
  return kept;
}

}  // namespace constellm::codec
