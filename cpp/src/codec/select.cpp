#include "constellm/codec/select.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "constellm/core/simd.hpp"
#include "select_avx2.hpp"

namespace constellm::codec {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101u;

// Magnitudes of floats are ordered as the integers that have their bits. A magnitude of 0 here
// stands for a value that may not be kept, so all others are one more than their bits. Returns the largest
// bits, which those of infinities and NaNs are.
CONSTELLM_SIMD std::int32_t magnitudes(const float* row, std::int64_t n, std::uint32_t* out) {
  std::int32_t most = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int32_t bits = std::bit_cast<std::int32_t>(row[i]) & 0x7fffffff;
    out[i] = static_cast<std::uint32_t>(bits) + 1;
    most = std::max(most, bits);
  }
  return most;
}

std::int64_t count_from(const std::uint32_t* magnitude, std::int64_t n, std::uint32_t least) {
  if (core::has_avx2()) return count_from_avx2(magnitude, n, least);
  std::int32_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    count += static_cast<std::int32_t>(magnitude[i]) >= static_cast<std::int32_t>(least) ? 1 : 0;
  }
  return count;
}

CONSTELLM_SIMD void mark_from(const std::uint32_t* magnitude, std::int64_t n, std::uint32_t least,
                              std::uint8_t* kept) {
  for (std::int64_t i = 0; i < n; ++i) {
    kept[i] = static_cast<std::int32_t>(magnitude[i]) >= static_cast<std::int32_t>(least) ? 1 : 0;
  }
}

// A value that exactly k of n magnitudes reach, if there is one: counts say where to look next.
class Search {
 public:
  // `bits` are those of the largest magnitude.
  Search(std::int64_t n, std::int64_t k, std::int32_t bits, std::uint32_t guess)
      : k_(k),
        at_low_(n),
        high_(static_cast<std::uint32_t>(bits) + 2),
        spacing_((1u << 23) / static_cast<std::uint32_t>(std::min(k, n))) {
    middle_ = guess > 0 && guess < high_ ? guess : high_ / 2;
  }

  [[nodiscard]] bool open() const { return high_ - low_ > 1; }
  [[nodiscard]] std::uint32_t middle() const { return middle_; }
  [[nodiscard]] std::uint32_t low() const { return low_; }    ///< more than k reach it
  [[nodiscard]] std::uint32_t high() const { return high_; }  ///< fewer than k reach it

  /// `count` reach the middle, which are not k.
  void tell(std::int64_t count) {
    const std::int64_t beyond = count - k_;
    (beyond > 0 ? low_ : high_) = middle_;
    (beyond > 0 ? at_low_ : at_high_) = count;
    (beyond > 0 ? below_ : above_) = true;
    const std::uint64_t width = high_ - low_;
    std::uint64_t next = low_ + width / 2;
    ++tries_;
    if (tries_ > 6 && tries_ % 2 == 0) {
      // Whatever the values are, every other step halves what is left.
    } else if (below_ && above_) {
      next = low_ + width * static_cast<std::uint64_t>(at_low_ - k_) /
                        static_cast<std::uint64_t>(at_low_ - at_high_);
    } else {
      // Magnitudes near the k-th of many with an exponential tail are about a k-th of an octave apart.
      const std::uint64_t step = static_cast<std::uint64_t>(std::abs(beyond)) * spacing_;
      next = beyond > 0 ? middle_ + step : middle_ - std::min<std::uint64_t>(step, middle_);
      spacing_ *= 2;
    }
    middle_ = next <= low_ || next >= high_ ? static_cast<std::uint32_t>(low_ + width / 2)
                                            : static_cast<std::uint32_t>(next);
  }

 private:
  std::int64_t k_;
  std::int64_t at_low_;
  std::int64_t at_high_ = 0;
  std::uint32_t low_ = 0;
  std::uint32_t high_;
  std::uint32_t middle_ = 0;
  std::uint64_t spacing_;
  bool below_ = false;
  bool above_ = false;
  int tries_ = 0;
};

