#include "mask_context.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "constellm/codec/mask_coder.hpp"
#include "constellm/core/simd.hpp"
#include "mask_context_avx2.hpp"

namespace constellm::codec {
namespace {

constexpr int kContexts = 64;  // sixteen running means, and the two neighbours
constexpr int kParameterBits = 3;
constexpr int kMiddle = 16;  // the level of probability 1/2
constexpr int kLevels = 2 * kMiddle;

// Probability of a one in 1/kTotal: kTotal / (1 + 2^(-3/4 * (level - kMiddle))). Steps so wide cost less than
// half a percent, and pairs of levels make a table that stays in the cache.
constexpr auto kOneOf = [] {
  std::array<std::uint16_t, kLevels> one{};
  double odds = 1.0;  // 2^(3/4 * i)
  for (int i = 0; i <= kMiddle; ++i) {
    const double small = kTotal / (1.0 + odds);
    const auto freq =
        static_cast<std::uint16_t>(small < 2.0 ? 2.0 : small + 0.5);  // a pair's second needs two
    one[static_cast<std::size_t>(kMiddle - i)] = freq;
    if (i < kMiddle) one[static_cast<std::size_t>(kMiddle + i)] = static_cast<std::uint16_t>(kTotal - freq);
    odds *= 1.6817928305074290;
  }
  return one;
}();

// Two features are one symbol: twice the first bit, plus the second. Where the four of a pair of levels
// begin in [0, kTotal).
using PairBegin = std::array<std::uint16_t, 5>;

constexpr PairBegin pair_begin(std::size_t first, std::size_t second) {
  const std::uint32_t zeros = kTotal - kOneOf[first];
  const auto split = [&](std::uint32_t size) {
    const std::uint32_t ones = (size * kOneOf[second] + kTotal / 2) >> kTotalBits;
    return size - std::clamp(ones, 1u, size - 1);
  };
  return {0, static_cast<std::uint16_t>(split(zeros)), static_cast<std::uint16_t>(zeros),
          static_cast<std::uint16_t>(zeros + split(kTotal - zeros)), static_cast<std::uint16_t>(kTotal)};
}

constexpr std::size_t kPairs = std::size_t{kLevels} * kLevels;

constexpr auto kBegins = [] {
  std::array<PairBegin, kPairs> begins{};
  for (std::size_t pair = 0; pair < kPairs; ++pair) begins[pair] = pair_begin(pair / kLevels, pair % kLevels);
  return begins;
}();

constexpr auto kRanges = [] {  // of the four of every pair, in this order
  std::array<Range, 4 * kPairs> ranges{};
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    const PairBegin& begin = kBegins[pair];
    for (std::size_t bits = 0; bits < 4; ++bits) {
      ranges[4 * pair + bits] =
          range_of(begin[bits], divisor_of(static_cast<std::uint32_t>(begin[bits + 1] - begin[bits])));
    }
  }
  return ranges;
}();

// What masks of trained transformers have, roughly: the level expected in a context.
int expected_level(int context) {
  const int mean = context >> 2;
  const int neighbours = ((context >> 1) & 1) + (context & 1);
  return kMiddle + (mean - 8) / 2 + 2 * (neighbours - 1);
}

CONSTELLM_SIMD void contexts_of(const std::uint8_t* mean, const std::uint8_t* before,
                                const std::uint8_t* above, std::int64_t n, std::uint8_t* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<std::uint8_t>(((mean[i] >> 2) & 0x3c) | (before[i] << 1) | above[i]);
  }
}

// mean += (one - mean) / 4, in 1/256 and within [0, 255].
CONSTELLM_SIMD void update_means(const std::uint8_t* kept, std::int64_t n, std::uint8_t* mean) {
  for (std::int64_t i = 0; i < n; ++i) {
    mean[i] = static_cast<std::uint8_t>(mean[i] - (mean[i] >> 2) + (kept[i] != 0 ? 63 : 0));
  }
}

CONSTELLM_SIMD void add_bits(const std::uint8_t* contexts, const std::uint8_t* kept, std::int64_t n,
                             std::uint8_t* ids) {
  for (std::int64_t i = 0; i < n; ++i) ids[i] = static_cast<std::uint8_t>((contexts[i] << 1) | kept[i]);
}

