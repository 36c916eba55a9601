#include <algorithm>

#include "constellm/codec/mask_coder.hpp"
#include "constellm/core/simd.hpp"

namespace constellm::codec {
namespace {

// Of some tokens, `step` apart, and those a stride before: what differs in all.
struct Sample {
  std::int64_t first;
  std::int64_t tokens;
  std::int64_t step;
};

CONSTELLM_SIMD std::int64_t differing_symbols(const std::uint8_t* symbols, std::int64_t features,
                                              Sample sample, std::int64_t stride) {
  std::int64_t all = 0;
  for (std::int64_t t = sample.first; t < sample.tokens; t += sample.step) {
    const std::uint8_t* a = symbols + t * features;
    const std::uint8_t* b = a - stride * features;
    std::int32_t sum = 0;
    for (std::int64_t f = 0; f < features; ++f) sum += a[f] < b[f] ? b[f] - a[f] : a[f] - b[f];
    all += sum;
  }
  return all;
}

CONSTELLM_SIMD std::int64_t differing_bits(const std::uint64_t* words, std::int64_t words_per_row,
                                           Sample sample, std::int64_t stride) {
  std::int64_t all = 0;
  for (std::int64_t t = sample.first; t < sample.tokens; t += sample.step) {
    const std::uint64_t* a = words + t * words_per_row;
    const std::uint64_t* b = a - stride * words_per_row;
    for (std::int64_t w = 0; w < words_per_row; ++w) all += ones_in(a[w] ^ b[w]);
  }
  return all;
}

// The stride of at least 2 at which `differing(sample, stride)` is least.
template <class Differing>
std::int64_t least_differing(std::int64_t tokens, std::int64_t features, core::StopToken& stop,
                             Differing&& differing) {
  constexpr std::int64_t kSampled = 128;
  const std::int64_t most = most_stride(tokens);
  const Sample sample{most, tokens, std::max<std::int64_t>(1, tokens / kSampled)};
  std::int64_t best = 1;
  std::int64_t least = 0;
  std::int64_t sum = 0;
  for (std::int64_t stride = 2; stride <= most; ++stride) {
    const std::int64_t all = differing(sample, stride);
    pass(stop, (tokens - most) / sample.step * features);
    sum += all;
    if (best > 1 && all >= least) continue;
    best = stride;
    least = all;
  }
  // No better than the others by a fiftieth: no image.
  return best > 1 && least * (most - 1) * 50 > sum * 49 ? 1 : best;
}

}  // namespace

std::int64_t find_stride(const MaskBits& mask, std::int64_t tokens, core::StopToken& stop) {
  return least_differing(tokens, mask.features, stop, [&](const Sample& sample, std::int64_t stride) {
    return differing_bits(mask.words.data(), mask.words_per_row, sample, stride);
  });
}

std::int64_t find_stride(std::span<const std::uint8_t> symbols, std::int64_t tokens, std::int64_t features,
                         core::StopToken& stop) {
  return least_differing(tokens, features, stop, [&](const Sample& sample, std::int64_t stride) {
    return differing_symbols(symbols.data(), features, sample, stride);
  });
}

}  // namespace constellm::codec
