#include "constellm/codec/quantiser.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "constellm/core/random.hpp"
#include "constellm/core/simd.hpp"

namespace constellm::codec {
namespace {

// W(3 * 4^b) for b = 2 to 8: `clipping_point`, whose last digit depends on the machine's library.
constexpr std::array<double, 7> kClip{2.8306829893702337, 3.8972294649451027, 5.028640136236213,
                                      6.204766334013321,  7.4131262138435705, 8.645619984034424,
                                      9.896759770017528};

std::int32_t bits_of(float value) { return std::bit_cast<std::int32_t>(value); }

// The ends of both signs as bit patterns: floats of one sign are ordered as integers are.
struct Ends {
  std::int32_t most = std::numeric_limits<std::int32_t>::min();              // largest positive
  std::int32_t least = std::numeric_limits<std::int32_t>::max();             // negative nearest to zero
  std::uint32_t most_unsigned = 0;                                           // negative farthest from zero
  std::uint32_t least_unsigned = std::numeric_limits<std::uint32_t>::max();  // smallest positive

  [[nodiscard]] bool positive() const { return least_unsigned < 0x80000000u; }
  [[nodiscard]] bool negative() const { return least < 0; }
  // (least magnitude, largest magnitude) with their sign
  [[nodiscard]] Piece positives() const {
    return {std::bit_cast<float>(least_unsigned), std::bit_cast<float>(most), 1};
  }
  [[nodiscard]] Piece negatives() const {
    return {std::bit_cast<float>(most_unsigned), std::bit_cast<float>(least), 1};
  }
};

// Of `out` and n values more.
CONSTELLM_SIMD void scan_ends(const float* values, std::int64_t n, Ends& out) {
  Ends ends = out;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto s = std::bit_cast<std::int32_t>(values[i]);
    const auto u = std::bit_cast<std::uint32_t>(values[i]);
    ends.most = std::max(ends.most, s);
    ends.least = std::min(ends.least, s);
    ends.most_unsigned = std::max(ends.most_unsigned, u);
    ends.least_unsigned = std::min(ends.least_unsigned, u);
  }
  out = ends;
}

// Bit patterns of the least and the largest magnitude.
struct Magnitudes {
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  std::int32_t most = 0;
};

// Of `out` and n values more.
CONSTELLM_SIMD void scan_magnitudes(const float* values, std::int64_t n, Magnitudes& out) {
  Magnitudes all = out;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int32_t magnitude = std::bit_cast<std::int32_t>(values[i]) & 0x7fffffff;
    all.least = std::min(all.least, magnitude);
    all.most = std::max(all.most, magnitude);
  }
  out = all;
}

Magnitudes magnitudes_of(std::span<const float> values, core::StopToken& stop) {
  Magnitudes all;
  in_parts(std::ssize(values), stop, [&](std::int64_t begin, std::int64_t end) {
    scan_magnitudes(values.data() + begin, end - begin, all);
  });
  return all;
}

// Adds (|x| - least)^2 to eight sums in turn, whatever the width of the registers.
CONSTELLM_SIMD void add_square_excess(const float* values, std::int64_t n, float least,
                                      std::array<double, 8>& out) {
  std::array<double, 8> sum = out;
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t l = 0; l < 8; ++l) {
      const double excess = static_cast<double>(std::fabs(values[i + static_cast<std::int64_t>(l)])) - least;
      sum[l] += excess * excess;
    }
  }
  for (std::size_t l = 0; i < n; ++i, ++l) {
    const double excess = static_cast<double>(std::fabs(values[i])) - least;
    sum[l] += excess * excess;
  }
  out = sum;
}

float clip_at(std::span<const float> values, std::int64_t bits, core::StopToken& stop) {
  const Magnitudes magnitudes = magnitudes_of(values, stop);
  const auto least = std::bit_cast<float>(magnitudes.least);
  std::array<double, 8> sum{};
  in_parts(std::ssize(values), stop, [&](std::int64_t begin, std::int64_t end) {
    add_square_excess(values.data() + begin, end - begin, least, sum);
  });
  const double mean_square =
      std::accumulate(sum.begin(), sum.end(), 0.0) / static_cast<double>(values.size());
  const double width = kClip[static_cast<std::size_t>(bits - 2)] * std::sqrt(mean_square / 2.0);
  return static_cast<float>(
      std::min(least + width, static_cast<double>(std::bit_cast<float>(magnitudes.most))));
}

double width_of(const Piece& piece) { return static_cast<double>(piece.high) - piece.low; }

// Cells that far below the normal numbers have a density beyond the largest float, and a step of too few
// bits to be multiplied; what is computed of them is computed in doubles.
bool is_narrow(const Piece& piece) {
  return piece.cells > 1 && !std::isfinite(static_cast<float>(piece.cells) / (piece.high - piece.low));
}

