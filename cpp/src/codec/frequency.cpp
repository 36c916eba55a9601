#include "constellm/codec/frequency.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "constellm/core/simd.hpp"

namespace constellm::codec {
namespace {

constexpr int kSpacingBits = 3;
constexpr int kSpacings = 6;  // knots are 2^0 to 2^5 symbols apart
constexpr int kParameterBits = 3;
constexpr int kLevelBits = 7;
constexpr int kLevelsPerBit = 8;
constexpr int kTopLevel = kLevelsPerBit * kTotalBits;  // probability 1; level 0 is 1 / kTotal
constexpr int kFine = 64;                              // parts of a bit in the tables below

// All tables come from products of doubles at compile time: no library's exp or log, whose last digit
// differs between machines.
constexpr double kFineRoot = 1.0108892860517004600;  // 2^(1/64)

constexpr auto kPower = [] {  // 2^14 * 2^(i/64)
  std::array<std::uint32_t, kFine> power{};
  double value = 16384.0;
  for (auto& entry : power) {
    entry = static_cast<std::uint32_t>(value + 0.5);
    value *= kFineRoot;
  }
  return power;
}();

constexpr auto kCost = [] {  // 256 * log2(kTotal / freq); what does not occur has none
  std::array<std::uint16_t, kTotal + 1> cost{};
  for (std::uint32_t freq = 1; freq <= kTotal; ++freq) {
    // log2 by squaring: each square that passes 2 is a one.
    int whole = 0;
    double rest = freq;
    for (; rest >= 2.0; rest /= 2.0) ++whole;
    std::uint32_t log2 = static_cast<std::uint32_t>(whole);
    for (int bit = 0; bit < 12; ++bit) {
      rest *= rest;
      log2 = 2 * log2 + (rest >= 2.0 ? 1u : 0u);
      if (rest >= 2.0) rest /= 2.0;
    }
    cost[freq] = static_cast<std::uint16_t>((kTotalBits * 4096u - log2 + 8u) / 16u);
  }
  return cost;
}();

constexpr auto kWeight = [] {  // 2^14 * 2^(i/64)
  std::array<std::uint32_t, kTotalBits * kFine + 1> weight{};
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = kPower[i % kFine] << (i / kFine);
  return weight;
}();

// Level of the probability count / total, to nearest in the logarithm.
int level_of(std::uint64_t count, std::uint64_t total) {
  const std::uint64_t ratio = (count << 26) / total;  // 2^14 is level 0
  if (ratio <= kPower[0]) return 0;
  const int whole = static_cast<int>(std::bit_width(ratio)) - 15;
  const auto rest = static_cast<std::uint32_t>(ratio >> whole);  // in [2^14, 2^15)
  // Half a level up, so that it is rounded.
  int eighth = 0;
  for (int i = 0; i < kLevelsPerBit; ++i) {
    eighth += rest >= kPower[static_cast<std::size_t>((2 * i + 1) * kFine / (2 * kLevelsPerBit))] ? 1 : 0;
  }
  return std::min(whole * kLevelsPerBit + eighth, kTopLevel);
}

struct Knots {
  int spacing_log2 = 0;
  int count = 0;
  std::array<std::uint8_t, kMostSymbols> level{};
  std::array<bool, kMostSymbols> absent{};  // only where there is a knot a symbol
};

int knots_needed(int symbols, int spacing_log2) {
  return ((symbols - 2 + (1 << spacing_log2)) >> spacing_log2) + 1;
}

// What each of n weights is beyond its share of kTotal's n-th part; their sum.
CONSTELLM_SIMD std::int64_t excesses(const std::uint32_t* weight, std::size_t n, std::int64_t sum,
                                     std::int64_t* excess) {
  std::int64_t beyond = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t w = static_cast<std::int64_t>(weight[i]) * kTotal;
    excess[i] = w > sum ? w - sum : 0;
    beyond += excess[i];
  }
  return beyond;
}

// Shares kTotal out in proportion to the curve, at least 1 each.
void frequencies_of(const Knots& knots, int symbols, Frequencies& freq) {
  std::array<std::uint32_t, kMostSymbols> weight{};
  const int spacing = 1 << knots.spacing_log2;
  constexpr int kStep = kFine / kLevelsPerBit;
  std::size_t i = 0;
  const auto n = static_cast<std::size_t>(symbols);
  for (std::size_t knot = 0; i < n; ++knot) {
    if (spacing == 1) {
      weight[i++] = knots.absent[knot] ? 0 : kWeight[static_cast<std::size_t>(knots.level[knot] * kStep)];
      continue;
    }
    const int slope = (knots.level[knot + 1] - knots.level[knot]) * kStep;
    int level = (knots.level[knot] * kStep) << knots.spacing_log2;
    for (int part = 0; part < spacing && i < n; ++part, level += slope) {
      weight[i++] = kWeight[static_cast<std::size_t>(level >> knots.spacing_log2)];
    }
  }
  std::int64_t sum = 0;
  std::int64_t present = 0;
  for (const std::uint32_t w : weight) {
    sum += w;
    present += w != 0 ? 1 : 0;
  }
  // One for each; the rest in proportion to what a symbol should have beyond one. There is such a
  // symbol, since kTotal is far more than kMostSymbols. Sums stay below 2^47 and are exact in doubles; the
  // millionth makes up for what a quotient loses, so that all is given at the end.
  std::array<std::int64_t, kMostSymbols> excess;
  const std::int64_t beyond = excesses(weight.data(), weight.size(), sum, excess.data());
  const double share = static_cast<double>(kTotal - present) / static_cast<double>(beyond);
  std::int64_t done = 0;
  std::int32_t given = 0;
  for (std::size_t s = 0; s < weight.size(); ++s) {
    done += excess[s];
    const auto until = static_cast<std::int32_t>(static_cast<double>(done) * share + 1e-6);
    freq[s] = static_cast<std::uint16_t>((weight[s] != 0 ? 1 : 0) + until - given);
    given = until;
  }
}

// Counts of all symbols before each.
using Sums = std::array<std::uint64_t, kMostSymbols + 1>;

Sums sums_of(const Histogram& histogram) {
  Sums sums;
  sums[0] = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) sums[i + 1] = sums[i] + histogram[i];
  return sums;
}