// What the k largest are: all that reach `least`, and the first `ties` of those that are `equal`.
struct Largest {
  std::uint32_t least;
  std::uint32_t equal = 0;
  std::int64_t ties = 0;
};

// `guess` is where the search of the last row ended; which are the largest does not depend on it.
Largest find_largest(const std::uint32_t* magnitude, std::int64_t n, std::int64_t k, std::int32_t bits,
                     core::StopToken& stop, std::uint32_t& guess) {
  Search search(n, k, bits, guess);
  while (search.open()) {
    const std::uint32_t middle = search.middle();
    const std::int64_t count = count_from(magnitude, n, middle);
    if (n > kPart) pass(stop, n);  // short rows are looked after by who selects of them
    if (count == k) {
      guess = middle;
      return {middle};
    }
    search.tell(count);
  }
  return {search.high(), search.low(), k - count_from(magnitude, n, search.high())};
}

void mark(const std::uint32_t* magnitude, std::int64_t n, Largest largest, std::uint8_t* kept) {
  mark_from(magnitude, n, largest.least, kept);
  for (std::int64_t i = 0; largest.ties > 0; ++i) {
    if (magnitude[i] != largest.equal) continue;
    kept[i] = 1;
    --largest.ties;
  }
}

constexpr std::int32_t kInfinity = 0x7f800000;  // its bits; those of NaNs are larger

// Whether all are finite; only then the others.
bool top_k(const float* row, std::int64_t n, std::int64_t k, core::StopToken& stop, SelectorScratch& scratch,
           std::uint8_t* kept) {
  const std::int32_t most = magnitudes(row, n, scratch.magnitude.data());
  if (most >= kInfinity) return false;
  mark(scratch.magnitude.data(), n, find_largest(scratch.magnitude.data(), n, k, most, stop, scratch.guess),
       kept);
  return true;
}

// Of a whole row, to bits.
bool top_k_bits(const float* row, std::int64_t n, std::int64_t k, core::StopToken& stop,
                SelectorScratch& scratch, std::uint64_t* bits) {
  const std::uint32_t* magnitude = scratch.magnitude.data();
  const std::int32_t most = magnitudes(row, n, scratch.magnitude.data());
  if (most >= kInfinity) return false;
  Largest largest = find_largest(magnitude, n, k, most, stop, scratch.guess);
  bits[(n - 1) / 64] = 0;
  mark_from_avx2(magnitude, n, largest.least, reinterpret_cast<std::uint8_t*>(bits));
  for (std::int64_t i = 0; largest.ties > 0; ++i) {
    if (magnitude[i] != largest.equal) continue;
    bits[i / 64] |= std::uint64_t{1} << (i % 64);
    --largest.ties;
  }
  return true;
}

void slicer(const float* row, std::int64_t n, std::int64_t k, core::StopToken& stop,
            SelectorScratch& scratch) {
  double positive = 0.0;
  double negative = 0.0;
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double square = static_cast<double>(row[i]) * row[i];
    (row[i] < 0.0f ? negative : positive) += square;
    ++(row[i] < 0.0f ? negatives : positives);
  }
  const double all = positive + negative;
  const double share = all > 0.0 ? positive / all : 1.0;
  std::int64_t up = static_cast<std::int64_t>(std::floor(share * static_cast<double>(k) + 0.5));
  up = std::clamp(up, std::max<std::int64_t>(k - negatives, 0), std::min(k, positives));
  std::uint32_t* magnitude = scratch.magnitude.data();
  std::uint8_t* kept = scratch.kept.data();
  std::fill_n(kept, n, std::uint8_t{0});
  for (const bool sign : {false, true}) {
    const std::int64_t wanted = sign ? k - up : up;
    if (wanted == 0) continue;
    std::int32_t most = magnitudes(row, n, magnitude);
    for (std::int64_t i = 0; i < n; ++i) {
      if ((row[i] < 0.0f) != sign) magnitude[i] = 0;
    }
    std::uint8_t* half = kept + n;
    mark(magnitude, n, find_largest(magnitude, n, wanted, most, stop, scratch.guess), half);
    for (std::int64_t i = 0; i < n; ++i) kept[i] |= half[i];
  }
}

}  // namespace