// Cells of two pieces such that the wider step is as narrow as it can be.
void share_between_signs(std::vector<Piece>& pieces, std::int64_t bits, Rounding rounding) {
  const int all = 1 << bits;
  if (pieces.size() == 1) {
    pieces[0].cells = all;
    return;
  }
  const double negative = width_of(pieces[0]);
  const double positive = width_of(pieces[1]);
  // Stochastic rounding is unbiased between two levels, not with one: m levels are m - 1 steps.
  const int ends = rounding == Rounding::stochastic ? 1 : 0;
  const int steps = all - 2 * ends;
  const auto widest = [&](int below) { return std::max(negative / below, positive / (steps - below)); };
  int below = 1;
  if (negative + positive > 0.0) {
    below = static_cast<int>(steps * (negative / (negative + positive)));
    below = std::clamp(below, 1, steps - 1);
    if (below + 1 < steps && widest(below + 1) < widest(below)) ++below;
  }
  pieces[0].cells = below + ends;
  pieces[1].cells = all - pieces[0].cells;
}

// Ranges of magnitude with equal counts, to 1/256 of the magnitude: where the next one begins.
std::array<std::uint32_t, kMostClasses> class_ends(std::span<const float> values, int classes,
                                                   core::StopToken& stop) {
  constexpr int kShift = 15;
  std::vector<std::size_t> count(std::size_t{1} << (31 - kShift));
  in_parts(std::ssize(values), stop, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      ++count[(std::bit_cast<std::uint32_t>(values[static_cast<std::size_t>(i)]) & 0x7fffffffu) >> kShift];
    }
  });
  std::array<std::uint32_t, kMostClasses> ends;
  ends.fill(0x80000000u);
  std::size_t before = 0;
  std::size_t c = 0;
  for (std::size_t bin = 0; bin < count.size(); ++bin) {
    before += count[bin];
    while (c + 1 < static_cast<std::size_t>(classes) &&
           before * static_cast<std::size_t>(classes) >= (c + 1) * values.size()) {
      ends[c++] = static_cast<std::uint32_t>(bin + 1) << kShift;
    }
  }
  return ends;
}

std::vector<Piece> classed_pieces(std::span<const float> values, const Scheme& scheme, float clip,
                                  core::StopToken& stop) {
  const int all = 1 << scheme.bits;
  const int classes = std::min(kMostClasses, all / 4);
  const auto ends = class_ends(values, classes, stop);
  std::array<std::array<Ends, kMostClasses>, 2> range{};
  std::array<std::array<double, kMostClasses>, 2> count{};
  in_parts(std::ssize(values), stop, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float value = values[static_cast<std::size_t>(i)];
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & 0x7fffffffu;
      std::size_t c = 0;
      while (magnitude >= ends[c]) ++c;
      const std::size_t sign = std::signbit(value) ? 1 : 0;
      scan_ends(&value, 1, range[sign][c]);
      ++count[sign][c];
    }
  });
  std::vector<Piece> pieces;
  std::vector<double> weight;
  for (std::size_t c = kMostClasses; c-- > 0;) {
    if (count[1][c] == 0.0) continue;
    Piece piece = range[1][c].negatives();
    piece.low = std::clamp(piece.low, std::min(-clip, piece.high), piece.high);
    pieces.push_back(piece);
    weight.push_back(count[1][c]);
  }
  for (std::size_t c = 0; c < kMostClasses; ++c) {
    if (count[0][c] == 0.0) continue;
    Piece piece = range[0][c].positives();
    piece.high = std::clamp(piece.high, piece.low, std::max(clip, piece.low));
    pieces.push_back(piece);
    weight.push_back(count[0][c]);
  }
  // A bit more for the piece whose squared error it lowers most per cell that it takes.
  int used = 0;
  for (Piece& piece : pieces) {
    piece.cells = scheme.rounding == Rounding::stochastic ? 2 : 1;
    used += piece.cells;
  }
  for (;;) {
    std::size_t best = pieces.size();
    double most = 0.0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (used + pieces[i].cells > all) continue;
      const double cells = pieces[i].cells;
      const double gain = weight[i] * width_of(pieces[i]) * width_of(pieces[i]) / (cells * cells * cells);
      if (gain > most) {
        most = gain;
        best = i;
      }
    }
    if (best == pieces.size()) break;
    used += pieces[best].cells;
    pieces[best].cells *= 2;
  }
  return pieces;
}

// A piece of more than one cell has at least one step.
int steps_of(const Piece& piece, Rounding rounding) {
  return rounding == Rounding::stochastic && piece.cells > 1 ? piece.cells - 1 : piece.cells;
}

// Of one piece, as the loops below want it.
template <class Real>
struct Side {
  Real low = 0;
  Real density = 0;  // cells by width: what a distance from the low end is multiplied with
  Real last = 0;
  std::int32_t first = 0;
};