Knots knots_of(const Sums& sums, int symbols, int spacing_log2) {
  Knots knots{.spacing_log2 = spacing_log2, .count = knots_needed(symbols, spacing_log2)};
  const int reach = (1 << spacing_log2) / 2;
  for (int k = 0; k < knots.count; ++k) {
    const int centre = std::min(k << spacing_log2, symbols - 1);
    const int first = std::max(centre - reach, 0);
    const int last = std::min(centre + reach, symbols - 1);
    const std::uint64_t count =
        sums[static_cast<std::size_t>(last) + 1] - sums[static_cast<std::size_t>(first)];
    const auto s = static_cast<std::size_t>(k);
    knots.level[s] = static_cast<std::uint8_t>(
        level_of(count, sums.back() * static_cast<std::uint64_t>(last - first + 1)));
    knots.absent[s] = spacing_log2 == 0 && count == 0;
  }
  return knots;
}

void put_gamma(BitWriter& bits, std::uint32_t value) {  // >= 1
  const auto width = static_cast<int>(std::bit_width(value));
  bits.put(0, width - 1);
  bits.put(1, 1);
  bits.put(value & ~(1u << (width - 1)), width - 1);
}

std::uint32_t get_gamma(BitReader& bits) {
  int width = 0;
  while (bits.get(1) == 0) {
    if (++width > 8) throw_corrupt("a run in a table of probabilities is too long");
  }
  return (1u << width) | bits.get(width);
}

// The parameter for which the steps between present levels take the fewest bits, and those bits.
std::pair<int, std::uint32_t> best_parameter(const Knots& knots) {
  std::array<std::uint32_t, 1 << kParameterBits> total{};
  int before = -1;
  for (std::size_t k = 0; k < static_cast<std::size_t>(knots.count); ++k) {
    if (knots.absent[k]) continue;
    if (before >= 0) {
      const std::uint32_t code = zigzag(knots.level[k] - before);
      for (std::size_t p = 0; p < total.size(); ++p)
        total[p] += (code >> p) + 1 + static_cast<std::uint32_t>(p);
    }
    before = knots.level[k];
  }
  const auto least = std::min_element(total.begin(), total.end());
  return {static_cast<int>(least - total.begin()), *least};
}

void describe(const Knots& knots, int parameter, Bytes& out) {
  BitWriter bits(out);
  bits.put(static_cast<std::uint32_t>(knots.spacing_log2), kSpacingBits);
  bits.put(static_cast<std::uint32_t>(parameter), kParameterBits);
  const auto count = static_cast<std::size_t>(knots.count);
  if (knots.spacing_log2 == 0) {
    bits.put(knots.absent[0] ? 1 : 0, 1);
    for (std::size_t k = 0; k < count;) {
      std::size_t end = k;
      while (end < count && knots.absent[end] == knots.absent[k]) ++end;
      put_gamma(bits, static_cast<std::uint32_t>(end - k));
      k = end;
    }
  }
  int before = -1;
  for (std::size_t k = 0; k < count; ++k) {
    if (knots.absent[k]) continue;
    if (before < 0) {
      bits.put(knots.level[k], kLevelBits);
    } else {
      put_rice(bits, zigzag(knots.level[k] - before), parameter);
    }
    before = knots.level[k];
  }
}

std::uint32_t bits_of_runs(const Knots& knots) {
  std::uint32_t bits = 1;
  for (int k = 0; k < knots.count;) {
    int end = k;
    while (end < knots.count &&
           knots.absent[static_cast<std::size_t>(end)] == knots.absent[static_cast<std::size_t>(k)]) {
      ++end;
    }
    bits += 2 * static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(end - k))) - 1;
    k = end;
  }
  return bits;
}

}  // namespace