void MaskBits::reset(std::int64_t tokens, std::int64_t features_of_token) {
  features = features_of_token;
  words_per_row = (features + 63) / 64;
  words.resize(static_cast<std::size_t>(tokens * words_per_row));
}

std::int64_t MaskBits::count(std::int64_t t) const {
  std::int64_t kept = 0;
  for (std::int64_t w = 0; w < words_per_row; ++w) kept += ones_in(row(t)[w]);
  return kept;
}

bool select(const float* row, std::int64_t features, const Scheme& scheme, core::StopToken& stop,
            SelectorScratch& scratch, std::uint64_t* bits) {
  scratch.magnitude.resize(static_cast<std::size_t>(features));
  bool finite = true;
  if (scheme.sparsify == Sparsify::top_k && core::has_avx2()) {
    finite = top_k_bits(row, features, kept_of(scheme.keep, features), stop, scratch, bits);
  } else {
    scratch.kept.resize(2 * static_cast<std::size_t>(features));
    std::uint8_t* kept = scratch.kept.data();
    if (scheme.sparsify == Sparsify::slicer) {
      slicer(row, features, kept_of(scheme.keep, features), stop, scratch);
    } else {
      const std::int64_t block = scheme.sparsify == Sparsify::block_top_k ? *scheme.block : features;
      for (std::int64_t begin = 0; begin < features && finite; begin += block) {
        const std::int64_t n = std::min(block, features - begin);
        finite = top_k(row + begin, n, kept_of(scheme.keep, n), stop, scratch, kept + begin);
      }
    }
    pack(kept, features, bits);
  }
  pass(stop, features);
  return finite;
}

std::uint32_t* list_kept(const std::uint64_t* row, std::int64_t words, core::StopToken& stop,
                         std::uint32_t* out) {
  if (!core::has_avx2()) {
    for_each_kept(row, words, stop, [&](std::int64_t f) { *out++ = static_cast<std::uint32_t>(f); });
    return out;
  }
  in_parts(words, stop, [&](std::int64_t begin, std::int64_t end) {
    const auto* bits = reinterpret_cast<const std::uint8_t*>(row + begin);
    out = list_avx2(static_cast<std::uint32_t>(64 * begin), 8 * (end - begin), bits, out);
  });
  return out;
}

void pack(const std::uint8_t* kept, std::int64_t features, std::uint64_t* bits) {
  std::int64_t done = 0;
  if (core::has_avx2()) {
    done = pack_avx2(kept, features - features % 64, reinterpret_cast<std::uint8_t*>(bits));
    bits += done / 64;
  }
  for (std::int64_t begin = done; begin < features; begin += 64) {
    const std::int64_t n = std::min<std::int64_t>(64, features - begin);
    std::uint64_t word = 0;
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, kept + begin + i, 8);
      // What is not 0 becomes 1; then the lowest bit of every byte is gathered in the top byte.
      eight = ((((eight & 0x7f * kOnes) + 0x7f * kOnes) | eight) >> 7) & kOnes;
      word |= ((eight * 0x0102040810204080u) >> 56) << i;
    }
    for (; i < n; ++i) word |= static_cast<std::uint64_t>(kept[begin + i] != 0) << i;
    *bits++ = word;
  }
}

void unpack(const std::uint64_t* bits, std::int64_t words, std::uint8_t* kept) {
  for (std::int64_t w = 0; w < words; ++w) {
    for (int byte = 0; byte < 8; ++byte, kept += 8) {
      // A copy of the eight bits in every byte, of which byte i keeps bit i; then what is not 0 becomes 1.
      const std::uint64_t copies = ((bits[w] >> (8 * byte)) & 0xff) * kOnes & 0x8040201008040201u;
      const std::uint64_t eight = ((copies + 0x7f * kOnes) >> 7) & kOnes;
      std::memcpy(kept, &eight, 8);
    }
  }
}

}  // namespace constellm::codec
