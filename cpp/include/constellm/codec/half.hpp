#pragma once
#include <bit>
#include <cstdint>

// IEEE 754 binary16 in bit arithmetic: the same on every machine, and plain enough for the
// compiler to do several at once.
namespace constellm::codec {

/// Exact; infinities and NaN become float infinities and NaN.
inline float from_half(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7fffu;
  const auto sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  // The exponent's bias differs by 112; as a product subnormal numbers need no case of their own.
  const std::uint32_t finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112f);
  const std::uint32_t bits = magnitude >= 0x7c00u ? (magnitude << 13) | 0x7f800000u : finite;
  return std::bit_cast<float>(bits | sign);
}

/// To nearest, ties to even; what is beyond the largest finite half becomes that.
inline std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  // Adding 0.5 puts the last bit of a subnormal half at the last bit of the sum, which rounds.
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
                                  std::bit_cast<std::uint32_t>(0.5f);
  const std::uint32_t normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  std::uint32_t half = magnitude < (113u << 23) ? subnormal : normal;
  half = magnitude >= 0x477ff000u ? 0x7bffu : half;
  return static_cast<std::uint16_t>(half | ((bits >> 16) & 0x8000u));
}

}  // namespace constellm::codec