std::uint32_t cost_of(std::uint32_t freq) { return kCost[freq]; }

std::uint64_t cost_of(const Histogram& histogram, const Frequencies& freq, int symbols) {
  std::uint64_t cost = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(symbols); ++i) {
    cost += static_cast<std::uint64_t>(histogram[i]) * kCost[freq[i]];
  }
  return cost;
}

std::uint64_t least_cost_bits(const Histogram& histogram) {
  std::uint64_t total = 0;
  for (const std::uint32_t count : histogram) total += count;
  const double scale = kTotal / static_cast<double>(total);
  std::uint64_t cost = 0;
  for (const std::uint32_t count : histogram) {
    // Not less than its probability, and a cost is rounded by at most a 512th of a bit.
    const std::uint32_t freq = std::min(static_cast<std::uint32_t>(count * scale) + 1, kTotal);
    cost += static_cast<std::uint64_t>(count) * kCost[freq];
  }
  return cost < total ? 0 : (cost - total) / 256;
}

void fit_frequencies(const Histogram& histogram, int symbols, Fitted& out) {
  const Sums sums = sums_of(histogram);
  const std::uint64_t least = least_cost_bits(histogram);
  struct Curve {
    Knots knots;
    int parameter;
    std::uint64_t bits;  // of the description
  };
  const auto curve = [&](int spacing_log2) {
    const Knots knots = knots_of(sums, symbols, spacing_log2);
    const auto [parameter, steps] = best_parameter(knots);
    const std::uint32_t runs = spacing_log2 == 0 ? bits_of_runs(knots) : 0;
    return Curve{knots, parameter, std::uint64_t{kSpacingBits + kParameterBits + kLevelBits} + steps + runs};
  };
  out.cost_bits = std::numeric_limits<std::uint64_t>::max();
  Knots best;
  int best_rice = 0;
  Frequencies freq;
  const auto better = [&](const Curve& of) {
    if (least + of.bits >= out.cost_bits) return false;
    frequencies_of(of.knots, symbols, freq);
    const std::uint64_t cost = cost_of(histogram, freq, symbols) / 256 + of.bits;
    if (cost >= out.cost_bits) return false;
    out.cost_bits = cost;
    out.freq = freq;
    best = of.knots;
    best_rice = of.parameter;
    return true;
  };
  const auto better_at = [&](int spacing_log2) {
    return (1 << spacing_log2) <= symbols && better(curve(spacing_log2));
  };
  // A knot a symbol is a case of its own, for which most messages are too short. Of the others costs fall and
  // then rise with the spacing.
  constexpr int kStart = 3;
  better_at(kStart);
  const Curve single = curve(0);
  if (least + single.bits <= out.cost_bits) {
    out.cost_bits = std::numeric_limits<std::uint64_t>::max();
    better(single);
    better_at(kStart);
  }
  int spacing = kStart - 1;
  while (spacing > 0 && better_at(spacing)) --spacing;
  if (spacing == kStart - 1) {
    spacing = kStart + 1;
    while (spacing < kSpacings && better_at(spacing)) ++spacing;
  }
  out.description.clear();
  describe(best, best_rice, out.description);
}

Frequencies read_frequencies(ByteReader& in, int symbols) {
  BitReader bits(in);
  Knots knots;
  knots.spacing_log2 = static_cast<int>(bits.get(kSpacingBits));
  const int parameter = static_cast<int>(bits.get(kParameterBits));
  if (knots.spacing_log2 >= kSpacings || (knots.spacing_log2 > 0 && (1 << knots.spacing_log2) > symbols)) {
    throw_corrupt("knots of a table of probabilities too far apart");
  }
  knots.count = knots_needed(symbols, knots.spacing_log2);
  const auto count = static_cast<std::size_t>(knots.count);
  std::size_t present = count;
  if (knots.spacing_log2 == 0) {
    bool absent = bits.get(1) != 0;
    for (std::size_t k = 0; k < count; absent = !absent) {
      const std::uint32_t run = get_gamma(bits);
      if (run > count - k) throw_corrupt("a run in a table of probabilities is too long");
      if (absent) present -= run;
      for (const std::size_t end = k + run; k < end; ++k) knots.absent[k] = absent;
    }
  }
  if (present == 0) throw_corrupt("a table of probabilities without symbols");
  int level = -1;
  for (std::size_t k = 0; k < count; ++k) {
    if (knots.absent[k]) continue;
    level = level < 0 ? static_cast<int>(bits.get(kLevelBits))
                      : level + unzigzag(get_rice(bits, parameter, 2 * kTopLevel));
    if (level < 0 || level > kTopLevel) throw_corrupt("a probability is not in [0, 1]");
    knots.level[k] = static_cast<std::uint8_t>(level);
  }
  Frequencies freq;
  frequencies_of(knots, symbols, freq);
  return freq;
}

}  // namespace constellm::codec
