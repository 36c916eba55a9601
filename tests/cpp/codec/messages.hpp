#pragma once
#include <cstring>
#include <random>
#include <vector>

#include "constellm/codec/coding.hpp"

// Arrays, schemes and messages for the codec's tests.
namespace messages {

using namespace constellm::codec;
namespace core = constellm::core;

/// An owned array of `shape`, rows like their neighbours.
struct Array {
  std::vector<float> values;
  std::vector<std::uint8_t> mask;
  std::vector<std::int64_t> shape;

  Array(std::int64_t tokens, std::int64_t features, unsigned seed) : shape{tokens, features} {
    std::mt19937 engine(seed);  // its numbers, unlike those of distributions, are the same everywhere
    const auto uniform = [&] { return static_cast<float>(engine() >> 8) * 0x1p-24f - 0.5f; };
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::int64_t f = 0; f < features; ++f) {
        const float before = t == 0 ? 0.0f : values[values.size() - static_cast<std::size_t>(features)];
        const float noise = uniform() * uniform() * static_cast<float>(1 + f % 5);
        values.push_back(0.7f * before + noise);
        mask.push_back(values.back() > 0.1f ? 1 : 0);
      }
    }
  }
  [[nodiscard]] ArrayView view() const {
    return {reinterpret_cast<const std::byte*>(values.data()), shape, {4 * shape[1], 4}};
  }
  [[nodiscard]] ArrayView mask_view() const {
    return {reinterpret_cast<const std::byte*>(mask.data()), shape, {shape[1], 1}};
  }
};

inline Bytes encode_array(const Array& array, const Scheme& scheme, Workspace& workspace) {
  std::optional<ArrayView> mask;
  if (scheme.sparsify == Sparsify::mask) mask = array.mask_view();
  core::StopToken never;
  return encode(array.view(), Dtype::float32, mask, scheme, never, workspace);
}

/// All combinations that take another way through the coder.
inline std::vector<Scheme> all_schemes() {
  std::vector<Scheme> all;
  for (int sparsify = 0; sparsify < 5; ++sparsify) {
    for (int scale = 0; scale < 3; ++scale) {
      for (int entropy = 0; entropy < 3; ++entropy) {
        for (const int bits : {0, 2, 5, 8}) {
          Scheme s;
          s.sparsify = static_cast<Sparsify>(sparsify);
          s.scale = static_cast<Scale>(scale);
          s.entropy = static_cast<Entropy>(entropy);
          s.rounding = bits == 5 ? Rounding::stochastic : Rounding::nearest;
          s.clip = bits == 2 ? Clip::laplace : Clip::none;
          s.keep = sparsify < 2 ? 1.0 : 0.3;
          s.block = 16;
          s.bits = bits;
          all.push_back(s);
        }
      }
    }
  }
  return all;
}

/// Gives a changed message the checksum that fits.
inline void reseal(Bytes& message) {
  constexpr std::size_t kPrelude = 7;
  if (message.size() < kPrelude) return;
  const std::uint32_t sum = crc32c(std::span(message).subspan(kPrelude));
  std::memcpy(message.data() + 3, &sum, 4);
}

inline Header header_of(std::span<const std::uint8_t> message) {
  core::StopToken never;
  return read_header(message, never);
}

inline std::vector<std::byte> decode_message(std::span<const std::uint8_t> message, Workspace& workspace) {
  core::StopToken never;
  const Header header = read_header(message, never);
  std::vector<std::byte> out(static_cast<std::size_t>(header.raw_bytes()));
  decode(header, never, workspace, out.data());
  return out;
}

/// Decodes whatever this is; whether it was a message.
inline bool survives(std::span<const std::uint8_t> message, Workspace& workspace) {
  try {
    decode_message(message, workspace);
    return true;
  } catch (const constellm::core::InvalidInput&) {
    return false;
  }
}

}  // namespace messages