template <class Real>
Side<Real> side_of(const Piece& piece, int first, Rounding rounding) {
  const Real low = piece.low;
  const Real density =
      piece.cells == 1 ? 0 : static_cast<Real>(steps_of(piece, rounding)) / (piece.high - low);
  return {low, density, static_cast<Real>(piece.cells - 1), first};
}

// The values of its cells.
template <class Real>
void put_levels(const Piece& piece, Rounding rounding, float* levels) {
  const Real low = piece.low;
  const Real step = (piece.high - low) / static_cast<Real>(steps_of(piece, rounding));
  const Real begin = rounding == Rounding::stochastic && piece.cells > 1 ? Real{0} : Real{0.5};
  for (int cell = 0; cell < piece.cells; ++cell) {
    // The step is rounded: the last of them may end beyond the range, even at infinity.
    const Real level = low + (static_cast<Real>(cell) + begin) * step;
    levels[cell] = std::min(static_cast<float>(level), piece.high);
  }
}

// Cells of a run short enough for the first-level cache. A value's side is chosen bit by bit, since its sign
// is as good as random; `draws` are zeros where nothing is drawn.
constexpr std::size_t kRun = 512;

CONSTELLM_SIMD void quantise_run(const Side<float>& negative, const Side<float>& positive,
                                 const float* values, std::size_t n, const float* draws,
                                 std::uint8_t* symbols) {
  std::array<std::int32_t, kRun> cells;
  const Side<float> a = negative;
  const Side<float> b = positive;
  for (std::size_t i = 0; i < n; ++i) {
    const bool below = std::bit_cast<std::int32_t>(values[i]) < 0;
    const float low = below ? a.low : b.low;
    const float density = below ? a.density : b.density;
    const float last = below ? a.last : b.last;
    float cell = (values[i] - low) * density + draws[i];
    cell = cell > 0.0f ? cell : 0.0f;
    cell = cell < last ? cell : last;
    cells[i] = static_cast<std::int32_t>(cell) + (below ? a.first : b.first);
  }
  for (std::size_t i = 0; i < n; ++i) symbols[i] = static_cast<std::uint8_t>(cells[i]);
}

void quantise_two(const Side<float>& negative, const Side<float>& positive, const float* values,
                  std::size_t n, const float* draws, std::uint8_t* symbols) {
  constexpr std::array<float, kRun> kNoDraws{};
  for (std::size_t begin = 0; begin < n; begin += kRun) {
    const std::size_t run = std::min(kRun, n - begin);
    quantise_run(negative, positive, values + begin, run, draws == nullptr ? kNoDraws.data() : draws + begin,
                 symbols + begin);
  }
}

// Any pieces, value by value.
template <class Real>
void quantise_each(const Quantiser& quantiser, std::span<const float> values, const float* draws,
                   std::uint8_t* symbols) {
  std::array<Side<Real>, kMostPieces> sides;
  int first = 0;
  const std::size_t pieces = quantiser.pieces.size();
  for (std::size_t p = 0; p < pieces; ++p) {
    sides[p] = side_of<Real>(quantiser.pieces[p], first, quantiser.rounding);
    first += quantiser.pieces[p].cells;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t p = 0;
    while (p + 1 < pieces && values[i] >= sides[p + 1].low) ++p;
    const Real cell = (values[i] - sides[p].low) * sides[p].density + (draws == nullptr ? 0.0f : draws[i]);
    const Real inside = std::clamp(cell, Real{0}, sides[p].last);
    symbols[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(inside) + sides[p].first);
  }
}

std::uint32_t mix(std::uint32_t x) {  // every bit of x reaches every bit of the result
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

CONSTELLM_SIMD void draw_row(std::uint32_t low, std::uint32_t high, const std::uint32_t* features,
                             std::size_t n, float* draws) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t hash = mix(mix(features[i] ^ low) ^ high);
    draws[i] = static_cast<float>(static_cast<std::int32_t>(hash >> 8)) * 0x1p-24f;
  }
}

void quantise_any(const Quantiser& quantiser, std::span<const float> values, const float* draws,
                  std::uint8_t* symbols) {
  const std::vector<Piece>& pieces = quantiser.pieces;
  if (std::any_of(pieces.begin(), pieces.end(), is_narrow)) {
    return quantise_each<double>(quantiser, values, draws, symbols);
  }
  if (pieces.size() > 2) return quantise_each<float>(quantiser, values, draws, symbols);
  const auto first = side_of<float>(pieces[0], 0, quantiser.rounding);
  const auto last =
      pieces.size() == 1 ? first : side_of<float>(pieces[1], pieces[0].cells, quantiser.rounding);
  quantise_two(first, last, values.data(), values.size(), draws, symbols);
}

}  // namespace

