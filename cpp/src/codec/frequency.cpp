#include "constellm/codec/frequency.hpp"

#include <algorithm>
#include <bit>
#include <limits>

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

constexpr auto kCost = [] {  // 256 * log2(kTotal / freq)
  std::array<std::uint32_t, kTotal + 1> cost{};
  cost[0] = 1u << 30;
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
    cost[freq] = (kTotalBits * 4096u - log2 + 8u) / 16u;
  }
  return cost;
}();

std::uint32_t power_of(int sixty_fourths) {
  return kPower[static_cast<std::size_t>(sixty_fourths % kFine)] << (sixty_fourths / kFine);
}

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

// Shares kTotal out in proportion to the curve, at least 1 each.
void frequencies_of(const Knots& knots, int symbols, Frequencies& freq) {
  std::array<std::uint64_t, kMostSymbols> weight;
  const int spacing = 1 << knots.spacing_log2;
  std::uint64_t sum = 0;
  std::uint32_t present = 0;
  for (int i = 0; i < symbols; ++i) {
    const auto knot = static_cast<std::size_t>(i >> knots.spacing_log2);
    const int part = i & (spacing - 1);
    const int next = part == 0 ? 0 : knots.level[knot + 1];
    const int level =
        (knots.level[knot] * (spacing - part) + next * part) * (kFine / kLevelsPerBit) >> knots.spacing_log2;
    const bool absent = spacing == 1 && knots.absent[knot];
    weight[static_cast<std::size_t>(i)] = absent ? 0 : power_of(level);
    sum += weight[static_cast<std::size_t>(i)];
    present += absent ? 0 : 1;
  }
  // One for each; the rest in proportion to what a symbol should have beyond one. There is such a
  // symbol, since kTotal is far more than kMostSymbols. Sums stay below 2^47 and are exact in doubles; the
  // millionth makes up for what a quotient loses, so that all is given at the end.
  std::uint64_t beyond = 0;
  for (int i = 0; i < symbols; ++i) {
    const std::uint64_t w = weight[static_cast<std::size_t>(i)] * kTotal;
    beyond += w > sum ? w - sum : 0;
  }
  const double share = static_cast<double>(kTotal - present) / static_cast<double>(beyond);
  std::uint64_t done = 0;
  std::uint32_t given = 0;
  freq.fill(0);
  for (int i = 0; i < symbols; ++i) {
    const auto s = static_cast<std::size_t>(i);
    if (weight[s] == 0) continue;
    const std::uint64_t w = weight[s] * kTotal;
    done += w > sum ? w - sum : 0;
    const auto until = static_cast<std::uint32_t>(static_cast<double>(done) * share + 1e-6);
    freq[s] = static_cast<std::uint16_t>(1 + until - given);
    given = until;
  }
}

Knots knots_of(const Histogram& histogram, int symbols, int spacing_log2, std::uint64_t total) {
  Knots knots{.spacing_log2 = spacing_log2, .count = knots_needed(symbols, spacing_log2)};
  const int reach = (1 << spacing_log2) / 2;
  for (int k = 0; k < knots.count; ++k) {
    const int centre = std::min(k << spacing_log2, symbols - 1);
    const int first = std::max(centre - reach, 0);
    const int last = std::min(centre + reach, symbols - 1);
    std::uint64_t count = 0;
    for (int i = first; i <= last; ++i) count += histogram[static_cast<std::size_t>(i)];
    const auto s = static_cast<std::size_t>(k);
    knots.level[s] =
        static_cast<std::uint8_t>(level_of(count, total * static_cast<std::uint64_t>(last - first + 1)));
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
    if (histogram[i] > 0) cost += static_cast<std::uint64_t>(histogram[i]) * kCost[freq[i]];
  }
  return cost;
}

void fit_frequencies(const Histogram& histogram, int symbols, Fitted& out) {
  std::uint64_t total = 0;
  for (const std::uint32_t count : histogram) total += count;
  out.cost_bits = std::numeric_limits<std::uint64_t>::max();
  Knots best;
  int best_rice = 0;
  Frequencies freq;
  const auto better = [&](int spacing_log2) {
    if (spacing_log2 > 0 && (1 << spacing_log2) > symbols) return false;
    const Knots knots = knots_of(histogram, symbols, spacing_log2, total);
    const auto [parameter, steps] = best_parameter(knots);
    frequencies_of(knots, symbols, freq);
    const std::uint64_t cost = cost_of(histogram, freq, symbols) / 256 + kSpacingBits + kParameterBits +
                               kLevelBits + steps + (spacing_log2 == 0 ? bits_of_runs(knots) : 0);
    if (cost >= out.cost_bits) return false;
    out.cost_bits = cost;
    out.freq = freq;
    best = knots;
    best_rice = parameter;
    return true;
  };
  // A knot a symbol is a case of its own; of the others costs fall and then rise with the spacing.
  better(0);
  constexpr int kStart = 3;
  better(kStart);
  int spacing = kStart - 1;
  while (spacing > 0 && better(spacing)) --spacing;
  if (spacing == kStart - 1) {
    spacing = kStart + 1;
    while (spacing < kSpacings && better(spacing)) ++spacing;
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