// What the decoder knows of one strip: running means and the last `stride` rows, as bytes.
class Memory {
 public:
  Memory(std::int64_t words, std::int64_t stride, std::uint8_t* room)
      : width_(64 * words), stride_(stride), mean_(room), contexts_(room + width_), rows_(room + 2 * width_) {
    std::fill_n(mean_, width_, std::uint8_t{64});
    std::fill_n(rows_, width_ * stride_, std::uint8_t{0});
    prepare();
  }
  static std::size_t size_of(std::int64_t words, std::int64_t stride) {
    return static_cast<std::size_t>(64 * words * (2 + stride));
  }

  [[nodiscard]] const std::uint8_t* contexts() const { return contexts_; }
  /// Where the row that comes is written; the one above, which was there, is in the contexts by then.
  [[nodiscard]] std::uint8_t* row() const { return rows_ + (count_ % stride_) * width_; }
  void end_row() {
    update_means(row(), width_, mean_);
    ++count_;
    prepare();
  }

 private:
  void prepare() {
    const std::uint8_t* before = rows_ + ((count_ + stride_ - 1) % stride_) * width_;
    contexts_of(mean_, before, row(), width_, contexts_);
  }

  std::int64_t width_;
  std::int64_t stride_;
  std::uint8_t* mean_;
  std::uint8_t* contexts_;
  std::uint8_t* rows_;
  std::int64_t count_ = 0;
};

// Features of a row, made even: the one more is never kept.
std::int64_t paired(std::int64_t features) { return features + features % 2; }

std::uint64_t cost_of_level(std::uint64_t zeros, std::uint64_t ones, int level) {
  const std::uint32_t one = kOneOf[static_cast<std::size_t>(level)];
  return zeros * cost_of(kTotal - one) + ones * cost_of(one);
}