int Quantiser::symbols() const {
  int all = 0;
  for (const Piece& piece : pieces) all += piece.cells;
  return all;
}

std::array<float, 256> levels_of(const Quantiser& quantiser) {
  std::array<float, 256> levels{};
  float* begin = levels.data();
  for (const Piece& piece : quantiser.pieces) {
    (is_narrow(piece) ? put_levels<double> : put_levels<float>)(piece, quantiser.rounding, begin);
    begin += piece.cells;
  }
  return levels;
}

Quantiser fit_quantiser(std::span<const float> values, const Scheme& scheme, core::StopToken& stop) {
  Quantiser quantiser{.pieces = {}, .rounding = scheme.rounding};
  if (values.empty()) {
    quantiser.pieces.push_back({0.0f, 0.0f, 1});
    return quantiser;
  }
  Ends ends;
  in_parts(std::ssize(values), stop, [&](std::int64_t begin, std::int64_t end) {
    scan_ends(values.data() + begin, end - begin, ends);
  });
  float clip = std::numeric_limits<float>::max();
  if (scheme.clip == Clip::laplace && scheme.scale == Scale::tensor)
    clip = clip_at(values, scheme.bits, stop);
  if (scheme.sparsify == Sparsify::slicer) {
    quantiser.pieces = classed_pieces(values, scheme, clip, stop);
  } else {
    if (ends.negative()) {
      Piece piece = ends.negatives();
      piece.low = std::clamp(piece.low, std::min(-clip, piece.high), piece.high);
      quantiser.pieces.push_back(piece);
    }
    if (ends.positive()) {
      Piece piece = ends.positives();
      piece.high = std::clamp(piece.high, piece.low, std::max(clip, piece.low));
      quantiser.pieces.push_back(piece);
    }
    share_between_signs(quantiser.pieces, scheme.bits, scheme.rounding);
  }
  for (Piece& piece : quantiser.pieces) {
    if (piece.low == piece.high) piece.cells = 1;
  }
  return quantiser;
}

void quantise(const Quantiser& quantiser, std::span<const float> values, const float* draws,
              core::StopToken& stop, std::uint8_t* symbols) {
  in_parts(std::ssize(values), stop, [&](std::int64_t begin, std::int64_t end) {
    const auto part = values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    quantise_any(quantiser, part, draws == nullptr ? nullptr : draws + begin, symbols + begin);
  });
}

void draw(std::uint64_t seed, std::int64_t token, std::span<const std::uint32_t> features, float* draws) {
  const std::uint64_t key =
      core::mixed(core::mixed(seed + 0x9e3779b97f4a7c15u) + static_cast<std::uint64_t>(token));
  draw_row(static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32), features.data(),
           features.size(), draws);
}

std::uint16_t scale_code(float largest) {
  const auto bits = static_cast<std::uint32_t>(bits_of(largest));
  const std::uint32_t code = (bits + (1u << kScaleDropped) - 1) >> kScaleDropped;
  constexpr std::uint32_t kInfinite = 0x7f800000u >> kScaleDropped;
  return static_cast<std::uint16_t>(std::min(code, kInfinite - 1));
}

float scale_of(std::uint16_t code) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(code) << kScaleDropped);
}

float reach_of(std::span<const float> values, const Scheme& scheme, core::StopToken& stop) {
  if (values.empty()) return 0.0f;
  if (scheme.clip == Clip::laplace) return clip_at(values, scheme.bits, stop);
  return std::bit_cast<float>(magnitudes_of(values, stop).most);
}

void put_quantiser(Bytes& out, const Quantiser& quantiser) {
  put(out, static_cast<std::uint8_t>(quantiser.pieces.size()));
  for (const Piece& piece : quantiser.pieces) {
    put(out, piece.low);
    put(out, piece.high);
    put(out, static_cast<std::uint8_t>(piece.cells - 1));
  }
}

Quantiser get_quantiser(ByteReader& in, Rounding rounding) {
  Quantiser quantiser{.pieces = {}, .rounding = rounding};
  const auto pieces = in.get<std::uint8_t>();
  if (pieces < 1 || pieces > kMostPieces) throw_corrupt("number of ranges of the quantiser");
  for (int p = 0; p < pieces; ++p) {
    Piece piece;
    piece.low = in.get<float>();
    piece.high = in.get<float>();
    piece.cells = in.get<std::uint8_t>() + 1;
    if (!std::isfinite(piece.low) || !std::isfinite(piece.high) || piece.low > piece.high ||
        std::signbit(piece.low) != std::signbit(piece.high)) {
      throw_corrupt("range of the quantiser");
    }
    quantiser.pieces.push_back(piece);
  }
  if (quantiser.symbols() > 256) throw_corrupt("the quantiser has more than 256 cells");
  return quantiser;
}

}  // namespace constellm::codec