// The level at which a context costs least; costs fall and then rise with it.
int best_level(std::uint64_t zeros, std::uint64_t ones) {
  int low = 0;
  int high = kLevels - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (cost_of_level(zeros, ones, middle) <= cost_of_level(zeros, ones, middle + 1)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

int fold(int level) { return std::clamp(level, 0, kLevels - 1); }

// What is predicted from contexts before: expectation, and by how much the last ones were off it.
struct Predictor {
  int off = 0;
  [[nodiscard]] int level(int context) const { return fold(expected_level(context) + off); }
  void learn(int context, int level) { off = (level - expected_level(context)) / 2; }
};

void put_levels(const std::array<int, kContexts>& levels, Bytes& out) {
  std::array<std::uint32_t, kContexts> code;
  Predictor predictor;
  for (int c = 0; c < kContexts; ++c) {
    const int level = levels[static_cast<std::size_t>(c)];
    code[static_cast<std::size_t>(c)] = zigzag(level - predictor.level(c));
    predictor.learn(c, level);
  }
  int best = 0;
  std::uint64_t least = ~std::uint64_t{0};
  for (int p = 0; p < (1 << kParameterBits); ++p) {
    std::uint64_t bits = 0;
    for (const std::uint32_t value : code) bits += (value >> p) + 1 + static_cast<std::uint32_t>(p);
    if (bits >= least) continue;
    least = bits;
    best = p;
  }
  BitWriter writer(out);
  writer.put(static_cast<std::uint32_t>(best), kParameterBits);
  for (const std::uint32_t value : code) put_rice(writer, value, best);
}

std::array<int, kContexts> get_levels(ByteReader& in) {
  BitReader reader(in);
  const auto parameter = static_cast<int>(reader.get(kParameterBits));
  std::array<int, kContexts> levels;
  Predictor predictor;
  for (int c = 0; c < kContexts; ++c) {
    const int level = predictor.level(c) + unzigzag(get_rice(reader, parameter, 2 * kLevels));
    if (level < 0 || level >= kLevels) throw_corrupt("a probability is not in [0, 1]");
    levels[static_cast<std::size_t>(c)] = level;
    predictor.learn(c, level);
  }
  return levels;
}

// Bytes of 0 or 1 [8 * bytes, Lanes] to bits of every strip.
template <int Lanes>
void pack_strips(const std::uint8_t* kept, std::int64_t bytes, std::span<std::uint8_t* const> bits) {
  for (std::int64_t b = 0; b < bytes; ++b) {
    std::uint64_t eight = 0;  // byte l is of strip l
    for (int f = 0; f < 8; ++f, kept += Lanes) {
      std::uint64_t feature = 0;
      std::memcpy(&feature, kept, Lanes);
      eight |= feature << f;
    }
    for (std::uint8_t* of_strip : bits) {
      of_strip[b] = static_cast<std::uint8_t>(eight);
      eight >>= 8;
    }
  }
}

// The numbers in `kRanges` of pairs of features that are each twice a context and a bit more.
void number_pairs(const std::array<std::uint8_t, kContexts>& levels, const std::uint8_t* ids,
                  std::int64_t pairs, std::uint16_t* numbers) {
  std::int64_t i = core::has_avx2() ? number_pairs_avx2(levels, ids, pairs, numbers) : 0;
  for (; i < pairs; ++i) {
    const std::uint32_t first = ids[2 * i];
    const std::uint32_t second = ids[2 * i + 1];
    const std::uint32_t pair = levels[first / 2] * std::uint32_t{kLevels} + levels[second / 2];
    numbers[i] = static_cast<std::uint16_t>(4 * pair + 2 * (first & 1) + (second & 1));
  }
}

// The features of all strips lie together, so that a row of all is one row of the memory. Strips with a row
// less than the others are the last ones.
template <int Lanes>
void decode_rows(RansDecoder<Lanes>& decoder, const std::array<int, kContexts>& levels, const Strips& rows,
                 std::int64_t stride, core::StopToken& stop, CoderScratch& scratch, MaskBits& mask) {
  const std::int64_t words = mask.words_per_row;
  scratch.memory.resize(Memory::size_of(Lanes * words, stride));
  Memory memory(Lanes * words, stride, scratch.memory.data());
  MaskProbabilities one;
  std::array<std::uint16_t, kContexts> level;
  for (std::size_t c = 0; c < kContexts; ++c) {
    const auto l = static_cast<std::size_t>(levels[c]);
    level[c] = static_cast<std::uint16_t>(l);
    one.low[c] = static_cast<std::uint8_t>(kOneOf[l]);
    one.high[c] = static_cast<std::uint8_t>(kOneOf[l] >> 8);
  }
  const std::int64_t pairs = paired(mask.features) / 2;
  const bool avx2 = Lanes == kMostLanes && core::has_avx2();
  std::size_t active = Lanes;
  for (std::int64_t r = 0; r < rows[1]; ++r) {
    while (rows[active - 1] + r >= rows[active]) --active;
    std::uint8_t* const row = memory.row();
    const std::uint8_t* const contexts = memory.contexts();
    const auto model = [&](std::size_t l, std::int64_t p, std::uint32_t slot) {
      const std::uint8_t* context = contexts + 2 * Lanes * p + l;
      const PairBegin& begin = kBegins[std::size_t{level[context[0]]} * kLevels + level[context[Lanes]]];
      std::size_t bits = slot >= begin[2] ? 2 : 0;
      bits += slot >= begin[bits + 1] ? 1 : 0;
      row[2 * Lanes * p + static_cast<std::int64_t>(l)] = static_cast<std::uint8_t>(bits >> 1);
      row[2 * Lanes * p + Lanes + static_cast<std::int64_t>(l)] = static_cast<std::uint8_t>(bits & 1);
      return detail::Slot{static_cast<std::uint32_t>(begin[bits + 1] - begin[bits]), slot - begin[bits]};
    };
    if (avx2) {
      if constexpr (Lanes == kMostLanes) {
        decode_mask_row_avx2(one, contexts, pairs, static_cast<int>(active), decoder, row);
      }
    } else if (active == Lanes) {
      decoder.run(0, pairs, model);
    } else {
      decoder.run_some(0, pairs, [=](std::size_t l, std::int64_t) { return l < active; }, model);
    }
    // The one more of a corrupt message may be kept.
    if (mask.features % 2 != 0) std::fill_n(row + Lanes * mask.features, Lanes, std::uint8_t{0});
    std::array<std::uint8_t*, Lanes> bits;
    for (std::size_t l = 0; l < active; ++l) bits[l] = reinterpret_cast<std::uint8_t*>(mask.row(rows[l] + r));
    pack_strips<Lanes>(row, 8 * words, {bits.data(), active});
    memory.end_row();
    pass(stop, Lanes * mask.features);
  }
}

}  // namespace

std::uint64_t fit_mask_context(const Grid& grid, core::StopToken& stop, CoderScratch& scratch) {
  const MaskBits& mask = *grid.mask;
  const std::int64_t width = paired(grid.features);
  scratch.ids.resize(static_cast<std::size_t>(grid.tokens * width));
  scratch.memory.resize(Memory::size_of(mask.words_per_row, grid.stride));
  const int lanes = lanes_for_rows(grid.tokens);
  const Strips rows = even_strips(grid.tokens, lanes);
  std::uint8_t* ids = scratch.ids.data();
  for (std::size_t l = 0; l < static_cast<std::size_t>(lanes); ++l) {
    Memory memory(mask.words_per_row, grid.stride, scratch.memory.data());
    for (std::int64_t t = rows[l]; t < rows[l + 1]; ++t, ids += width) {
      unpack(mask.row(t), mask.words_per_row, memory.row());
      add_bits(memory.contexts(), memory.row(), width, ids);
      memory.end_row();
      pass(stop, width);
    }
  }
  Histogram histogram;
  count_symbols(scratch.ids, stop, histogram);
  std::uint64_t cost = 0;
  for (std::size_t c = 0; c < kContexts; ++c) {
    const std::uint64_t zeros = histogram[2 * c];
    const std::uint64_t ones = histogram[2 * c + 1];
    const bool used = zeros + ones > 0;
    scratch.mask_levels[c] = used ? best_level(zeros, ones) : -1;
    if (used) cost += cost_of_level(zeros, ones, scratch.mask_levels[c]);
  }
  // Contexts that do not occur are as predicted, which costs a bit each.
  Predictor predictor;
  for (int c = 0; c < kContexts; ++c) {
    int& level = scratch.mask_levels[static_cast<std::size_t>(c)];
    if (level < 0) level = predictor.level(c);
    predictor.learn(c, level);
  }
  return cost / 256 + 2 * kContexts + 32 * static_cast<std::uint64_t>(lanes);
}

void put_mask_context(const Grid& grid, core::StopToken& stop, CoderScratch& scratch, Bytes& out) {
  put(out, static_cast<std::uint8_t>(grid.stride));
  put_levels(scratch.mask_levels, out);
  std::array<std::uint8_t, kContexts> levels;
  std::transform(scratch.mask_levels.begin(), scratch.mask_levels.end(), levels.begin(),
                 [](int level) { return static_cast<std::uint8_t>(level); });
  const std::int64_t pairs = std::ssize(scratch.ids) / 2;
  scratch.wide_ids.resize(static_cast<std::size_t>(pairs));
  in_parts(pairs, stop, [&](std::int64_t begin, std::int64_t end) {
    number_pairs(levels, scratch.ids.data() + 2 * begin, end - begin, scratch.wide_ids.data() + begin);
  });
  const int lanes = lanes_for_rows(grid.tokens);
  rans_encode(scratch.wide_ids.data(), kRanges.data(),
              even_strips(grid.tokens, lanes, paired(grid.features) / 2), lanes, stop, scratch.words, out);
}

void get_mask_context(ByteReader& in, std::int64_t tokens, core::StopToken& stop, CoderScratch& scratch,
                      MaskBits& mask) {
  const std::int64_t stride = in.get<std::uint8_t>();
  if (stride < 1 || stride > most_stride(tokens)) throw_corrupt("stride");
  const auto levels = get_levels(in);
  with_decoder(in.take(in.left()), lanes_for_rows(tokens), [&](auto& decoder) {
    decode_rows(decoder, levels, even_strips(tokens, lanes_for_rows(tokens)), stride, stop, scratch, mask);
  });
}

}  // namespace constellm::codec
